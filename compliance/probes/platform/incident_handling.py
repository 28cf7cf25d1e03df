"""Incidents go on, and early warnings are answered."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Cases


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("cases", Cases)
    weak = [Text(f"{one}: its time is over", f"{one}：处置超时") for one in found.slow]
    weak += [Text(f"warning not answered: {one}", f"预警未反馈：{one}") for one in found.unanswered]
    return judgement(weak=weak, good=[Text(f"{found.incidents} incidents", f"事件 {found.incidents} 起")])


PROBE = Probe(
    id="ir.cases.handled",
    way="ir.cases",
    source="platform",
    items=("8.1.10.12.a", "8.1.10.12.c"),
    objects=("document", "personnel"),
    reads=("cases",),
    title=Text("Incidents and warnings", "事件与预警处置"),
    criterion=Text(
        "no clock of an open incident is over, and organisations have answered the warnings",
        "未结事件没有超时，预警均已签收反馈",
    ),
    to_be_confirmed=True,
    reproduce="console, Incidents: overdue; Warnings: overdue",
    judge=_judge,
)
