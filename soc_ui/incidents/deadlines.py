"""The deadlines in force and how quick the response was (``/incidents/deadlines``)."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from operations.errors import Invalid, Stale
from operations.incidents import service
from soc_ui import access, times
from soc_ui.incidents import words
from soc_ui.incidents.refusals import explain
from soc_ui.numbers import row_id
from soc_ui.services import services
from soc_ui.zones.problems import Problem

incident_deadlines = Blueprint("incident_deadlines", __name__)


@incident_deadlines.get("/incidents/deadlines")
@access.needs("incidents.read")
def page() -> str:
    """Every number with where it comes from, and the times reached in the chosen period."""
    return _page()


@incident_deadlines.post("/incidents/deadlines")
@access.needs("incidents.decide")
def save() -> Response | tuple[str, int]:
    """Set or confirm one number."""
    form = request.form
    try:
        with services().database.write() as session:
            service.set_deadline(
                session,
                access.me().actor,
                form.get("key", ""),
                form.get("minutes", 0, row_id),
                confirmed=form.get("confirmed") == "1",
                expected_version=form.get("version", -1, int),
            )
    except Stale:
        return redirect(url_for("incident_deadlines.page", done="incident_conflict"))
    except Invalid as error:
        return _page(explain(error)), 422
    return redirect(url_for("incident_deadlines.page", done="deadline"))


def _page(wrong: list[Problem] | None = None) -> str:
    window = times.window(request.args, default="30d")
    with services().database.read() as session:
        table = service.deadline_table(session)
        measured = service.metrics(session, window.start, window.end)
    editing = access.me().may("incidents.decide") and services().reach is None
    return render_template(
        "incidents/deadlines.html", table=table, measured=measured, window=window, presets=times.PRESETS, editing=editing,
        wrong=wrong or [], w=words,
    )  # fmt: skip
