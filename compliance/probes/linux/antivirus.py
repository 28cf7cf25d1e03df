"""A program against malware runs."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable

PROGRAMS = (
    "clamd", "clamonacc", "kesl", "kesl-supervisor", "ds_agent", "sav-protect", "savd", "avgd", "esets_daemon", "oaeventd", "mdatp",
    "wdavdaemon", "qaxsafed", "360safed", "360entclient", "ravd", "ravservice", "kvd", "AliYunDun", "hostguard", "YDService",
    "edr_agent", "edr_monitor", "falcon-sensor", "titanagent",
)  # fmt: skip


def _judge(facts: Facts) -> Judgement:
    processes = facts.listed("processes")
    if not processes:
        raise Unreadable("the host shows no process", "看不到主机进程")
    found = [name for name in PROGRAMS if name[:15] in processes]
    return judgement([] if found else [Text("no known program runs", "没有运行已知的防恶意代码软件")], good=found)


PROBE = Probe(
    id="host.av.running",
    way="host.av",
    source="linux",
    items=("8.1.4.5",),
    reads=("processes",),
    title=Text("Protection against malware", "恶意代码防护"),
    criterion=Text("a program against malware runs (by a list of names)", "有防恶意代码软件在运行（按名称清单判断）"),
    to_be_confirmed=True,
    reproduce="ps -eo comm",
    judge=_judge,
)
