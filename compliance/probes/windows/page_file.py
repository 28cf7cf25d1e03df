"""Memory that was put on the disk is cleared."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import MEMORY, set_number


def _judge(facts: Facts) -> Judgement:
    cleared = set_number(facts, MEMORY, "ClearPageFileAtShutdown", 0)
    return judgement([] if cleared else ["ClearPageFileAtShutdown = 0"], good=["ClearPageFileAtShutdown = 1"])


PROBE = Probe(
    id="windows.residual.page_file",
    way="host.residual",
    source="windows",
    items=("8.1.4.10.a", "8.1.4.10.b"),
    reads=("registry", "policy"),
    title=Text("Page file", "关机清除页面文件"),
    criterion=Text("the page file is cleared at each shutdown", "关机时清除虚拟内存页面文件"),
    reproduce='reg query "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management" /v ClearPageFileAtShutdown',
    judge=_judge,
)
