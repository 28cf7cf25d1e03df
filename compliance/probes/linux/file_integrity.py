"""Changes of the system's files are noticed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.modes import modes

_AGENTS = ("wazuh-syscheckd", "ossec-syscheckd", "samhain", "tripwire", "osqueryd", "elkeid", "falco")


def _judge(facts: Facts) -> Judgement:
    agents = [name for name in _AGENTS if name[:15] in facts.listed("processes")]
    if agents:
        return judgement(good=agents)
    lines = facts.listed("integrity")
    jobs = [line for line in lines if line.startswith("cron ")]
    paths = [one.path for one in modes(line for line in lines if line not in jobs)]
    has_base = any(path.startswith("/var/lib/aide/aide.db") for path in paths)
    has_clock = (
        bool(jobs)
        or any("cron.daily" in path for path in paths)
        or any(line.startswith(("aide", "dailyaidecheck")) for line in facts.lines("units"))
    )
    if has_base and has_clock:
        return judgement(good=["AIDE"])
    if has_base:
        return judgement(weak=[Text("AIDE has a database, but nothing runs it", "AIDE 已建库但未定时检查")])
    return judgement([Text("no file integrity monitoring", "没有文件完整性监测")])


PROBE = Probe(
    id="host.file_integrity.baseline",
    way="host.file_integrity",
    source="linux",
    items=("8.1.4.6", "8.1.4.7.b"),
    units=("6.3.6",),
    reads=("processes", "integrity", "units"),
    title=Text("Integrity of files", "文件完整性监测"),
    criterion=Text(
        "an agent, or AIDE with a database by the clock, notices changed files",
        "由代理或定时运行且已建库的 AIDE 发现文件变更",
    ),
    to_be_confirmed=True,
    reproduce="ls -l /var/lib/aide; systemctl list-timers | grep aide",
    judge=_judge,
)
