"""Windows events → ECS: what all have in common, and which table fills the rest."""

from __future__ import annotations

from typing import Any

from collectors.parsers import fields as ecs
from collectors.parsers.windows_security import POWERSHELL, SECURITY, SYSTEM
from collectors.parsers.windows_sysmon import SYSMON
from kernel.event import Event
from kernel.windows_event import WindowsEvent, windows_fields

_DATASETS = {
    "microsoft-windows-sysmon/operational": "windows.sysmon",
    "linux-sysmon/operational": "linux.sysmon",
    "security": "windows.security",
    "system": "windows.system",
    "application": "windows.application",
    "windows powershell": "windows.powershell",
    "microsoft-windows-powershell/operational": "windows.powershell",
    "powershellcore/operational": "windows.powershell",
}
_SYSTEM_TABLES = {"security": SECURITY, "system": SYSTEM}
_AUDIT_FAILURE = 0x10000000000000
_AUDIT_SUCCESS = 0x20000000000000


def to_ecs(windows: WindowsEvent, original: str) -> Event:
    """ECS event of a Windows event; ``original`` is the record as text."""
    dataset = _dataset(windows.channel, windows.provider)
    event: Event = {
        **windows_fields(windows),
        "event.kind": "event",
        "event.dataset": dataset,
        "event.module": "windows" if dataset.startswith("windows.") else "linux",
        "host.os.type": "linux" if dataset == "linux.sysmon" else "windows",
        "event.original": original,
    }
    ecs.put(event, "event.provider", windows.provider)
    ecs.put(event, "host.name", windows.computer)
    if windows.record_id >= 0:
        event["winlog.record_id"] = str(windows.record_id)
    _classify(event, windows, dataset)
    return ecs.relate(event)


def _dataset(channel: str, provider: str) -> str:
    known = _DATASETS.get(channel.lower())
    if known:
        return known
    if "sysmon" in provider.lower():
        return "linux.sysmon" if provider.lower().startswith("linux") else "windows.sysmon"
    return f"windows.{channel.lower()}" if channel else "windows.unknown"


def _classify(event: Event, windows: WindowsEvent, dataset: str) -> None:
    data = windows.data
    if dataset in ("windows.sysmon", "linux.sysmon"):
        row = SYSMON.get(windows.event_id)
        if row is not None:
            category, kind, action, fill = row
            event["event.category"], event["event.type"], event["event.action"] = [category], [kind], action
            fill(event, data)
        return
    table = POWERSHELL if dataset == "windows.powershell" else _SYSTEM_TABLES.get(windows.channel.lower())
    entry = table.get(windows.event_id) if table else None
    if entry is None:
        event["event.outcome"] = _audited(windows.system) or "unknown"
        return
    category, kind, action, outcome, fill = entry
    event["event.category"], event["event.type"], event["event.action"] = [category], [kind], action
    event["event.outcome"] = outcome or _audited(windows.system) or "unknown"
    fill(event, data)


def _audited(system: Any) -> str:
    """Outcome that the audit keywords of the event state ("" if they state none)."""
    keywords = ecs.as_int(system.get("Keywords")) if isinstance(system, dict) else None
    if keywords is None:
        return ""
    if keywords & _AUDIT_FAILURE:
        return "failure"
    return "success" if keywords & _AUDIT_SUCCESS else ""
