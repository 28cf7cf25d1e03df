"""What is done in the account is recorded, and kept."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import Trail


def _judge(facts: Facts) -> Judgement:
    trails = facts.rows("trails", list[Trail])
    on = [one for one in trails if one.on]
    if not on:
        return judgement([Text("no trail is on", "没有启用的跟踪")])
    good = [one.name for one in on if one.everything and one.kept]
    weak = [] if good else [f"{one.name}: all {one.everything}, kept {one.kept}" for one in on]
    return judgement([], weak, good)


PROBE = Probe(
    id="cloud.audit_log.trail",
    way="cloud.audit_log",
    source="cloud",
    items=("8.1.4.3.a", "8.2.3.3.a", "8.2.5.1.c"),
    objects=("cloud_platform", "system_software"),
    reads=("trails",),
    title=Text("Audit trail of the account", "云审计跟踪"),
    criterion=Text(
        "a trail is on that records reads and writes of all regions (Huawei Cloud: of the exported region) and delivers them to "
        "a store",
        "已启用覆盖全部地域（华为云为所导出地域）读写操作的跟踪并投递存储",
    ),
    to_be_confirmed=True,
    reproduce="aliyun actiontrail DescribeTrails; hcloud CTS ListTrackers",
    judge=_judge,
)
