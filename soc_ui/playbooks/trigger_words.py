"""What kinds, conditions and counts of triggers are called in the language of the page."""

from __future__ import annotations

from typing import Any

from playbooks.triggers.schema import Definition, Trigger
from soc_ui.badges import level_name
from soc_ui.incidents import words as incidents
from soc_ui.locale import _
from soc_ui.warnings import words as warnings


def kind_name(kind: str) -> str:
    """What a trigger waits for."""
    names = {
        "alert": _("New alert"),
        "incident": _("Incident"),
        "warning": _("Early warning"),
        "schedule": _("Schedule"),
        "webhook": _("Inbound webhook"),
    }
    return names.get(kind, kind)


def field_name(field: str) -> str:
    """A condition."""
    names = {
        "rules": _("Rules (ids, one a line)"),
        "level": _("At least level"),
        "zones": _("Zones"),
        "datasets": _("Data sets (one a line)"),
        "entities": _("About (kind:pattern, one a line)"),
        "per": _("At a time for each"),
        "phases": _("Enters the phase"),
        "classes": _("Classes (beginnings of codes, one a line)"),
        "drills": _("Also drills"),
        "levels": _("Colours"),
        "every_minutes": _("Every … minutes"),
        "at": _("At (HH:MM, Beijing time)"),
        "days": _("On these days (none = daily)"),
        "source": _("Source"),
    }
    return names.get(field, field)


def day_name(day: str) -> str:
    """Of the week."""
    names = {"mon": _("Mon"), "tue": _("Tue"), "wed": _("Wed"), "thu": _("Thu"), "fri": _("Fri"), "sat": _("Sat"), "sun": _("Sun")}
    return names.get(day, day)


def per_name(per: str) -> str:
    """What throttling of alerts counts by."""
    names = {
        "": _("host, source address or user"),
        "host": _("host"),
        "user": _("user"),
        "source_ip": _("source address"),
        "destination_ip": _("destination address"),
        "rule": _("rule"),
        "alert": _("alert"),
    }
    return names.get(per, per)


def ticked(field: str) -> dict[str, str]:
    """What can be ticked for a condition, with its name."""
    if field == "phases":
        return incidents.phases()
    return {level: warnings.level_name(level) for level in ("blue", "yellow", "orange", "red")}


def condition_text(given: Definition) -> str:
    """A condition in one line."""
    told = given.condition
    if given.kind == "schedule":
        if told.get("every_minutes"):
            return _("every %(n)s minutes", n=told["every_minutes"])
        days = "/".join(day_name(day) for day in told.get("days", [])) or _("daily")
        return f"{days} {told.get('at', '')}"
    parts = []
    for field, value in told.items():
        if value and field != "per":
            parts.append(f"{field_name(field).partition('(')[0].partition('（')[0].strip()}: {_value(field, value)}")
    return "; ".join(parts)


def count_names(trigger: Trigger) -> list[tuple[str, int]]:
    """What became of what it waited for."""
    return [
        (_("Runs started"), trigger.started),
        (_("Held back: ran for it lately"), trigger.throttled),
        (_("Held back: beyond the limit of an hour"), trigger.limited),
        (_("Held back: a run had made it"), trigger.looped),
        (_("Could not be started"), trigger.failed),
    ]


def _value(field: str, value: Any) -> str:
    if field in ("phases", "levels"):
        names = ticked(field)
        return ", ".join(names.get(one, one) for one in value)
    if field == "level" and isinstance(value, str):
        return level_name(value)
    if field == "entities":
        return ", ".join(f"{one.get('kind')}:{one.get('pattern')}" for one in value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
