"""The platform runs."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Machine


def _judge(facts: Facts) -> Judgement:
    roles = facts.rows("machine", Machine).roles
    bad = [Text(f"{one.name} does not run", f"{one.name} 未运行") for one in roles if not one.alive]
    weak = [Text(f"{one.name}: {one.problem}", f"{one.name}：{one.problem}") for one in roles if one.alive and one.problem]
    return judgement(bad, weak, [one.name for one in roles])


PROBE = Probe(
    id="mon.health.roles",
    way="mon.health",
    source="platform",
    items=("8.1.5.4.c",),
    objects=("management_platform", "system_software"),
    reads=("machine",),
    title=Text("Processes", "进程运行"),
    criterion=Text(
        "every process of the platform runs and complains of nothing",
        "平台各进程均运行且无报错",
    ),
    reproduce="console, Platform",
    judge=_judge,
)
