"""The controls are looked at as a whole."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import days_between
from compliance.probes.formats.platform_work import Upkeep

DAYS = 366


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("upkeep", Upkeep)
    if not found.scored_at or days_between(found.scored_at, found.at) > DAYS:
        return judgement([Text("no assessment was kept within a year", "一年内没有自查结果")])
    weak = [Text(f"{found.scored_at}: not everything had a verdict", f"{found.scored_at}：尚有未评项")] if found.provisional else []
    return judgement(weak=weak, good=[found.scored_at])


PROBE = Probe(
    id="compliance.assessment.year",
    way="compliance.assessment",
    source="platform",
    items=("8.1.7.5.b", "8.1.7.5.c"),
    objects=("document", "personnel"),
    reads=("upkeep",),
    title=Text("Self-checks", "安全检查"),
    criterion=Text(
        "a whole assessment was kept within a year",
        "一年内有完整的自查结果",
    ),
    to_be_confirmed=True,
    reproduce="./liandun compliance score SYSTEM --keep",
    judge=_judge,
)
