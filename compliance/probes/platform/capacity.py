"""There is room for what comes."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Machine

LITTLE, LEAST = 0.2, 0.05


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("machine", Machine)
    free, full = found.disk_free / max(found.disk_size, 1), found.spool / max(found.spool_limit, 1)
    told = Text(f"{free:.0%} of the disk free, spool {full:.0%} full", f"磁盘剩余 {free:.0%}，缓冲占用 {full:.0%}")
    return judgement([told] if free < LEAST or full > 0.9 else [], [told] if free < LITTLE or full > 0.5 else [], [told])


PROBE = Probe(
    id="mon.health.capacity",
    way="mon.health",
    source="platform",
    items=("8.1.5.4.c",),
    objects=("management_platform", "system_software"),
    reads=("machine",),
    title=Text("Capacity", "容量"),
    criterion=Text(
        "a fifth of the disk is free and the spool half empty; below 5 % or above 90 % is not met",
        "磁盘剩余 20% 以上、缓冲占用 50% 以下；低于 5% 或高于 90% 为不符合",
    ),
    to_be_confirmed=True,
    reproduce="df; console, Platform",
    judge=_judge,
)
