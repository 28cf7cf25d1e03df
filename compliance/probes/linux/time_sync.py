"""The clock follows a source."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import uncommented

_DAEMONS = ("chronyd", "ntpd", "systemd-timesyn", "ntpsec")


def _judge(facts: Facts) -> Judgement:
    sources = []
    for path, text in facts.files("time").items():
        for line in uncommented(text):
            if re.match(r"(server|pool|peer|refclock)\s", line) or ("timesyncd" in path and re.match(r"(Fallback)?NTP=\S", line)):
                sources.append(line)
    daemons = [name for name in _DAEMONS if name in facts.listed("processes")]
    if not daemons:
        return judgement([Text("no time service runs", "没有运行时间同步服务")])
    if not sources and "systemd-timesyn" not in daemons:
        return judgement([Text("no source of time is configured", "未配置时间源")])
    public = [line for line in sources if re.search(r"pool\.ntp\.org|ntp\.aliyun|ntp\.tencent|cn\.ntp", line)]
    weak = [Text(f"public source: {line}", f"公网时间源：{line}") for line in public]
    return judgement(weak=weak if len(public) == len(sources) else [], good=[*daemons, *sources])


PROBE = Probe(
    id="host.time_sync.source",
    way="host.time_sync",
    source="linux",
    items=("8.1.4.3.b",),
    reads=("time", "processes"),
    title=Text("Time source", "时间同步"),
    criterion=Text("a time service runs and follows a source of the own network", "时间同步服务在运行并使用内部时间源"),
    to_be_confirmed=True,
    reproduce="chronyc sources; timedatectl; cat /etc/chrony.conf",
    judge=_judge,
)
