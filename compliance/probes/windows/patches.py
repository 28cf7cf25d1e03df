"""Updates come."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.windows import DAY, Hotfix, System, one, rows

_SOON, _LATE = 60, 180


def _judge(facts: Facts) -> Judgement:
    host = one(facts, "system", System)
    times = [fix.at for fix in rows(facts, "hotfixes", Hotfix) if fix.at is not None]
    if not times:
        raise Unreadable("no update says when it was installed", "没有更新给出安装时间")
    days = max(0, host.now - max(times)) // DAY
    shown = Text(f"{host.caption} {host.build}: {days} days", f"{host.caption} {host.build}：{days} 天")
    return judgement([shown] if days > _LATE else [], [shown] if _SOON < days <= _LATE else [], [shown])


PROBE = Probe(
    id="windows.patch_level.updates",
    way="host.patch_level",
    source="windows",
    items=("8.1.4.4.e",),
    reads=("system", "hotfixes"),
    title=Text("Updates", "补丁更新"),
    criterion=Text(
        "the last update was installed within 60 days; more than half a year is not met",
        "最近一次更新在 60 天之内；超过半年为不符合",
    ),
    to_be_confirmed=True,
    reproduce="Get-HotFix | Sort InstalledOn",
    judge=_judge,
)
