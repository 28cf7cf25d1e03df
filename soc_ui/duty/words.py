"""What shifts, lines of the log and open matters are called in the language of the page."""

from __future__ import annotations

from flask import Flask

from operations.duty.shifts import Shift
from soc_ui import preferences
from soc_ui.locale import _


def shift_name(shift: Shift) -> str:
    """The shift by name."""
    return shift.name if preferences.current().lang == "zh" or not shift.name_en else shift.name_en


def log_kind(kind: str) -> str:
    """Kind of a line (operations.duty.log.KINDS)."""
    names = {
        "note": _("Note"),
        "call": _("Call"),
        "check": _("Round"),
        "handover": _("Hand-over"),
        "escalation": _("Escalation"),
    }
    return names.get(kind, kind)


def matter_name(name: str) -> str:
    """What is counted at a hand-over (operations.duty.open_matters.NAMES)."""
    names = {
        "critical": _("Critical"),
        "high": _("High"),
        "medium": _("Medium"),
        "low": _("Low"),
        "informational": _("Info"),
        "tickets": _("Tickets"),
        "applications": _("Applications"),
        "escalations": _("Escalations"),
    }
    return names.get(name, name)


def escalated_name(kind: str) -> str:
    """What was passed on (operations.duty.escalation.KINDS)."""
    names = {
        "alert": _("Alert"),
        "ticket": _("Ticket"),
        "application": _("Application for a service"),
        "warning": _("Early warning"),
        "incident": _("Incident"),
        "other": _("Other matter"),
    }
    return names.get(kind, kind)


def weekday(number: int) -> str:
    """Monday is 0."""
    return (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))[number]


def install(app: Flask) -> None:
    """Gives templates the names above."""
    app.jinja_env.globals.update(
        shift_name=shift_name, log_kind=log_kind, matter_name=matter_name, escalated_name=escalated_name, weekday=weekday
    )
