"""Records are not overwritten soon."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.windows import Log, rows

_LEAST = {"Security": 196_608 << 10, "System": 32_768 << 10, "Application": 32_768 << 10}


def _judge(facts: Facts) -> Judgement:
    found = {one.name: one for one in rows(facts, "logs", Log)}
    missing = [name for name in _LEAST if name not in found]
    if missing:
        raise Unreadable(f"logs does not say {', '.join(missing)}", f"未读到日志 {'、'.join(missing)}")
    bad = [Text(f"{name} is off", f"{name} 未启用") for name in _LEAST if not found[name].enabled]
    weak = [
        f"{name}: {found[name].most >> 20} MiB"
        for name, least in _LEAST.items()
        if found[name].most < least and found[name].mode == "Circular"
    ]
    return judgement(bad, weak, [f"{name}: {found[name].most >> 20} MiB, {found[name].mode}" for name in _LEAST])


PROBE = Probe(
    id="windows.audit.log_size",
    way="host.audit_perms",
    source="windows",
    items=("8.1.4.3.c",),
    reads=("logs",),
    title=Text("Size of event logs", "日志容量"),
    criterion=Text(
        "event logs are on; Security has 192 MiB and the others 32 MiB, or they are kept when full",
        "事件日志均启用；安全日志不少于 192 MiB、其他不少于 32 MiB，或写满时存档",
    ),
    to_be_confirmed=True,
    reproduce="wevtutil gl Security",
    judge=_judge,
)
