"""Remote connections are sealed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.postgresql import hba, settings


def _judge(facts: Facts) -> Judgement:
    found, rules = settings(facts), hba(facts)
    remote = [rule for rule in rules if rule.is_remote and rule.method != "reject"]
    lines = [f"ssl = {found.get('ssl')}", *(rule.shown() for rule in remote)]
    if not remote:
        return not_applicable(Text("there are no remote logins", "没有远程登录"))
    if found.get("ssl") != "on":
        return judgement([f"ssl = {found.get('ssl', 'off')}"], lines=lines)
    least = found.get("ssl_min_protocol_version", "TLSv1.2")
    weak = [rule.shown() for rule in remote if rule.type != "hostssl" and rule.type != "hostgssenc"]
    old = [f"ssl_min_protocol_version = {least}"] if least in ("TLSv1", "TLSv1.1", "") else []
    return judgement(old, weak, ["ssl = on"], lines)


PROBE = Probe(
    id="db.encryption.transport",
    way="tls.scan",
    source="postgresql",
    items=("8.1.4.1.c", "8.1.4.7.a", "8.1.4.8.a"),
    units=("6.4.4", "6.4.6"),
    objects=("database",),
    reads=("settings", "hba"),
    title=Text("Sealed connections", "连接加密"),
    criterion=Text("remote logins have to use TLS 1.2 or later (hostssl)", "远程登录必须使用 TLS 1.2 及以上（hostssl）"),
    reproduce="SHOW ssl; SHOW ssl_min_protocol_version; SELECT * FROM pg_hba_file_rules",
    judge=_judge,
)
