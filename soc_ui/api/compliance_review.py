"""``/api/v1/compliance/requests`` and beside it: the auditor's comments and requests for evidence; hand-out links."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import url_for
from marshmallow import RAISE

from compliance.reports.exporting import Means
from compliance.review import handouts, service
from compliance.review.schema import About, HandoutDraft, RequestDetail, RequestFilter
from soc_ui.api import compliance_review_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.compliance_schemas import ReasonIn
from soc_ui.api.guard import caller, permit, permit_any
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

compliance_review = APIBlueprint("api_compliance_review", __name__, url_prefix="/api/v1/compliance", tag="compliance")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]
SYSTEM, ONE = "/systems/<int:system_id>", "/requests/<int:request_id>"


@compliance_review.get(f"{SYSTEM}/comments")
@permit(compliance_review, "compliance.read")
@compliance_review.input(schemas.CommentsIn, location="query", unknown=RAISE)
@compliance_review.output(schemas.CommentsOut)
@compliance_review.doc(responses=[404])
def list_comments(system_id: int, query_data: Body) -> Body:
    """List the comments on an item of a system, newest first"""
    with services().database.read() as session:
        return {"comments": msgspec.to_builtins(service.comments(session, About(system_id, query_data["item"])))}


@compliance_review.post(f"{SYSTEM}/comments")
@permit_any(compliance_review, "compliance.review", "compliance.answer")
@compliance_review.input(schemas.CommentIn)
@compliance_review.output(schemas.ReviewEntryOut, status_code=201)
@compliance_review.doc(responses=[404])
def comment(system_id: int, json_data: Body) -> tuple[Body, int]:
    """Comment on an item or object of a system"""
    words = json_data.pop("text")
    with services().database.write() as session:
        return msgspec.to_builtins(service.comment(session, caller(), About(system_id, **json_data), words)), 201


@compliance_review.get("/requests")
@permit(compliance_review, "compliance.read")
@compliance_review.input(schemas.RequestListIn, location="query", unknown=RAISE)
@compliance_review.output(schemas.EvidenceRequestPageOut)
@compliance_review.doc(responses=[404])
def list_requests(query_data: Body) -> Body:
    """List requests for evidence, newest first"""
    where = RequestFilter(query_data["state"], query_data["system"], query_data["item"])
    with services().database.read() as session:
        page = service.list_requests(session, where, limit=query_data["limit"], cursor=query_data["cursor"])
    return {"requests": msgspec.to_builtins(page.requests), "next_cursor": page.cursor}


@compliance_review.post(f"{SYSTEM}/requests")
@permit(compliance_review, "compliance.review")
@compliance_review.input(schemas.RequestIn)
@compliance_review.output(schemas.EvidenceRequestOut, status_code=201)
@compliance_review.doc(responses=[404])
def ask(system_id: int, json_data: Body) -> Answer:
    """Ask for evidence; the organisation of the system is told by a ticket"""
    words, due = json_data.pop("text"), json_data.pop("due_on")
    with services().database.write() as session:
        made = service.ask(session, caller(), About(system_id, **json_data), words, due)
    return msgspec.to_builtins(made), 201, _etag(made.version)


@compliance_review.get(ONE)
@permit(compliance_review, "compliance.read")
@compliance_review.output(schemas.EvidenceRequestDetailOut)
@compliance_review.doc(responses=[404])
def get_request(request_id: int) -> Answer:
    """Read one request with its answers"""
    with services().database.read() as session:
        return _detail(service.get_request(session, request_id))


@compliance_review.post(f"{ONE}/answers")
@permit(compliance_review, "compliance.answer")
@compliance_review.input(IfMatchIn, location="headers")
@compliance_review.input(schemas.AnswerIn)
@compliance_review.output(schemas.EvidenceRequestDetailOut)
@compliance_review.doc(responses=[404, 409, 412, 428])
def answer(request_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Answer a request with words, evidence, or both"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _detail(
            service.answer(session, caller(), request_id, json_data["text"], json_data["evidence"], expected_version=version)
        )


@compliance_review.post(f"{ONE}/closing")
@permit(compliance_review, "compliance.review")
@compliance_review.input(IfMatchIn, location="headers")
@compliance_review.input(schemas.ClosingIn)
@compliance_review.output(schemas.EvidenceRequestDetailOut)
@compliance_review.doc(responses=[404, 409, 412, 428])
def finish(request_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Close a request, or send its answer back"""
    version, act = expected_version(headers_data["if_match"]), service.send_back if json_data["send_back"] else service.close
    with services().database.write() as session:
        return _detail(act(session, caller(), request_id, json_data["text"], expected_version=version))


@compliance_review.get(f"{SYSTEM}/handouts")
@permit(compliance_review, "compliance.read")
@compliance_review.output(schemas.HandoutsOut)
@compliance_review.doc(responses=[404])
def list_handouts(system_id: int) -> Body:
    """List hand-out links, newest first; their tokens are kept nowhere"""
    with services().database.read() as session:
        return {"handouts": msgspec.to_builtins(handouts.list_handouts(session, system_id))}


@compliance_review.post(f"{SYSTEM}/handouts")
@permit(compliance_review, "compliance.share")
@compliance_review.input(schemas.HandoutIn)
@compliance_review.output(schemas.HandoutMadeOut, status_code=201)
@compliance_review.doc(responses=[403, 404, 409])
def make_handout(system_id: int, json_data: Body) -> tuple[Body, int]:
    """Make a hand-out link, in person"""
    found = services()
    means = Means(found.master_key, found.settings.site_name or "Liandun")
    made, token = handouts.make(found.database, means, caller(), system_id, HandoutDraft(**json_data))
    return {"handout": msgspec.to_builtins(made), "path": url_for("handout.look", token=token)}, 201


@compliance_review.post(f"{SYSTEM}/handouts/<int:handout_id>/revocation")
@permit(compliance_review, "compliance.share")
@compliance_review.input(IfMatchIn, location="headers")
@compliance_review.input(ReasonIn)
@compliance_review.output(schemas.HandoutOut)
@compliance_review.doc(responses=[404, 409, 412, 428])
def revoke_handout(system_id: int, handout_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Revoke a hand-out link"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        done = handouts.revoke(session, caller(), system_id, handout_id, json_data["reason"], expected_version=version)
    return msgspec.to_builtins(done), 200, _etag(done.version)


def _detail(found: RequestDetail) -> Answer:
    return msgspec.to_builtins(found), 200, _etag(found.request.version)


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}
