"""The plans are rehearsed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Cases


def _judge(facts: Facts) -> Judgement:
    drills = facts.rows("cases", Cases).drills
    held = [one for one in drills if one.closed]
    if held:
        return judgement(good=[f"{one.number} {one.title} {one.detected_at}" for one in held])
    if drills:
        return judgement(weak=[Text(f"{one.number}: not ended", f"{one.number}：未结束") for one in drills])
    return judgement([Text("no drill within a year", "一年内没有演练")])


PROBE = Probe(
    id="ir.drills.year",
    way="ir.drills",
    source="platform",
    items=("8.1.10.13.c",),
    objects=("document", "personnel"),
    reads=("cases",),
    title=Text("Drills", "应急演练"),
    criterion=Text(
        "a drill was held and ended within a year",
        "一年内做过应急演练并已结束",
    ),
    to_be_confirmed=True,
    reproduce="console, Incidents: drills",
    judge=_judge,
)
