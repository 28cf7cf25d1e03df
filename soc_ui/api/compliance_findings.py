"""``/api/v1/compliance/findings`` and ``…/waivers``: what is to be mended, by whom, until when, and what is lived with."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from compliance.remediation import listing, service, waivers
from compliance.remediation.progress import progress
from compliance.remediation.schema import Assignment, FindingFilter, RemediationFinding, Waiver, WaiverDraft
from soc_ui.api import compliance_finding_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit, permit_any
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

compliance_findings = APIBlueprint("api_compliance_findings", __name__, url_prefix="/api/v1/compliance", tag="compliance")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@compliance_findings.get("/findings")
@permit(compliance_findings, "compliance.read")
@compliance_findings.input(schemas.FindingListIn, location="query", unknown=RAISE)
@compliance_findings.output(schemas.FindingPageOut)
@compliance_findings.doc(responses=[404])
def list_findings(query_data: Body) -> Body:
    """List findings

    Of every system that the caller may see, newest first, or what is due first.
    """
    limit, cursor, sort = (query_data.pop(name) for name in ("limit", "cursor", "sort"))
    where = FindingFilter(system_id=query_data.pop("system"), **query_data)
    with services().database.read() as session:
        page = listing.list_all(session, where, sort=sort, limit=limit, cursor=cursor)
    return {"findings": msgspec.to_builtins(page.findings), "next_cursor": page.cursor}


@compliance_findings.get("/findings/<int:finding_id>")
@permit(compliance_findings, "compliance.read")
@compliance_findings.output(schemas.FindingDetailOut)
@compliance_findings.doc(responses=[404])
def get_finding(finding_id: int) -> Answer:
    """Read one finding

    With its waivers and what happened. The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        found = service.get_finding(session, finding_id)
        told = {"finding": found, "waivers": waivers.of_finding(session, finding_id), "history": listing.story(session, found)}
    return msgspec.to_builtins(told), 200, _etag(found.version)


@compliance_findings.post("/findings/<int:finding_id>/assignment")
@permit(compliance_findings, "compliance.write")
@compliance_findings.input(IfMatchIn, location="headers")
@compliance_findings.input(schemas.AssignmentIn)
@compliance_findings.output(schemas.FindingOut)
@compliance_findings.doc(responses=[404, 409, 412, 428])
def assign(finding_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Give a finding to somebody, by a ticket

    A ticket that is not done stands, and nothing is changed.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        done = service.assign(session, caller(), finding_id, Assignment(**json_data), expected_version=version)
    return _finding(done)


@compliance_findings.put("/findings/<int:finding_id>/due")
@permit(compliance_findings, "compliance.write")
@compliance_findings.input(IfMatchIn, location="headers")
@compliance_findings.input(schemas.DueIn)
@compliance_findings.output(schemas.FindingOut)
@compliance_findings.doc(responses=[404, 409, 412, 428])
def set_due(finding_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Set the day of a finding and its ticket"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        done = service.set_due(
            session, caller(), finding_id, json_data["due_at"], json_data["note"], expected_version=version
        )  # fmt: skip
    return _finding(done)


@compliance_findings.post("/findings/<int:finding_id>/retest")
@permit_any(compliance_findings, "compliance.write", "compliance.answer")
@compliance_findings.input(IfMatchIn, location="headers")
@compliance_findings.input(schemas.RetestIn)
@compliance_findings.output(schemas.FindingOut)
@compliance_findings.doc(responses=[404, 409, 412, 428])
def ask_retest(finding_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Ask for a re-test

    The next verdict decides.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        done = service.ask_retest(session, caller(), finding_id, json_data["note"], expected_version=version)
    return _finding(done)


@compliance_findings.post("/findings/<int:finding_id>/waivers")
@permit_any(compliance_findings, "compliance.write", "compliance.answer")
@compliance_findings.input(schemas.WaiverIn)
@compliance_findings.output(schemas.WaiverOut, status_code=201)
@compliance_findings.doc(responses=[404, 409])
def ask_waiver(finding_id: int, json_data: Body) -> Answer:
    """Ask for a waiver of a finding"""
    with services().database.write() as session:
        made = waivers.ask(session, caller(), finding_id, WaiverDraft(**json_data))
    return _waiver(made, 201)


@compliance_findings.get("/waivers")
@permit(compliance_findings, "compliance.read")
@compliance_findings.input(schemas.WaiverListIn, location="query", unknown=RAISE)
@compliance_findings.output(schemas.WaiverPageOut)
@compliance_findings.doc(responses=[404])
def list_waivers(query_data: Body) -> Body:
    """List waivers, newest first"""
    with services().database.read() as session:
        page = waivers.list_waivers(
            session, query_data["system"], query_data["state"], limit=query_data["limit"], cursor=query_data["cursor"]
        )
    return {"waivers": msgspec.to_builtins(page.waivers), "next_cursor": page.cursor}


@compliance_findings.get("/waivers/<int:waiver_id>")
@permit(compliance_findings, "compliance.read")
@compliance_findings.output(schemas.WaiverOut)
@compliance_findings.doc(responses=[404])
def get_waiver(waiver_id: int) -> Answer:
    """Read one waiver"""
    with services().database.read() as session:
        return _waiver(waivers.get_waiver(session, waiver_id))


@compliance_findings.post("/waivers/<int:waiver_id>/decision")
@permit(compliance_findings, "compliance.decide")
@compliance_findings.input(IfMatchIn, location="headers")
@compliance_findings.input(schemas.WaiverDecisionIn)
@compliance_findings.output(schemas.WaiverOut)
@compliance_findings.doc(responses=[403, 404, 409, 412, 428])
def decide_waiver(waiver_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Approve or refuse a waiver, as another person than who asked"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _waiver(waivers.decide(session, caller(), waiver_id, **json_data, expected_version=version))


@compliance_findings.post("/waivers/<int:waiver_id>/end")
@permit_any(compliance_findings, "compliance.write", "compliance.decide")
@compliance_findings.input(IfMatchIn, location="headers")
@compliance_findings.input(schemas.WaiverEndIn)
@compliance_findings.output(schemas.WaiverOut)
@compliance_findings.doc(responses=[404, 409, 412, 428])
def end_waiver(waiver_id: int, headers_data: Body, json_data: Body) -> Answer:
    """End a waiver before its time"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _waiver(waivers.end(session, caller(), waiver_id, json_data["note"], expected_version=version))


@compliance_findings.get("/systems/<int:system_id>/progress")
@permit(compliance_findings, "compliance.read")
@compliance_findings.input(schemas.ProgressIn, location="query", unknown=RAISE)
@compliance_findings.output(schemas.ProgressOut)
@compliance_findings.doc(responses=[404])
def get_progress(system_id: int, query_data: Body) -> Body:
    """How mending goes on in a system, by month, and what falls due"""
    with services().database.read() as session:
        return msgspec.to_builtins(progress(session, system_id, query_data["months"]))  # type: ignore[no-any-return]


def _finding(found: RemediationFinding) -> Answer:
    return msgspec.to_builtins(found), 200, _etag(found.version)


def _waiver(found: Waiver, status: int = 200) -> Answer:
    return msgspec.to_builtins(found), status, _etag(found.version)


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}
