"""Nobody gets in without a password."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.mysql import accounts


def _judge(facts: Facts) -> Judgement:
    found = accounts(facts)
    return judgement([one.shown() for one in found if one.has_password and one.hash == "none"], good=[one.shown() for one in found])


PROBE = Probe(
    id="mysql.accounts.empty_passwords",
    way="db.accounts",
    source="mysql",
    items=("8.1.4.1.a",),
    units=("6.4.1",),
    objects=("database",),
    reads=("accounts", "ages"),
    title=Text("Empty passwords", "空口令"),
    criterion=Text("every account that asks for a password has one, or is locked", "每个以口令鉴别的账户都有口令或已锁定"),
    reproduce="SELECT host, user, plugin, authentication_string = '' FROM mysql.user",
    judge=_judge,
)
