"""``/api/v1/improvements``: the improvement register."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint, Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from marshmallow import RAISE

from operations.errors import Conflict
from operations.improvements import service
from operations.improvements.models import SOURCES, STATES
from operations.improvements.schema import Draft, ImprovementFilter
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn, Natural, Paging, Strict
from soc_ui.services import services

improvements = APIBlueprint("api_improvements", __name__, url_prefix="/api/v1/improvements", tag="improvements")
Body = dict[str, Any]


class ImprovementListIn(Paging):
    state = String(load_default="", validate=OneOf(("", *STATES)))
    source = String(load_default="", validate=OneOf(("", *SOURCES)))
    organisation = String(load_default="", validate=Length(0, 128))
    overdue = Boolean(load_default=False)
    text = String(load_default="", validate=Length(0, 200))


class DraftIn(Strict):
    title = String(required=True, validate=Length(1, service.MAX_TITLE))
    body = String(load_default="", validate=Length(0, service.MAX_TEXT))
    source = String(load_default="suggestion", validate=OneOf(SOURCES))
    organisation = String(load_default="", validate=Length(0, 128), metadata={"description": "Who mends it, empty: the operator"})
    responsible = String(load_default="", validate=Length(0, service.MAX_NAME))
    due_at = String(load_default="", validate=Length(0, 40))


class ActIn(Strict):
    act = String(required=True, validate=OneOf(service.ACTS))
    note = String(load_default="", validate=Length(0, service.MAX_TEXT))


class TakeOverIn(Strict):
    incident = Natural(required=True)
    action = Natural(required=True)


class ImprovementOut(Schema):
    id = Integer(required=True)
    title = String(required=True)
    body = String(required=True)
    source = String(required=True)
    origin = String(allow_none=True)
    organisation = String(required=True)
    responsible = String(required=True)
    state = String(required=True)
    due_at = String(allow_none=True)
    result = String(required=True)
    effect = String(required=True)
    created_by = String(required=True)
    created_at = String(required=True)
    updated_at = String(required=True)
    done_by = String(required=True)
    verified_by = String(required=True)
    version = Integer(required=True)
    overdue = Boolean(required=True)


class StepOut(Schema):
    time = String(required=True)
    actor = String(required=True)
    act = String(required=True)
    note = String(required=True)


class DetailOut(Schema):
    improvement = Nested(ImprovementOut, required=True)
    steps = List(Nested(StepOut), required=True)
    acts = List(String(), required=True, metadata={"description": "What the caller may do now"})


class PageOut(Schema):
    improvements = List(Nested(ImprovementOut), required=True)
    next_cursor = String(required=True)


@improvements.get("")
@permit(improvements, "tickets.read")
@improvements.input(ImprovementListIn, location="query", unknown=RAISE)
@improvements.output(PageOut)
def list_improvements(query_data: Body) -> Body:
    """List improvements

    Last changed first; a caller with a scope gets those of their organisations.
    """
    limit, cursor = query_data.pop("limit"), query_data.pop("cursor")
    with services().database.read() as session:
        page = service.list_improvements(session, ImprovementFilter(**query_data), limit=limit, cursor=cursor)
    return {"improvements": msgspec.to_builtins(page.improvements), "next_cursor": page.cursor}


@improvements.post("")
@permit(improvements, "tickets.write")
@improvements.input(DraftIn)
@improvements.output(ImprovementOut, status_code=201)
def propose(json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Propose an improvement"""
    with services().database.write() as session:
        made = service.propose(session, caller(), Draft(**json_data))
    return msgspec.to_builtins(made), 201, {"ETag": f'"{made.version}"'}


@improvements.post("/from-review")
@permit(improvements, "tickets.write")
@improvements.input(TakeOverIn)
@improvements.output(ImprovementOut, status_code=201)
@improvements.doc(responses=[404, 409])
def take_over(json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Take an action of an incident's review over"""
    with services().database.write() as session:
        made = service.take_over(session, caller(), json_data["incident"], json_data["action"])
    return msgspec.to_builtins(made), 201, {"ETag": f'"{made.version}"'}


@improvements.get("/<int:number>")
@permit(improvements, "tickets.read")
@improvements.output(DetailOut)
@improvements.doc(responses=[404])
def get_improvement(number: int) -> tuple[Body, int, dict[str, str]]:
    """Read one improvement"""
    with services().database.read() as session:
        detail = service.get_improvement(session, caller(), number)
    return msgspec.to_builtins(detail), 200, {"ETag": f'"{detail.improvement.version}"'}


@improvements.post("/<int:number>/acts")
@permit(improvements, "tickets.write")
@improvements.input(IfMatchIn, location="headers")
@improvements.input(ActIn)
@improvements.output(ImprovementOut)
@improvements.doc(responses=[404, 409, 412, 428])
def act(number: int, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Accept, decline, start, finish, verify or open again"""
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            row = service.act(session, caller(), number, json_data["act"], json_data["note"], expected_version=version)
    except Conflict as error:
        raise Problem(412 if "somebody else" in error.message else 409, error.message, error.hint) from error
    return msgspec.to_builtins(row), 200, {"ETag": f'"{row.version}"'}
