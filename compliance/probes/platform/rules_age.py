"""Rules are kept new."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Rules, days_between

MONTH, HALF_YEAR = 31, 180


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("rules", Rules)
    bad, weak, good = list[Text](), list[Text](), list[Text]()
    for engine, written in sorted(found.newest.items()):
        if not written:
            continue
        days = days_between(written, found.at)
        told = Text(f"{engine}: {days:.0f} days", f"{engine}：{days:.0f} 天")
        (bad if days > HALF_YEAR else weak if days > MONTH else good).append(told)
    if not (bad or weak or good):
        return judgement([Text("no rules from files", "没有规则文件")])
    return judgement(bad, weak, good)


PROBE = Probe(
    id="ids.rules_age.files",
    way="ids.rules_age",
    source="platform",
    items=("8.1.3.3.a", "8.1.3.4.a"),
    objects=("security_device",),
    reads=("rules",),
    title=Text("Age of rules", "规则更新时间"),
    criterion=Text(
        "for each engine, a rule file was written within a month; over half a year is not met",
        "各引擎规则一个月内有更新；超过半年为不符合",
    ),
    to_be_confirmed=True,
    reproduce="console, Rules; ls -l rules",
    judge=_judge,
)
