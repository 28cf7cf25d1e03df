"""Serious alerts are taken up."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Queue


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("queue", Queue)
    waiting = [
        Text(
            f"alert {one.id} {one.rule} ({one.level}) since {one.created_at}",
            f"告警 {one.id} {one.rule}（{one.level}）自 {one.created_at}",
        )
        for one in found.waiting
    ]
    return judgement(waiting, good=[Text(f"{found.total} alerts", f"告警 {found.total} 条")])


PROBE = Probe(
    id="soc.alerts.handled",
    way="soc.alerts",
    source="platform",
    items=("8.1.3.3.a", "8.1.5.4.f", "8.1.10.12.a"),
    objects=("management_platform", "security_device", "document"),
    reads=("queue",),
    title=Text("Alerts are handled", "告警处置"),
    criterion=Text(
        "no alert of high or critical level is untouched for more than a day",
        "高危、严重告警没有超过一天未处理的",
    ),
    to_be_confirmed=True,
    reproduce="console, Alerts: level high and critical, status new",
    judge=_judge,
)
