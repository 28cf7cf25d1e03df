"""A program on the host looks for intrusions."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable

AGENTS = (
    "wazuh-agentd", "ossec-agentd", "ossec-syscheckd", "falco", "elkeid", "elastic-agent", "elastic-endpoint", "osqueryd",
    "AliYunDun", "AliSecGuard", "hostguard", "YDService", "YDEdr", "titanagent", "edr_agent", "edr_monitor", "sangfor_edr",
    "qaxsafed", "ds_agent", "falcon-sensor", "mdatp", "wdavdaemon", "suricata", "samhain",
)  # fmt: skip


def _judge(facts: Facts) -> Judgement:
    processes = facts.listed("processes")
    if not processes:
        raise Unreadable("the host shows no process", "看不到主机进程")
    found = [name for name in AGENTS if name[:15] in processes]
    return judgement([] if found else [Text("no known agent runs", "没有运行已知的入侵检测代理")], good=found)


PROBE = Probe(
    id="host.hids.agent",
    way="host.hids",
    source="linux",
    items=("8.1.4.4.f",),
    reads=("processes",),
    title=Text("Intrusion detection on the host", "主机入侵检测"),
    criterion=Text("an agent that looks for intrusions runs (by a list of names)", "有入侵检测代理在运行（按名称清单判断）"),
    to_be_confirmed=True,
    reproduce="ps -eo comm",
    judge=_judge,
)
