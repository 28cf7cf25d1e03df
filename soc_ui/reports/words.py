"""What kinds, origins and files of reports are called in the language of the page."""

from __future__ import annotations

from flask import Flask

from soc_ui.locale import _


def report_kind(kind: str) -> str:
    """Kind of a report (operations.reports.periods.KINDS)."""
    names = {"daily": _("Daily report"), "weekly": _("Weekly report"), "monthly": _("Monthly report")}
    return names.get(kind, kind)


def report_origin(origin: str) -> str:
    """How it came to be made."""
    return {"demand": _("on demand"), "schedule": _("by schedule")}.get(origin, origin)


def report_for(organisation: str) -> str:
    """Whom it is about."""
    return organisation or _("The city")


def install(app: Flask) -> None:
    """Gives templates the names above."""
    app.jinja_env.globals.update(report_kind=report_kind, report_origin=report_origin, report_for=report_for)
