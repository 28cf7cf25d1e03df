"""Logs leave the host for a log centre."""

from __future__ import annotations

import re

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.keyed import uncommented

_OLD = re.compile(r"\S+\s+(@@?)\(?\S*?\)?([\[\w.:-]+)")
_AGENTS = (
    "filebeat",
    "fluent-bit",
    "fluentd",
    "vector",
    "promtail",
    "winlogbeat",
    "loongcollector",
    "ilogtail",
    "systemd-journal-upload",
)


def _judge(facts: Facts) -> Judgement:
    reliable: list[str] = []
    lossy: list[str] = []
    for path, text in facts.files("syslog").items():
        lines = uncommented(text)
        if "rsyslog" in path:
            whole = " ".join(lines)
            for action in re.findall(r'action\s*\((?=[^)]*type\s*=\s*"(?:omfwd|omrelp|omkafka)")[^)]*\)', whole, re.IGNORECASE):
                (
                    lossy if re.search(r"omfwd", action) and not re.search(r'protocol\s*=\s*"tcp"', action, re.I) else reliable
                ).append(action)
            for line in lines:
                match = _OLD.match(line)
                if match:
                    (reliable if match[1] == "@@" else lossy).append(line)
        elif "syslog-ng" in path:
            reliable += re.findall(r"(?:network|tcp|syslog)\s*\([^;]*\)", " ".join(lines))
            lossy += re.findall(r"\budp\s*\([^;]*\)", " ".join(lines))
        elif "journal-upload" in path:
            reliable += [line for line in lines if line.startswith("URL=")]
    agents = [name for name in _AGENTS if name[:15] in facts.listed("processes")]
    if not reliable and not agents and not lossy:
        return judgement([Text("no log leaves the host", "日志未外发")])
    weak = [Text(f"UDP may lose records: {one[:120]}", f"UDP 可能丢失：{one[:120]}") for one in lossy]
    return judgement(weak=[] if reliable or agents else weak, good=[*reliable, *agents])


PROBE = Probe(
    id="log.forwarding.host",
    way="log.forwarding",
    source="linux",
    items=("8.1.4.3.c", "8.1.5.4.d"),
    reads=("syslog", "processes"),
    title=Text("Logs are forwarded", "日志外发"),
    criterion=Text(
        "logs go to a log centre over a reliable transport; UDP is partly",
        "日志经可靠传输送往日志中心；仅 UDP 为部分符合",
    ),
    reproduce="grep -rE '@|omfwd' /etc/rsyslog.conf /etc/rsyslog.d",
    judge=_judge,
)
