"""Logs are kept for six months."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Store

LEAST_DAYS = 180


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("store", Store)
    if found.retention_days < LEAST_DAYS:
        return judgement([Text(f"kept for {found.retention_days} days", f"保留 {found.retention_days} 天")])
    weak = [Text(f"cannot be read: {one}", f"无法读取：{one}") for one in found.damaged]
    if found.demo:
        weak.append(Text("a store of a demonstration may drop events earlier", "演示存储允许提前删除"))
    kept = f"{found.retention_days} d, {found.events} events since {found.earliest or '-'}"
    return judgement(
        weak=weak, good=[Text(kept, f"保留 {found.retention_days} 天，事件 {found.events} 条，最早 {found.earliest or '无'}")]
    )


PROBE = Probe(
    id="log.retention.policy",
    way="log.retention",
    source="platform",
    items=("8.1.3.5.c", "8.1.4.3.c", "8.1.5.4.d"),
    objects=("management_platform", "security_device", "database"),
    reads=("store",),
    title=Text("Logs are kept", "日志留存"),
    criterion=Text(
        "events are kept for 180 days or more, and all that is kept can be read",
        "事件保留不少于 180 天且均可读取",
    ),
    reproduce="./liandun store statistics; [store] retention_days of the configuration",
    judge=_judge,
)
