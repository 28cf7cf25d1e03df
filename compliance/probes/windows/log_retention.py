"""Records are there for half a year."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.windows import DAY, Log, System, one, rows

_LEAST = 180


def _judge(facts: Facts) -> Judgement:
    now = one(facts, "system", System).now
    found = {log.name: log.oldest for log in rows(facts, "logs", Log)}
    if found.get("Security") is None:
        raise Unreadable("the oldest record of Security is not known", "无法得知安全日志最早记录的时间")
    days = {name: max(0, now - oldest) // DAY for name, oldest in found.items() if oldest is not None}
    weak = [Text(f"{name}: {number} days", f"{name}：{number} 天") for name, number in days.items() if number < _LEAST]
    return judgement(weak=weak, good=[Text(f"{name}: {number} days", f"{name}：{number} 天") for name, number in days.items()])


PROBE = Probe(
    id="windows.audit.retention",
    way="host.audit_perms",
    source="windows",
    items=("8.1.4.3.c", "8.1.5.4.d"),
    reads=("system", "logs"),
    title=Text("Records of this host", "本机日志保留时间"),
    criterion=Text(
        "the oldest records are 180 days old (a young host, or a log centre that keeps them, is for a person to say)",
        "本机最早的记录不少于 180 天（新装主机或由日志中心留存的由人判定）",
    ),
    reproduce="Get-WinEvent -LogName Security -Oldest -MaxEvents 1",
    judge=_judge,
)
