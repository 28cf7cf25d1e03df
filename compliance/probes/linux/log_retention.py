"""Logs are kept for half a year before they are turned over."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable

_DAYS = {"daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}
_WANTED = 180
_NAMES = re.compile(r"/var/log/(syslog|auth\.log|secure|messages|cron|maillog)\b")


def _judge(facts: Facts) -> Judgement:
    files = facts.files("logrotate")
    if not files:
        raise Unreadable("there is no logrotate", "没有 logrotate 配置")
    usual = _kept(files.get("/etc/logrotate.conf", ""), (7, 4))
    found: dict[str, int] = {}
    for text in files.values():
        for names, body in re.findall(r"((?:^[ \t]*/[^\n{]*\n?)+)\s*\{(.*?)\}", text, re.DOTALL | re.MULTILINE):
            for match in _NAMES.finditer(names):
                period, count = _kept(body, usual)
                found[match[0]] = period * count
    if not found:
        raise Unreadable("logrotate names none of the usual logs", "logrotate 未涉及任何常见日志")
    short = [f"{name}: {days} d" for name, days in sorted(found.items()) if days < _WANTED]
    return judgement(short, good=[f"{name}: {days} d" for name, days in sorted(found.items())])


def _kept(text: str, usual: tuple[int, int]) -> tuple[int, int]:
    period, count = usual
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words and words[0] in _DAYS and not line.startswith("/"):
            period = _DAYS[words[0]]
        elif len(words) == 2 and words[0] == "rotate" and words[1].isdecimal():
            count = int(words[1][:6])
    return period, count


PROBE = Probe(
    id="host.audit_perms.retention",
    way="host.audit_perms",
    source="linux",
    items=("8.1.4.3.c", "8.1.5.4.d"),
    reads=("logrotate",),
    title=Text("Logs on the host are kept", "本机日志保留时间"),
    criterion=Text(
        "the host keeps its logs for 180 days (a log centre that keeps them is for a person to say)",
        "本机日志保留不少于 180 天（由日志中心留存的由人判定）",
    ),
    reproduce="cat /etc/logrotate.conf /etc/logrotate.d/*",
    judge=_judge,
)
