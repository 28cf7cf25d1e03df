"""What was found is mended in time."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Upkeep


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("upkeep", Upkeep)
    told = Text(f"{found.overdue} of {found.findings} findings are overdue", f"{found.findings} 项问题中 {found.overdue} 项逾期")
    return judgement(weak=[told] if found.overdue else [], good=[told])


PROBE = Probe(
    id="compliance.remediation.overdue",
    way="compliance.remediation",
    source="platform",
    items=("8.1.9.9.a",),
    objects=("document", "personnel"),
    reads=("upkeep",),
    title=Text("Remediation", "整改跟踪"),
    criterion=Text(
        "no finding that is not waived is past its day",
        "未豁免的问题没有逾期未改的",
    ),
    reproduce="./liandun compliance findings list SYSTEM --overdue",
    judge=_judge,
)
