"""Security updates do not wait."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number

_STALE, _OLD = 30, 180
_DAY = 86_400


def _judge(facts: Facts) -> Judgement:
    now = number(facts.text("clock"))
    if now is None:
        raise Unreadable("the host does not say its time", "主机未给出时间")
    if facts.is_read("apt"):
        return _apt(facts, now)
    if not facts.is_read("rpm"):
        raise Unreadable("the host has neither apt nor rpm", "主机既无 apt 也无 rpm")
    changed = number(facts.text("rpm").split(" ", 1)[0])
    if changed is None:
        raise Unreadable("the package database does not say when it changed", "软件包数据库未给出变更时间")
    days = (now - changed) // _DAY
    if days > _OLD:
        return judgement([Text(f"no package has changed for {days} days", f"{days} 天没有更新过软件包")])
    raise Unreadable(
        f"which updates wait cannot be asked without writing there; packages changed {days} days ago",
        f"不写入主机就无法查询待装更新；软件包 {days} 天前变更过",
    )


def _apt(facts: Facts, now: int) -> Judgement:
    lines = facts.lines("apt")
    at = number(lines[0].removeprefix("lists ")) if lines and lines[0].startswith("lists ") else None
    if at is None:
        raise Unreadable(
            "the host has no list of packages (apt-get update was never run)",
            "主机没有软件源列表（从未运行 apt-get update）",
        )
    waiting = [line for line in lines if line.startswith("Inst ")]
    security = [line for line in waiting if re.search(r"security|-Security", line)]
    shown = [" ".join(line.split()[1:3]) for line in security]
    weak = []
    if (now - at) // _DAY > _STALE:
        days = (now - at) // _DAY
        weak.append(Text(f"the lists of packages are {days} days old", f"软件源列表已 {days} 天未更新"))
    if waiting and not security:
        weak.append(Text(f"{len(waiting)} other updates wait", f"另有 {len(waiting)} 个更新待装"))
    return judgement(shown, weak, lines=[lines[0], *waiting])


PROBE = Probe(
    id="host.patch_level.updates",
    way="host.patch_level",
    source="linux",
    items=("8.1.4.4.e",),
    reads=("clock", "apt", "rpm"),
    title=Text("Waiting updates", "待装更新"),
    criterion=Text(
        "no security update waits, and the lists are younger than 30 days",
        "没有待装的安全更新，且软件源列表不超过 30 天",
    ),
    to_be_confirmed=True,
    reproduce="apt-get -s upgrade; dnf updateinfo list --security",
    judge=_judge,
)
