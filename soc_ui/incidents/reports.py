"""Forms of the tab of reports and review, and the downloads."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from operations.errors import Conflict, Invalid
from operations.incidents import service
from operations.incidents.review import FIELDS
from operations.incidents.schema import Review
from soc_ui import access, times
from soc_ui.incidents.acts import version
from soc_ui.incidents.files import as_file
from soc_ui.incidents.one import act, show
from soc_ui.incidents.refusals import explain
from soc_ui.preferences import current
from soc_ui.services import services

incident_reports = Blueprint("incident_reports", __name__, url_prefix="/incidents/<int:incident_id>")
Answer = Response | tuple[str, int]


@incident_reports.post("/reports")
@access.needs("incidents.report")
def issue(incident_id: int) -> Answer:
    """Issue a report in the language that the form names."""
    form, me = request.form, access.me()
    try:
        service.issue(services().database, me.actor, incident_id, form.get("kind", ""), form.get("language") or current().lang)
    except (Invalid, Conflict) as error:
        return show(incident_id, "reports", explain(error)), 422
    return act(incident_id, "reports", lambda _session: None)


@incident_reports.get("/reports/<int:report_id>.<name>")
@access.needs("incidents.read")
def download(incident_id: int, report_id: int, name: str) -> Answer:
    """The file as it was issued; written into the audit trail."""
    try:
        with services().database.write() as session:
            record, octets = service.read_file(session, access.me().actor, incident_id, report_id, name)
    except Conflict as error:
        return show(incident_id, "reports", explain(error)), 409
    return as_file(record.number, name, octets)


@incident_reports.post("/reports/<int:report_id>")
@access.needs("incidents.report")
def submit(incident_id: int, report_id: int) -> Answer:
    """It reached the authority."""
    form = request.form
    return act(
        incident_id,
        "reports",
        lambda session: service.submit(
            session,
            access.me().actor,
            incident_id,
            report_id,
            form.get("to", ""),
            receipt=form.get("receipt", ""),
            at=times.typed(form.get("at", "")),
            expected_version=version(),
        ),
    )


@incident_reports.post("/review")
@access.needs("incidents.write")
def review(incident_id: int) -> Answer:
    """The texts of the review."""
    wanted = Review(**{name: request.form.get(name, "") for name in FIELDS})
    return act(
        incident_id,
        "reports",
        lambda session: service.write_review(session, access.me().actor, incident_id, wanted, expected_version=version()),
    )


@incident_reports.post("/actions")
@access.needs("incidents.write")
def add_action(incident_id: int) -> Answer:
    """An action that follows from the review."""
    form = request.form
    return act(
        incident_id,
        "reports",
        lambda session: service.add_action(
            session,
            access.me().actor,
            incident_id,
            form.get("title", ""),
            owner=form.get("owner", ""),
            due_at=times.typed(form.get("due_at", "")),
        ),
    )


@incident_reports.post("/actions/<int:action_id>")
@access.needs("incidents.write")
def change_action(incident_id: int, action_id: int) -> Answer:
    """Done, dropped or open again."""
    status = request.form.get("status", "")
    return act(
        incident_id,
        "reports",
        lambda session: service.change_action(
            session, access.me().actor, incident_id, action_id, status, expected_version=version()
        ),
    )
