"""A source that falls silent is noticed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Sources


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("sources", Sources)
    if not found.runs:
        return judgement([Text("nothing is taken in: the ingest role does not run", "采集角色未运行，没有接收日志")])
    if not found.speaking:
        return judgement([Text("no event during the last day", "最近一天没有事件")])
    weak = [Text(f"silent since a day: {one}", f"中断超过一天：{one}") for one in found.silent]
    weak += [Text(f"{one.name}: {one.error}", f"{one.name}：{one.error}") for one in found.collectors if one.error]
    return judgement(weak=weak, good=[Text(f"{len(found.speaking)} data sets", f"{len(found.speaking)} 个数据集")])


PROBE = Probe(
    id="log.heartbeat.silent",
    way="log.heartbeat",
    source="platform",
    items=("8.1.3.5.a", "8.1.5.4.d"),
    objects=("management_platform", "security_device"),
    reads=("sources",),
    title=Text("Silent sources", "日志断流"),
    criterion=Text(
        "no data set of the week before has been silent for a day, and no collector complains",
        "前一周有日志的数据集最近一天均未中断，采集器无报错",
    ),
    to_be_confirmed=True,
    reproduce="console, Sources",
    judge=_judge,
)
