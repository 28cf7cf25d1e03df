"""``/api/v1/searches``: saved and scheduled searches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from apiflask import APIBlueprint, Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from flask import Response

from operations.errors import Conflict
from operations.searches import service
from operations.searches.schema import EVERY, LEVELS, Schedule, Search
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit, permit_any
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn, Strict
from soc_ui.services import services

searches = APIBlueprint("api_searches", __name__, url_prefix="/api/v1/searches", tag="searches")
Body = dict[str, Any]


class SearchIn(Strict):
    name = String(required=True, validate=Length(1, service.MAX_NAME))
    query = String(required=True, validate=Length(0, service.MAX_QUERY))
    span = String(load_default="", validate=Length(0, 8), metadata={"description": "Relative time range such as 24h"})
    columns = String(load_default="", validate=Length(0, service.MAX_COLUMNS))
    shared = Boolean(load_default=False)


class SearchChangeIn(Strict):
    name = String(validate=Length(1, service.MAX_NAME))
    query = String(validate=Length(0, service.MAX_QUERY))
    shared = Boolean()


class ScheduleIn(Strict):
    every = Integer(required=True, validate=OneOf(EVERY), metadata={"description": "Seconds between two runs"})
    threshold = Integer(load_default=0, validate=Range(0, service.MAX_THRESHOLD), metadata={"description": "Alert for more hits"})
    level = String(load_default="medium", validate=OneOf(LEVELS))
    settle = Integer(load_default=300, validate=Range(0, service.MAX_SETTLE), metadata={"description": "Seconds for late events"})


class StopIn(Strict):
    reason = String(required=True, validate=Length(1, 200))


class SearchOut(Schema):
    id = Integer(required=True)
    name = String(required=True)
    query = String(required=True)
    span = String(required=True)
    columns = String(required=True)
    shared = Boolean(required=True)
    owner = String(required=True)
    mine = Boolean(required=True)
    every = Integer(required=True, metadata={"description": "0: by hand only"})
    threshold = Integer(required=True)
    level = String(required=True)
    settle = Integer(required=True)
    done_until = String(required=True)
    next_due = String(allow_none=True)
    failures = Integer(required=True)
    stopped = String(required=True, metadata={"description": "Why it does not run any more"})
    created_at = String(required=True)
    updated_at = String(required=True)
    version = Integer(required=True)


class SearchesOut(Schema):
    searches = List(Nested(SearchOut), required=True)


class RunOut(Schema):
    id = Integer(required=True)
    start = String(required=True)
    end = String(required=True)
    hits = Integer(required=True)
    milliseconds = Integer(required=True)
    error = String(required=True)
    alert_id = Integer(allow_none=True)
    at = String(required=True)


class RunsOut(Schema):
    runs = List(Nested(RunOut), required=True)


@searches.get("")
@permit_any(searches, "events.read", service.SUPERVISE)
@searches.output(SearchesOut)
def list_searches() -> Body:
    """List saved searches

    One's own and those that accounts of the same scope share; for supervision the scheduled ones of everybody.
    """
    with services().database.read() as session:
        return {"searches": msgspec.to_builtins(service.list_searches(session, caller()))}


@searches.post("")
@permit(searches, "events.read")
@searches.input(SearchIn)
@searches.output(SearchOut, status_code=201)
def create_search(json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Save a search"""
    with services().database.write() as session:
        return _told(service.create_search(session, caller(), json_data.pop("name"), json_data.pop("query"), **json_data), 201)


@searches.get("/<int:number>")
@permit_any(searches, "events.read", service.SUPERVISE)
@searches.output(SearchOut)
@searches.doc(responses=[404])
def get_search(number: int) -> tuple[Body, int, dict[str, str]]:
    """Read a saved search"""
    with services().database.read() as session:
        return _told(service.get_search(session, caller(), number))


@searches.get("/<int:number>/runs")
@permit_any(searches, "events.read", service.SUPERVISE)
@searches.output(RunsOut)
@searches.doc(responses=[404])
def list_runs(number: int) -> Body:
    """List the runs of a scheduled search"""
    with services().database.read() as session:
        return {"runs": msgspec.to_builtins(service.list_runs(session, caller(), number))}


@searches.patch("/<int:number>")
@permit(searches, "events.read")
@searches.input(IfMatchIn, location="headers")
@searches.input(SearchChangeIn)
@searches.output(SearchOut)
@searches.doc(responses=[404, 412, 428])
def change_search(number: int, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Change one's own search"""
    version = expected_version(headers_data["if_match"])
    with _unchanged(), services().database.write() as session:
        return _told(service.change_search(session, caller(), number, expected_version=version, **json_data))


@searches.put("/<int:number>/schedule")
@permit(searches, "events.read")
@searches.input(IfMatchIn, location="headers")
@searches.input(ScheduleIn)
@searches.output(SearchOut)
@searches.doc(responses=[404, 412, 428])
def schedule_search(number: int, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Run one's own search by the clock"""
    version = expected_version(headers_data["if_match"])
    with _unchanged(), services().database.write() as session:
        return _told(service.schedule_search(session, caller(), number, Schedule(**json_data), expected_version=version))


@searches.delete("/<int:number>/schedule")
@permit(searches, "events.read")
@searches.input(IfMatchIn, location="headers")
@searches.output(SearchOut)
@searches.doc(responses=[404, 412, 428])
def end_schedule(number: int, headers_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Run one's own search by hand only"""
    version = expected_version(headers_data["if_match"])
    with _unchanged(), services().database.write() as session:
        return _told(service.schedule_search(session, caller(), number, None, expected_version=version))


@searches.post("/<int:number>/stop")
@permit(searches, service.SUPERVISE)
@searches.input(StopIn)
@searches.output(SearchOut)
@searches.doc(responses=[404])
def stop_search(number: int, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Stop a scheduled search of somebody"""
    with services().database.write() as session:
        return _told(service.stop_search(session, caller(), number, json_data["reason"]))


@searches.delete("/<int:number>")
@permit(searches, "events.read")
@searches.input(IfMatchIn, location="headers")
@searches.output({}, status_code=204)
@searches.doc(responses=[404, 412, 428])
def delete_search(number: int, headers_data: Body) -> Response:
    """Delete one's own search"""
    with _unchanged(), services().database.write() as session:
        service.delete_search(session, caller(), number, expected_version=expected_version(headers_data["if_match"]))
    return Response(status=204)


@contextmanager
def _unchanged() -> Iterator[None]:
    try:
        yield
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error


def _told(search: Search, status: int = 200) -> tuple[Body, int, dict[str, str]]:
    return msgspec.to_builtins(search), status, {"ETag": f'"{search.version}"'}
