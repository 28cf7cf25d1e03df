"""Not every address may connect."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.dm import accounts


def _judge(facts: Facts) -> Judgement:
    found = accounts(facts)
    weak = [one.user for one in found if one.sources != "Y"]
    return judgement(weak if len(weak) == len(found) else [], weak, [one.user for one in found])


PROBE = Probe(
    id="dm.grants.sources",
    way="db.grants",
    source="dm",
    items=("8.1.4.2.e",),
    objects=("database",),
    reads=("accounts",),
    title=Text("Addresses that may connect", "连接来源限制"),
    criterion=Text("accounts name the addresses that they come from (ALLOW_IP)", "账户限定来源地址（ALLOW_IP）"),
    reproduce="SELECT B.USERNAME, A.ALLOW_ADDR FROM SYSUSERS A, DBA_USERS B WHERE A.ID = B.USER_ID",
    judge=_judge,
)
