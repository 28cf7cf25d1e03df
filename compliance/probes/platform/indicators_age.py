"""Indicators are kept new."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Rules, days_between

MONTH, HALF_YEAR = 31, 180


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("rules", Rules)
    if not found.origins:
        return judgement([Text("no indicator is in force", "没有有效情报")])
    days = min(days_between(one.changed_at, found.at) for one in found.origins)
    told = Text(f"newest {days:.0f} days ago", f"最近更新在 {days:.0f} 天前")
    return judgement([told] if days > HALF_YEAR else [], [told] if days > MONTH else [], [told])


PROBE = Probe(
    id="ti.feed_age.indicators",
    way="ti.feed_age",
    source="platform",
    items=("8.1.3.3.c",),
    objects=("security_device",),
    reads=("rules",),
    title=Text("Age of indicators", "情报更新时间"),
    criterion=Text(
        "an indicator came within a month; over half a year is not met",
        "一个月内有情报更新；超过半年为不符合",
    ),
    to_be_confirmed=True,
    reproduce="console, Indicators",
    judge=_judge,
)
