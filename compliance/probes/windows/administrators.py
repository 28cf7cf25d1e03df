"""Few may do everything."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.windows import EVERYBODY, Member, rows

_MANY = 5


def _judge(facts: Facts) -> Judgement:
    found = rows(facts, "administrators", Member)
    bad = [one.name for one in found if one.sid in EVERYBODY or one.sid.endswith(("-513", "-514", "-515"))]
    weak = [Text(f"{len(found)} members", f"{len(found)} 个成员")] if len(found) > _MANY else []
    return judgement(bad, weak, [one.name for one in found])


PROBE = Probe(
    id="windows.accounts.administrators",
    way="host.accounts",
    source="windows",
    items=("8.1.4.2.d",),
    reads=("administrators",),
    title=Text("Administrators", "管理员组成员"),
    criterion=Text(
        "Administrators has five members at most, and no group that everybody is in",
        "Administrators 组成员不超过 5 个，且不含人人都在的组",
    ),
    to_be_confirmed=True,
    reproduce="Get-LocalGroupMember -SID S-1-5-32-544",
    judge=_judge,
)
