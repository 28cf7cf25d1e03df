"""Routing in the language of the page: kinds of event, rules as sentences, and what is wrong with a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from operations.errors import Invalid
from operations.webhooks.channels.wording import TYPES
from operations.webhooks.routing import EVERY_DAY, MAX_DIGEST, MAX_RULES, MAX_VALUES
from soc_ui import preferences
from soc_ui.badges import level_name
from soc_ui.locale import _

FAMILIES: dict[str, list[str]] = {}
"""Family → its event types; tests and signed heads, which no rule decides on, are left out."""
for _type in TYPES:
    if _type.partition(".")[0] not in ("webhook", "audit"):
        FAMILIES.setdefault(_type.partition(".")[0], []).append(_type)


def type_name(event_type: str) -> str:
    """What an event type, or a family such as ``incident.*``, is called; itself where it is not known."""
    family, _dot, rest = event_type.partition(".")
    if rest == "*":
        return _families().get(family, event_type)
    return TYPES.get(event_type, (event_type,) * 2)[0 if preferences.current().lang == "zh" else 1]


def _families() -> dict[str, str]:
    return {
        "alert": _("Everything of alerts"), "suppression": _("Everything of suppressions"),
        "incident": _("Everything of incidents"), "report": _("Everything of reports"),
        "warning": _("Everything of early warnings"), "ticket": _("Everything of tickets"),
        "service": _("Everything of services"), "duty": _("Everything of duty"), "playbook": _("Everything of playbooks"),
    }  # fmt: skip


def day_name(day: int) -> str:
    """1 is Monday."""
    return [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")][day - 1]


def hours_text(hours: Mapping[str, Any]) -> str:
    """``Mon, Tue 09:00–18:00``."""
    days = "" if len(hours["days"]) == len(EVERY_DAY) else ", ".join(day_name(day) for day in hours["days"])
    times = _("all day") if hours["start"] == hours["end"] else f"{hours['start']}–{hours['end']}"
    return f"{days} {times}".strip()


def rule_text(rule: Mapping[str, Any], zone_name: Callable[[str], str]) -> str:
    """What a rule asks for, as one line."""
    parts = []
    if rule.get("types"):
        parts.append(", ".join(type_name(one) for one in rule["types"]))
    if rule.get("min_level"):
        parts.append(_("from level %(level)s", level=level_name(rule["min_level"])))
    if rule.get("zones"):
        parts.append(", ".join(zone_name(one) for one in rule["zones"]))
    if rule.get("organisations"):
        parts.append(", ".join(rule["organisations"]))
    if rule.get("hours"):
        parts.append(hours_text(rule["hours"]))
    return "; ".join(parts) or _("Everything")


def kept_back_text(routing: Mapping[str, Any]) -> list[str]:
    """Quiet hours and digest, a line each."""
    lines = []
    for name, told in (("quiet", _("Quiet hours")), ("digest", _("Digest"))):
        part = routing.get(name)
        if part:
            when = hours_text(part) if name == "quiet" else _("every %(n)s minutes", n=part["minutes"])
            through = _("from level %(level)s at once", level=level_name(part["through"])) if part["through"] else ""
            lines.append(f"{told}: {when}" + (f"; {through}" if through else ""))
    return lines


def verdict_text(verdict: str) -> str:
    """What would have become of a notification (rehearsal.Rehearsed)."""
    return {
        "now": _("goes at once"), "later": _("goes later"), "level": _("below the level"), "rules": _("no rule lets it through"),
    }[verdict]  # fmt: skip


def wrong(error: Invalid) -> tuple[str, str]:
    """The field of the form that is wrong (``r0.hours``, ``quiet``; "" = the whole form), and why."""
    path = (error.field or "").removeprefix("routing").strip(".")
    place = path.replace("rules.", "r", 1) if path.startswith("rules.") else path
    last = path.rpartition(".")[2]
    reasons = {
        "types": _("Choose kinds of event from the list."),
        "zones": _("At most %(n)s entries of 200 characters.", n=MAX_VALUES),
        "organisations": _("At most %(n)s entries of 200 characters.", n=MAX_VALUES),
        "hours": _("Write both times as HH:MM; they must not be the same."),
        "days": _("Choose days from the list."),
        "quiet": _("Write both times as HH:MM; they must not be the same, and there has to be an hour that is not quiet."),
        "digest": _("A whole number of minutes from 1 to %(n)s.", n=MAX_DIGEST),
        "min_level": _("Choose a level from the list."),
        "through": _("Choose a level from the list."),
        "rules": _("At most %(n)s rules.", n=MAX_RULES),
    }
    return place, reasons.get(last, f"{_('A value breaks a rule.')} {error.message}")
