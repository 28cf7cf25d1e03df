"""Programs get an administrator's rights only when asked for."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import SYSTEM, set_number


def _judge(facts: Facts) -> Judgement:
    on = set_number(facts, SYSTEM, "EnableLUA", 1)
    return judgement([] if on else ["EnableLUA = 0"], good=["EnableLUA = 1"])


PROBE = Probe(
    id="windows.rights.elevation",
    way="host.sudoers",
    source="windows",
    items=("8.1.4.2.d",),
    reads=("registry", "policy"),
    title=Text("User account control", "用户账户控制"),
    criterion=Text("user account control (UAC) is on", "用户账户控制（UAC）已启用"),
    to_be_confirmed=True,
    reproduce="reg query HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System /v EnableLUA",
    judge=_judge,
)
