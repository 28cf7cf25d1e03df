"""Remote connections are sealed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.mysql import accounts, is_on, variables


def _judge(facts: Facts) -> Judgement:
    found = variables(facts)
    remote = [one for one in accounts(facts) if one.is_remote]
    if not remote or is_on(found.get("skip_networking")):
        return not_applicable(Text("there are no remote logins", "没有远程登录"))
    if found.get("have_ssl", "YES").upper() != "YES":
        return judgement([f"have_ssl = {found['have_ssl']}"])
    versions = found.get("tls_version", "").replace(" ", "").split(",")
    old = [f"tls_version = {found['tls_version']}"] if {"TLSv1", "TLSv1.0", "TLSv1.1"} & set(versions) else []
    if is_on(found.get("require_secure_transport")):
        return judgement(old, good=["require_secure_transport = ON"])
    return judgement(old, [one.shown() for one in remote if one.ssl == "-"], [one.shown() for one in remote])


PROBE = Probe(
    id="mysql.encryption.transport",
    way="tls.scan",
    source="mysql",
    items=("8.1.4.1.c", "8.1.4.7.a", "8.1.4.8.a"),
    units=("6.4.4", "6.4.6"),
    objects=("database",),
    reads=("variables", "accounts", "ages"),
    title=Text("Sealed connections", "连接加密"),
    criterion=Text("remote logins have to use TLS 1.2 or later", "远程登录必须使用 TLS 1.2 及以上"),
    reproduce="SHOW VARIABLES LIKE 'require_secure_transport'; SHOW VARIABLES LIKE 'tls_version'",
    judge=_judge,
)
