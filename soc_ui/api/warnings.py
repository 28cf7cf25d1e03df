"""``/api/v1/warnings``: the board, one warning with its receipts, and every step of its life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE
from sqlalchemy.orm import Session

from operations.documents import docx, pdf
from operations.warnings import bulletin, service
from operations.warnings.schema import Adjustment, BoardFilter, Draft, WarningRecord
from soc_ui.api import warning_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

warnings = APIBlueprint("api_warnings", __name__, url_prefix="/api/v1/warnings", tag="warnings")

Body = dict[str, Any]
Tagged = tuple[Body, int, dict[str, str]]
KINDS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@warnings.get("")
@permit(warnings, "warnings.read")
@warnings.input(schemas.WarningListIn, location="query", unknown=RAISE)
@warnings.output(schemas.WarningPageOut)
def list_warnings(query_data: Body) -> Body:
    """List warnings

    Newest first. An organisation sees what was published to it; ``hidden`` counts what went to others only.
    """
    lists = {name: tuple(query_data[name]) for name in ("status", "level", "source")}
    plain = {name: query_data[name] for name in ("organisation", "zone", "text", "overdue", "mine")}
    with services().database.read() as session:
        board = service.board(
            session,
            BoardFilter(**lists, **plain),
            limit=query_data["limit"],
            cursor=query_data["cursor"],
            oldest_first=query_data["order"] == "oldest",
        )
    return {"warnings": msgspec.to_builtins(board.rows), "next_cursor": board.cursor, "hidden": board.hidden}


@warnings.post("")
@permit(warnings, "warnings.draft")
@warnings.input(schemas.NewWarningIn)
@warnings.output(schemas.WarningOut, status_code=201)
@warnings.doc(responses=[404, 422])
def create(json_data: Body) -> Tagged:
    """Draft a warning"""
    alert = json_data.pop("alert")
    with services().database.write() as session:
        made = service.create(session, caller(), _draft(json_data), alert_id=alert)
    return _answer(made, 201)


@warnings.get("/waiting")
@permit(warnings, "warnings.read")
@warnings.output(schemas.WaitingOut)
def waiting() -> Body:
    """Count what waits for the caller

    Warnings to sign, to answer, to approve, to publish.
    """
    with services().database.read() as session:
        return msgspec.to_builtins(service.waiting(session, caller()))  # type: ignore[no-any-return]


@warnings.get("/<int:warning_id>")
@permit(warnings, "warnings.read")
@warnings.output(schemas.WarningDetailOut)
@warnings.doc(responses=[404])
def get_warning(warning_id: int) -> Tagged:
    """Read one warning

    With its receipts and history. The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        detail = service.detail(session, warning_id)
    return msgspec.to_builtins(detail), 200, _etag(detail.warning.version)


@warnings.put("/<int:warning_id>")
@permit(warnings, "warnings.draft")
@warnings.input(IfMatchIn, location="headers")
@warnings.input(schemas.DraftIn)
@warnings.output(schemas.WarningOut)
@warnings.doc(responses=[404, 409, 412, 422, 428])
def edit(warning_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Replace the texts of a draft"""
    wanted = _draft(json_data)
    return _step(
        headers_data, lambda session, version: service.edit(session, caller(), warning_id, wanted, expected_version=version)
    )


@warnings.post("/<int:warning_id>/submit")
@permit(warnings, "warnings.draft")
@warnings.input(IfMatchIn, location="headers")
@warnings.input(schemas.WarningNoteIn)
@warnings.output(schemas.WarningOut)
@warnings.doc(responses=[404, 409, 412, 422, 428])
def submit(warning_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Ask for approval"""
    return _step(headers_data, lambda session, version: service.submit(
        session, caller(), warning_id, expected_version=version, note=json_data["note"]))  # fmt: skip


@warnings.post("/<int:warning_id>/discard")
@permit(warnings, "warnings.draft")
@warnings.input(IfMatchIn, location="headers")
@warnings.input(schemas.WarningReasonIn)
@warnings.output(schemas.WarningOut)
@warnings.doc(responses=[404, 409, 412, 422, 428])
def discard(warning_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Throw a draft away"""
    return _step(headers_data, lambda session, version: service.discard(
        session, caller(), warning_id, expected_version=version, note=json_data["note"]))  # fmt: skip


@warnings.post("/<int:warning_id>/approve")
@permit(warnings, "warnings.approve")
@warnings.input(IfMatchIn, location="headers")
@warnings.input(schemas.WarningNoteIn)
@warnings.output(schemas.WarningOut)
@warnings.doc(responses=[403, 404, 409, 412, 428])
def approve(warning_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Approve

    By a person in a session, never a key; who wrote in it is refused with 403.
    """
    return _step(headers_data, lambda session, version: service.approve(
        session, caller(), warning_id, expected_version=version, note=json_data["note"]))  # fmt: skip


@warnings.post("/<int:warning_id>/return")
@permit(warnings, "warnings.approve")
@warnings.input(IfMatchIn, location="headers")
@warnings.input(schemas.WarningReasonIn)
@warnings.output(schemas.WarningOut)
@warnings.doc(responses=[404, 409, 412, 422, 428])
def send_back(warning_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Send it back to its writers"""
    return _step(headers_data, lambda session, version: service.send_back(
        session, caller(), warning_id, expected_version=version, note=json_data["note"]))  # fmt: skip


@warnings.post("/<int:warning_id>/publish")
@permit(warnings, "warnings.publish")
@warnings.input(IfMatchIn, location="headers")
@warnings.input(schemas.PublishIn)
@warnings.output(schemas.WarningOut)
@warnings.doc(responses=[404, 409, 412, 422, 428])
def publish(warning_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Publish

    It gets its number and goes to the organisations, and to the owners of the zones.
    """
    return _step(headers_data, lambda session, version: service.publish(
        session, caller(), warning_id, expected_version=version, **json_data))  # fmt: skip


@warnings.post("/<int:warning_id>/adjust")
@permit(warnings, "warnings.publish")
@warnings.input(IfMatchIn, location="headers")
@warnings.input(schemas.AdjustIn)
@warnings.output(schemas.WarningOut)
@warnings.doc(responses=[404, 409, 412, 422, 428])
def adjust(warning_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Raise or lower the level

    A new edition for every receiver, to be signed and answered anew.
    """
    wanted = Adjustment(**json_data)
    return _step(headers_data, lambda session, version: service.adjust(
        session, caller(), warning_id, wanted, expected_version=version))  # fmt: skip


@warnings.post("/<int:warning_id>/lift")
@permit(warnings, "warnings.publish")
@warnings.input(IfMatchIn, location="headers")
@warnings.input(schemas.WarningReasonIn)
@warnings.output(schemas.WarningOut)
@warnings.doc(responses=[404, 409, 412, 422, 428])
def lift(warning_id: int, headers_data: Body, json_data: Body) -> Tagged:
    """Lift"""
    return _step(headers_data, lambda session, version: service.lift(
        session, caller(), warning_id, expected_version=version, note=json_data["note"]))  # fmt: skip


@warnings.post("/<int:warning_id>/receive")
@permit(warnings, "warnings.receive")
@warnings.input(schemas.ReceiveIn)
@warnings.output(schemas.WarningDetailOut)
@warnings.doc(responses=[404, 409])
def receive(warning_id: int, json_data: Body) -> Tagged:
    """Sign for an organisation

    One's own. ``edition`` is what was read: 409 where it was adjusted meanwhile, or somebody has signed already.
    """
    with services().database.write() as session:
        service.receive(session, caller(), warning_id, **json_data)
        detail = service.detail(session, warning_id)
    return msgspec.to_builtins(detail), 200, _etag(detail.warning.version)


@warnings.post("/<int:warning_id>/feedback")
@permit(warnings, "warnings.receive")
@warnings.input(schemas.FeedbackIn)
@warnings.output(schemas.WarningDetailOut)
@warnings.doc(responses=[404, 409])
def feedback(warning_id: int, json_data: Body) -> Tagged:
    """Say what an organisation did"""
    with services().database.write() as session:
        service.answer(session, caller(), warning_id, **json_data)
        detail = service.detail(session, warning_id)
    return msgspec.to_builtins(detail), 200, _etag(detail.warning.version)


@warnings.get("/<int:warning_id>/bulletin")
@permit(warnings, "warnings.read")
@warnings.input(schemas.BulletinIn, location="query", unknown=RAISE)
@warnings.doc(responses={200: "The file", 404: "There is no such warning"})
def get_bulletin(warning_id: int, query_data: Body) -> Response:
    """Read the bulletin as PDF or DOCX"""
    kind = query_data["format"]
    with services().database.read() as session:
        name, made = bulletin.read(session, warning_id, issuer=services().settings.site_name, language=query_data["language"])
    response = Response(pdf(made) if kind == "pdf" else docx(made), mimetype=KINDS[kind])
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.{kind}")
    return response


def _step(headers: Body, take: Callable[[Session, int | None], WarningRecord]) -> Tagged:
    """One act under the If-Match of the request: 412 where somebody else was quicker, 409 where the state does not allow it."""
    version = expected_version(headers["if_match"])
    with services().database.write() as session:
        made = take(session, version)
    return _answer(made, 200)


def _draft(body: Body) -> Draft:
    return Draft(**{name: tuple(value) if isinstance(value, list) else value for name, value in body.items()})


def _answer(record: WarningRecord, status: int) -> Tagged:
    return msgspec.to_builtins(record), status, _etag(record.version)


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}
