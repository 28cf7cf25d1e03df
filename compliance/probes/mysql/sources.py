"""Not every address may connect."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.mysql import accounts


def _judge(facts: Facts) -> Judgement:
    found = accounts(facts)
    weak = [one.shown() for one in found if one.host in ("%", "%.%.%.%")]
    return judgement(weak if len(weak) == len(found) else [], weak, [one.shown() for one in found])


PROBE = Probe(
    id="mysql.grants.sources",
    way="db.grants",
    source="mysql",
    items=("8.1.4.2.e",),
    objects=("database",),
    reads=("accounts", "ages"),
    title=Text("Addresses that may connect", "连接来源限制"),
    criterion=Text("accounts name the addresses that they come from", "账户限定来源地址"),
    reproduce="SELECT host, user FROM mysql.user",
    judge=_judge,
)
