"""``/api/v1/incidents/<id>/…``: issued reports, review, improvement actions."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response
from marshmallow import RAISE

from operations.incidents import service
from operations.incidents.schema import Review
from soc_ui.api import incident_report_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.schemas import IfMatchIn
from soc_ui.incidents.files import as_file
from soc_ui.services import services

incident_reports = APIBlueprint("api_incident_reports", __name__, url_prefix="/api/v1/incidents/<int:incident_id>", tag="incidents")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@incident_reports.get("/reports")
@permit(incident_reports, "incidents.read")
@incident_reports.output(schemas.IncidentReportsOut)
@incident_reports.doc(responses=[404])
def list_reports(incident_id: int) -> Body:
    """List the issued reports

    Newest first. A report is for those who see all zones that it tells of.
    """
    with services().database.read() as session:
        shown, hidden = service.list_reports(session, incident_id)
    return {"reports": msgspec.to_builtins(shown), "hidden": hidden}


@incident_reports.post("/reports")
@permit(incident_reports, "incidents.report")
@incident_reports.input(schemas.IncidentReportIn)
@incident_reports.output(schemas.IncidentReportOut, status_code=201)
@incident_reports.doc(responses=[404, 409])
def issue(incident_id: int, json_data: Body) -> Answer:
    """Issue a report

    As DOCX and PDF, kept as they are issued, with number, moment, issuer and SM3.
    """
    return _answer(service.issue(services().database, caller().actor, incident_id, **json_data), 201)


@incident_reports.get("/reports/<int:report_id>/file")
@permit(incident_reports, "incidents.read")
@incident_reports.input(schemas.ReportFileIn, location="query", unknown=RAISE)
@incident_reports.output(FileSchema(type="string", format="binary"), content_type="application/octet-stream")
@incident_reports.doc(responses=[404, 409])
def read_file(incident_id: int, report_id: int, query_data: Body) -> Response:
    """Download a report

    The download is audited.
    """
    with services().database.write() as session:
        record, octets = service.read_file(session, caller().actor, incident_id, report_id, query_data["format"])
    return as_file(record.number, query_data["format"], octets)


@incident_reports.post("/reports/<int:report_id>/submission")
@permit(incident_reports, "incidents.report")
@incident_reports.input(IfMatchIn, location="headers")
@incident_reports.input(schemas.SubmissionIn)
@incident_reports.output(schemas.IncidentReportOut)
@incident_reports.doc(responses=[404, 409, 412, 428])
def submit(incident_id: int, report_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Write down that a report reached the authority

    That stops the clock of the initial or the closing report.
    """
    version, to = expected_version(headers_data["if_match"]), json_data.pop("to")
    with services().database.write() as session:
        return _answer(service.submit(session, caller().actor, incident_id, report_id, to, **json_data, expected_version=version))


@incident_reports.get("/review")
@permit(incident_reports, "incidents.read")
@incident_reports.output(schemas.ReviewOut)
@incident_reports.doc(responses=[404])
def get_review(incident_id: int) -> Answer:
    """Read the review"""
    with services().database.read() as session:
        return _answer(service.get_review(session, incident_id))


@incident_reports.put("/review")
@permit(incident_reports, "incidents.write")
@incident_reports.input(IfMatchIn, location="headers")
@incident_reports.input(schemas.ReviewIn)
@incident_reports.output(schemas.ReviewOut)
@incident_reports.doc(responses=[404, 409, 412, 428])
def write_review(incident_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Write the review

    The ETag of one that nobody has written is "0".
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        review = Review(**json_data)
        return _answer(service.write_review(session, caller().actor, incident_id, review, expected_version=version))


@incident_reports.get("/actions")
@permit(incident_reports, "incidents.read")
@incident_reports.output(schemas.ActionsOut)
@incident_reports.doc(responses=[404])
def list_actions(incident_id: int) -> Body:
    """List the improvement actions"""
    with services().database.read() as session:
        return {"actions": msgspec.to_builtins(service.list_actions(session, incident_id))}


@incident_reports.post("/actions")
@permit(incident_reports, "incidents.write")
@incident_reports.input(schemas.ActionIn)
@incident_reports.output(schemas.ActionOut, status_code=201)
@incident_reports.doc(responses=[404, 409])
def add_action(incident_id: int, json_data: Body) -> Answer:
    """Add an improvement action"""
    title = json_data.pop("title")
    with services().database.write() as session:
        return _answer(service.add_action(session, caller().actor, incident_id, title, **json_data), 201)


@incident_reports.patch("/actions/<int:action_id>")
@permit(incident_reports, "incidents.write")
@incident_reports.input(IfMatchIn, location="headers")
@incident_reports.input(schemas.ActionChangeIn)
@incident_reports.output(schemas.ActionOut)
@incident_reports.doc(responses=[404, 409, 412, 428])
def change_action(incident_id: int, action_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Say how an improvement action stands"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(
            service.change_action(session, caller().actor, incident_id, action_id, json_data["status"], expected_version=version)
        )


def _answer(record: Any, status: int = 200) -> Answer:
    return msgspec.to_builtins(record), status, {"ETag": f'"{record.version}"'}
