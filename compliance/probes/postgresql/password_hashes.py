"""Passwords are kept as SCRAM, not as MD5."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.postgresql import Hash, settings


def _judge(facts: Facts) -> Judgement:
    method = settings(facts).get("password_encryption", "")
    bad = [f"password_encryption = {method}"] if method in ("md5", "on", "off") else []
    bad += [
        f"{one.rolname}: {one.kind}"
        for one in facts.rows("hashes", list[Hash])
        if one.kind not in ("scram-sha-256", "scram-sm3", "none")
    ]
    return judgement(bad, good=[f"password_encryption = {method}"])


PROBE = Probe(
    id="db.accounts.password_hashes",
    way="db.accounts",
    source="postgresql",
    items=("8.1.4.1.a",),
    units=("6.4.1",),
    objects=("database",),
    reads=("settings", "hashes"),
    title=Text("Password hashes", "口令存储算法"),
    criterion=Text("passwords are kept as SCRAM-SHA-256 or SCRAM-SM3", "口令以 SCRAM-SHA-256 或 SCRAM-SM3 方式存储"),
    to_be_confirmed=True,
    reproduce="SHOW password_encryption; SELECT rolname, left(rolpassword, 3) FROM pg_authid",
    judge=_judge,
)
