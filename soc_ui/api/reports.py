"""``/api/v1/reports``: operations reports, their files, the check of their signature, schedules."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from apiflask.schemas import FileSchema
from flask import Response
from marshmallow import RAISE

from operations.reports import listing, schedule, signing
from operations.reports.making import figures_of, make
from operations.reports.schema import ReportFilter
from soc_ui.api import report_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.preconditions import require
from soc_ui.api.schemas import IfMatchIn
from soc_ui.download import as_attachment
from soc_ui.reports.making import means
from soc_ui.service_desk.supervision import KINDS as TYPES
from soc_ui.services import services

reports = APIBlueprint("api_reports", __name__, url_prefix="/api/v1/reports", tag="reports")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@reports.get("")
@permit(reports, "reports.read")
@reports.input(schemas.OperationsReportListIn, location="query", unknown=RAISE)
@reports.output(schemas.OperationsReportPageOut)
def list_reports(query_data: Body) -> Body:
    """List the reports

    Newest first. A scope sees those of its own organisations.
    """
    limit, cursor = query_data.pop("limit"), query_data.pop("cursor")
    with services().database.read() as session:
        page = listing.list_reports(session, ReportFilter(**query_data), limit=limit, cursor=cursor)
    return {"reports": msgspec.to_builtins(page.reports), "next_cursor": page.cursor, "hidden": page.hidden}


@reports.post("")
@permit(reports, "reports.make")
@reports.input(schemas.OperationsReportIn)
@reports.output(schemas.OperationsReportOut, status_code=201)
@reports.doc(responses=[409])
def issue(json_data: Body) -> tuple[Body, int]:
    """Make a report

    Of the period that the day lies in, as PDF, DOCX and XLSX, signed, kept as it is issued. Takes some seconds.
    """
    kind, day = json_data.pop("kind"), json_data.pop("day")
    return msgspec.to_builtins(make(services().database, means(), caller().actor, kind, day, **json_data)), 201


@reports.get("/<int:report_id>")
@permit(reports, "reports.read")
@reports.output(schemas.OperationsReportDetailOut)
@reports.doc(responses=[404])
def get_report(report_id: int) -> Body:
    """Read one report

    The figures as issued, the signed manifest, and whether everything is still what was signed.
    """
    with services().database.read() as session:
        row = listing.find(session, report_id)
        return {
            "report": msgspec.to_builtins(listing.record_of(row)),
            "figures": msgspec.to_builtins(figures_of(row)),
            "manifest": row.manifest,
            "signature": row.signature,
            "certificate": row.certificate,
            "verdict": msgspec.to_builtins(signing.verify(session, row)),
        }


@reports.get("/<int:report_id>/file")
@permit(reports, "reports.read")
@reports.input(schemas.OperationsReportFileIn, location="query", unknown=RAISE)
@reports.output(FileSchema(type="string", format="binary"), content_type="application/octet-stream")
@reports.doc(responses=[404, 409])
def read_file(report_id: int, query_data: Body) -> Response:
    """Download a report

    The download is audited.
    """
    name = query_data["format"]
    with services().database.write() as session:
        record, octets = listing.read_file(session, caller().actor, report_id, name)
    return as_attachment(octets, f"{record.name}.{name}", TYPES[name])  # type: ignore[return-value]


@reports.get("/schedules")
@permit(reports, "reports.read")
@reports.output(schemas.ReportSchedulesOut)
def list_schedules() -> Body:
    """List the schedules"""
    with services().database.read() as session:
        return {"schedules": msgspec.to_builtins(schedule.list_schedules(session))}


@reports.get("/schedules/<kind>")
@permit(reports, "reports.read")
@reports.output(schemas.ReportScheduleOut)
@reports.doc(responses=[404])
def get_schedule(kind: str) -> Answer:
    """Read a schedule"""
    with services().database.read() as session:
        return _answer(schedule.get_schedule(session, kind))


@reports.put("/schedules/<kind>")
@permit(reports, "reports.schedule")
@reports.input(IfMatchIn, location="headers")
@reports.input(schemas.ReportScheduleIn)
@reports.output(schemas.ReportScheduleOut)
@reports.doc(responses=[404, 412, 428])
def put_schedule(kind: str, headers_data: Body, json_data: Body) -> Answer:
    """Change a schedule"""
    with services().database.write() as session:
        require(headers_data["if_match"], schedule.get_schedule(session, kind).version)
        version = expected_version(headers_data["if_match"])
        return _answer(schedule.set_schedule(session, caller().actor, kind, **json_data, expected_version=version))


def _answer(record: Any) -> Answer:
    return msgspec.to_builtins(record), 200, {"ETag": f'"{record.version}"'}
