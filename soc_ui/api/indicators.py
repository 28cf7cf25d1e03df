"""``/api/v1/indicators``: indicators of compromise and how often they were met."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint, Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range
from marshmallow import RAISE

from kernel.indicators.values import KINDS, MAX_VALUE
from operations.errors import Conflict
from operations.indicators import listing, service
from operations.indicators.formats import READERS
from operations.indicators.schema import STATES, TLP, Candidate, IndicatorFilter
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn, Moment, Paging, Strict, String
from soc_ui.services import services

indicators = APIBlueprint("api_indicators", __name__, url_prefix="/api/v1/indicators", tag="indicators")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]
MOST_CONTENT = 3_500_000


class IndicatorListIn(Paging):
    kind = String(load_default="", validate=OneOf(("", *KINDS)))
    state = String(load_default="", validate=OneOf(("", *STATES)))
    origin = String(load_default="", validate=Length(0, service.MAX_ORIGIN))
    text = String(load_default="", validate=Length(0, 200), metadata={"description": "Part of the value"})
    met = Boolean(load_default=False, metadata={"description": "Only what an event has named"})


class IndicatorIn(Strict):
    value = String(required=True, validate=Length(1, MAX_VALUE))
    kind = String(load_default="", validate=OneOf(("", *KINDS)), metadata={"description": "Empty: recognised by the value"})
    confidence = Integer(load_default=75, validate=Range(0, 100))
    tlp = String(load_default="", validate=OneOf(("", *TLP)))
    note = String(load_default="", validate=Length(0, service.MAX_NOTE))
    reference = String(load_default="", validate=Length(0, service.MAX_REFERENCE))
    valid_until = Moment(load_default="", metadata={"description": "Empty: the usual time of its kind"})


class ChangeIn(Strict):
    confidence = Integer(required=True, validate=Range(0, 100))
    valid_until = Moment(load_default="")
    note = String(load_default="", validate=Length(0, service.MAX_NOTE))


class RevokeIn(Strict):
    reason = String(required=True, validate=Length(1, service.MAX_REASON))


class ImportIn(Strict):
    origin = String(required=True, validate=Length(1, service.MAX_ORIGIN), metadata={"description": "Who says so"})
    content = String(required=True, validate=Length(1, MOST_CONTENT), metadata={"description": "The file as text"})
    form = String(load_default="", validate=OneOf(("", *READERS)), metadata={"description": "Empty: recognised by the content"})
    confidence = Integer(load_default=50, validate=Range(0, 100), metadata={"description": "Where the file does not say"})
    dry = Boolean(load_default=False, metadata={"description": "Only say what would come of it"})


class IndicatorOut(Schema):
    id = Integer(required=True)
    kind = String(required=True)
    value = String(required=True)
    origin = String(required=True)
    confidence = Integer(required=True)
    tlp = String(required=True)
    note = String(required=True)
    reference = String(required=True)
    valid_until = String(required=True)
    revoked_at = String(required=True)
    revoked_by = String(required=True)
    created_at = String(required=True)
    created_by = String(required=True)
    changed_at = String(required=True)
    version = Integer(required=True)
    state = String(required=True, validate=OneOf(STATES))


class HitsOut(Schema):
    alerts = Integer(required=True)
    events = Integer(required=True)
    first = String(required=True)
    last = String(required=True)


class PageOut(Schema):
    indicators = List(Nested(IndicatorOut), required=True)
    hits = Dict(String(), Nested(HitsOut), required=True, metadata={"description": "By value, those that were met"})
    next_cursor = String(required=True)


class RefusedOut(Schema):
    place = String(required=True)
    value = String(required=True)
    reason = String(required=True)


class OutcomeOut(Schema):
    added = Integer(required=True)
    changed = Integer(required=True)
    same = Integer(required=True)
    revoked = Integer(required=True)
    refused_count = Integer(required=True)
    refused = List(Nested(RefusedOut), required=True, metadata={"description": "The first of them"})


@indicators.get("")
@permit(indicators, "intel.read")
@indicators.input(IndicatorListIn, location="query", unknown=RAISE)
@indicators.output(PageOut)
def list_indicators(query_data: Body) -> Body:
    """List indicators

    Newest first.
    """
    limit, cursor = query_data.pop("limit"), query_data.pop("cursor")
    with services().database.read() as session:
        page = listing.list_indicators(session, IndicatorFilter(**query_data), limit=limit, cursor=cursor)
    return {
        "indicators": msgspec.to_builtins(page.indicators),
        "hits": msgspec.to_builtins(page.hits),
        "next_cursor": page.cursor,
    }


@indicators.post("")
@permit(indicators, "intel.write")
@indicators.input(IndicatorIn)
@indicators.output(IndicatorOut, status_code=201)
@indicators.doc(responses=[409])
def add(json_data: Body) -> Answer:
    """Watch for a value"""
    confidence = json_data.pop("confidence")
    with services().database.write() as session:
        made = service.add(session, caller().actor, Candidate(**json_data), confidence=confidence)
    return msgspec.to_builtins(made), 201, {"ETag": f'"{made.version}"'}


@indicators.post("/import")
@permit(indicators, "intel.write")
@indicators.input(ImportIn)
@indicators.output(OutcomeOut)
def bring_in(json_data: Body) -> Body:
    """Import a file

    A list, a CSV table, a STIX 2.1 bundle or events of MISP. What is refused is told and does not stop the rest.
    """
    octets = json_data.pop("content").encode("utf-8", "replace")
    return msgspec.to_builtins(service.bring_in_octets(services().database, caller().actor, octets, "", **json_data))


@indicators.get("/<int:number>")
@permit(indicators, "intel.read")
@indicators.output(IndicatorOut)
@indicators.doc(responses=[404])
def get_indicator(number: int) -> Answer:
    """Read one indicator"""
    with services().database.read() as session:
        return _answer(listing.get_indicator(session, number))


@indicators.patch("/<int:number>")
@permit(indicators, "intel.write")
@indicators.input(IfMatchIn, location="headers")
@indicators.input(ChangeIn)
@indicators.output(IndicatorOut)
@indicators.doc(responses=[404, 412, 428])
def change(number: int, headers_data: Body, json_data: Body) -> Answer:
    """Change one indicator

    One that was revoked or has ended is watched for again.
    """
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            return _answer(service.change(session, caller().actor, number, **json_data, expected_version=version))
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error


@indicators.post("/<int:number>/revoke")
@permit(indicators, "intel.write")
@indicators.input(IfMatchIn, location="headers")
@indicators.input(RevokeIn)
@indicators.output(IndicatorOut)
@indicators.doc(responses=[404, 409, 412, 428])
def revoke(number: int, headers_data: Body, json_data: Body) -> Answer:
    """Watch for it no more"""
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            return _answer(service.revoke(session, caller().actor, number, json_data["reason"], expected_version=version))
    except Conflict as error:
        raise Problem(412 if "somebody else" in error.message else 409, error.message, error.hint) from error


def _answer(record: Any) -> Answer:
    return msgspec.to_builtins(record), 200, {"ETag": f'"{record.version}"'}
