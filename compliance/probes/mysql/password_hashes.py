"""Passwords are not kept in a way that is broken."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.mysql import accounts


def _judge(facts: Facts) -> Judgement:
    found = [one for one in accounts(facts) if one.has_password]
    old = [f"{one.shown()}: {one.plugin}" for one in found if one.plugin == "mysql_old_password"]
    weak = [f"{one.shown()}: {one.plugin} (SHA-1)" for one in found if one.plugin in ("mysql_native_password", "")]
    return judgement(
        old, weak, [f"{one.shown()}: {one.plugin}" for one in found] or [Text("no account has a password", "没有以口令登录的账户")]
    )


PROBE = Probe(
    id="mysql.passwords.hashes",
    way="db.accounts",
    source="mysql",
    items=("8.1.4.1.a",),
    units=("6.4.1",),
    objects=("database",),
    reads=("accounts", "ages"),
    title=Text("Password hashes", "口令存储算法"),
    criterion=Text("passwords are kept as caching_sha2, sha256 or ed25519", "口令以 caching_sha2、sha256 或 ed25519 方式存储"),
    to_be_confirmed=True,
    reproduce="SELECT host, user, plugin FROM mysql.user",
    judge=_judge,
)
