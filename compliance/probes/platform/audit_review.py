"""Somebody looks at the audit trail."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Trail


def _judge(facts: Facts) -> Judgement:
    looks = [one for one in facts.rows("trail", Trail).looks if one.result == "success"]
    if not looks:
        return judgement(weak=[Text("verified or exported by nobody for a month", "一个月内无人校验或导出审计记录")])
    return judgement(good=[f"{one.time} {one.actor} {one.act}" for one in looks])


PROBE = Probe(
    id="log.review.trail",
    way="log.review",
    source="platform",
    items=("8.1.5.2.b", "8.1.10.6.f"),
    objects=("management_platform", "security_device", "database", "document"),
    reads=("trail",),
    title=Text("Review of the trail", "审计记录审查"),
    criterion=Text(
        "the trail was verified or exported during the last month",
        "一个月内有人校验或导出审计记录",
    ),
    to_be_confirmed=True,
    reproduce="console, Audit: audit.verify, audit.export",
    judge=_judge,
)
