"""``/api/v1/suppressions``: what keeps new alerts out of the queue."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from operations.alerts import service
from operations.alerts.suppressions import Draft, SuppressionFilter, SuppressionRecord
from operations.errors import Stale
from soc_ui.api import alert_queue_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit, permit_any
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

suppressions = APIBlueprint("api_suppressions", __name__, url_prefix="/api/v1/suppressions", tag="alerts")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@suppressions.get("")
@permit_any(suppressions, "alerts.read", "suppressions.release")
@suppressions.input(schemas.SuppressionListIn, location="query", unknown=RAISE)
@suppressions.output(schemas.SuppressionPageOut)
def list_suppressions(query_data: Body) -> Body:
    """List suppressions

    Those made within the caller's scope, sorted as asked for.
    """
    where = SuppressionFilter(query_data["state"], query_data["rule"], query_data["owner"], query_data["text"])
    with services().database.read() as session:
        page = service.list_suppressions(
            session, caller(), where, sort=query_data["sort"], ascending=query_data["order"] == "up", limit=query_data["limit"],
            cursor=query_data["cursor"],
        )  # fmt: skip
    return {"suppressions": msgspec.to_builtins(page.suppressions), "next_cursor": page.cursor}


@suppressions.post("/preview")
@permit(suppressions, "alerts.write")
@suppressions.input(schemas.SuppressionMatchIn)
@suppressions.output(schemas.SuppressionPreviewOut)
def preview(json_data: Body) -> Body:
    """Count what a suppression would have kept out

    Of the last seven days.
    """
    with services().database.read() as session:
        return msgspec.to_builtins(service.preview_suppression(session, _draft(json_data)))  # type: ignore[no-any-return]


@suppressions.post("")
@permit(suppressions, "alerts.write")
@suppressions.input(schemas.SuppressionIn)
@suppressions.output(schemas.SuppressionOut, status_code=201)
def suppress(json_data: Body) -> Answer:
    """Suppress new alerts of a rule

    They are recorded and counted, but stay out of the queue until the end.
    """
    with services().database.write() as session:
        return _told(service.suppress(session, caller(), _draft(json_data)), 201)


@suppressions.get("/<int:number>")
@permit_any(suppressions, "alerts.read", "suppressions.release")
@suppressions.output(schemas.SuppressionOut)
@suppressions.doc(responses=[404])
def get_suppression(number: int) -> Answer:
    """Read a suppression"""
    with services().database.read() as session:
        return _told(service.get_suppression(session, caller(), number))


@suppressions.post("/<int:number>/lift")
@permit(suppressions, "alerts.write")
@suppressions.input(IfMatchIn, location="headers")
@suppressions.output(schemas.SuppressionOut)
@suppressions.doc(responses=[404, 409, 412, 428])
def lift(number: int, headers_data: Body) -> Answer:
    """End a suppression now

    What comes then shows again; what it kept out stays as it is.
    """
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            return _told(service.lift(session, caller(), number, expected_version=version))
    except Stale as error:
        raise Problem(412, error.message, error.hint) from error


@suppressions.post("/<int:number>/release")
@permit(suppressions, "suppressions.release")
@suppressions.input(IfMatchIn, location="headers")
@suppressions.input(schemas.ReleaseIn)
@suppressions.output(schemas.SuppressionOut)
@suppressions.doc(responses=[403, 404, 409, 412, 428])
def release(number: int, headers_data: Body, json_data: Body) -> Answer:
    """Decide on critical alerts of OT zones

    The security administrator's word; until then these alerts show.
    """
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            return _told(service.release(session, caller(), number, agreed=json_data["agreed"], expected_version=version))
    except Stale as error:
        raise Problem(412, error.message, error.hint) from error


def _draft(body: Body) -> Draft:
    pairs = (text.partition(":") for text in body["entities"])
    rule = services().rules().find(body["rule_id"])
    return Draft(
        rule_id=body["rule_id"], rule_name=rule.title if rule else "", entities=tuple((kind, value) for kind, _, value in pairs),
        until=body.get("until", ""), reason=body.get("reason", ""), critical_ot=body["critical_ot"],
    )  # fmt: skip


def _told(record: SuppressionRecord, status: int = 200) -> Answer:
    return msgspec.to_builtins(record), status, {"ETag": f'"{record.version}"'}
