"""Reports to the authority are made in time."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Cases


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("cases", Cases)
    late = [Text(f"{one}: the report is overdue", f"{one}：报告逾期") for one in found.late]
    return judgement(late, good=[Text(f"{found.incidents} incidents, no report overdue", f"事件 {found.incidents} 起，无逾期报告")])


PROBE = Probe(
    id="ir.reporting.clocks",
    way="ir.reporting",
    source="platform",
    items=("8.1.10.12.d",),
    objects=("document", "personnel"),
    reads=("cases",),
    title=Text("Reports of incidents", "事件报告时限"),
    criterion=Text(
        "no report of an open incident is overdue",
        "未结事件没有逾期未报的",
    ),
    reproduce="console, Incidents: overdue",
    judge=_judge,
)
