"""Records go elsewhere, too."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import FORWARDING, WANTED, value
from compliance.probes.formats.windows import Service, rows

_AGENTS = ("winlogbeat", "elastic agent", "filebeat", "nxlog", "wazuhsvc", "ossecsvc", "splunkforwarder", "snare", "rsyslog",
    "fluentd",            "fluent-bit",
           "evtsys", "logagent", "ilogtail")  # fmt: skip


def _judge(facts: Facts) -> Judgement:
    managers = [manager for name in WANTED[FORWARDING] if (manager := value(facts, FORWARDING, name))]
    running = {one.name.lower() for one in rows(facts, "services", Service) if one.state == "Running"}
    agents = sorted(name for name in running if name.startswith(_AGENTS))
    found = [*(one.partition(",")[0] for one in managers), *agents]
    return judgement([] if found else [Text("no forwarding is set up", "未配置日志外发")], good=found)


PROBE = Probe(
    id="windows.log.forwarding",
    way="log.forwarding",
    source="windows",
    items=("8.1.4.3.c", "8.1.5.4.d"),
    reads=("registry", "services"),
    title=Text("Records leave the host", "日志外发"),
    criterion=Text(
        "events are forwarded (Windows Event Forwarding, or an agent by a list of names)",
        "事件转发至日志中心（WEF 或按名称清单识别的代理）",
    ),
    to_be_confirmed=True,
    reproduce="reg query HKLM\\SOFTWARE\\Policies\\Microsoft\\Windows\\EventLog\\EventForwarding\\SubscriptionManager; Get-Service",
    judge=_judge,
)
