"""``/api/v1/risks``: risk of zones and assets with its reasons, movers, and the numbers behind it."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint, Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range
from marshmallow import RAISE

from operations.risk import listing, settings
from operations.risk.models import KINDS
from operations.risk.schema import BANDS, RiskFilter
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit, permit_any
from soc_ui.api.schemas import IfMatchIn, Paging, Strict, String
from soc_ui.services import services

risks = APIBlueprint("api_risks", __name__, url_prefix="/api/v1/risks", tag="risks")
Body = dict[str, Any]


class RiskListIn(Paging):
    kind = String(load_default="asset", validate=OneOf(KINDS))
    zone = String(load_default="", validate=Length(max=64))
    bureau = String(load_default="", validate=Length(max=128))
    band = String(load_default="", validate=OneOf(["", *BANDS]))
    text = String(load_default="", validate=Length(max=200), metadata={"description": "Words that must occur in id or name"})
    sort = String(load_default="score", validate=Length(max=16), metadata={"description": f"{', '.join(listing.SORTS)}; - upwards"})


class MoversIn(Strict):
    kind = String(load_default="asset", validate=OneOf(KINDS))
    limit = Integer(load_default=8, validate=Range(1, 100))


class RiskKeyIn(Strict):
    key = String(required=True, validate=Length(1, 128), metadata={"description": "Key of an asset, id of a zone"})
    days = Integer(load_default=30, validate=Range(1, listing.MOST_DAYS))


class RiskOut(Schema):
    kind = String(required=True)
    key = String(required=True)
    name = String(required=True)
    zone = String(required=True)
    bureau = String(required=True)
    asset_kind = String(required=True)
    score = Float(required=True, metadata={"description": "0 to 100"})
    band = String(required=True, validate=OneOf(BANDS))
    exposure = Float(required=True)
    vulnerability = Float(required=True)
    threat = Float(required=True)
    importance = Float(required=True)
    vulnerability_known = Boolean(required=True, metadata={"description": "false: nothing is known, the value is assumed"})
    open_alerts = Integer(required=True)
    baseline = Float(required=True)
    since = String(required=True)
    delta = Float(required=True)
    computed_at = String(required=True)


class RiskPageOut(Schema):
    risks = List(Nested(RiskOut), required=True)
    next_cursor = String(required=True)
    hidden = Integer(required=True)


class RiskMoversOut(Schema):
    risks = List(Nested(RiskOut), required=True)


class RiskDetailOut(Schema):
    risk = Nested(RiskOut, required=True)
    reasons = List(
        Dict(), required=True, metadata={"description": "factor, code, and what the sentence says: n, zones, text, value"}
    )
    days = List(Dict(), required=True, metadata={"description": "day, score; oldest first"})


class RiskNumbersIn(Strict):
    value = Dict(required=True)
    source = String(required=True, validate=Length(1, settings.MAX_SOURCE))
    to_be_confirmed = Boolean(required=True)


class RiskNumbersOut(Schema):
    value = Dict(required=True)
    source = String(required=True)
    source_zh = String(required=True)
    to_be_confirmed = Boolean(required=True)
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True)


@risks.get("")
@permit(risks, "risk.read")
@risks.input(RiskListIn, location="query", unknown=RAISE)
@risks.output(RiskPageOut)
def list_risks(query_data: Body) -> Body:
    """List risks

    Highest first; ``hidden`` counts what lies outside of the caller's zones.
    """
    where = RiskFilter(**{name: query_data[name] for name in ("kind", "zone", "bureau", "band", "text")})
    with services().database.read() as session:
        page = listing.list_risks(session, where, sort=query_data["sort"], limit=query_data["limit"], cursor=query_data["cursor"])
    return {"risks": msgspec.to_builtins(page.rows), "next_cursor": page.cursor, "hidden": page.hidden}


@risks.get("/movers")
@permit(risks, "risk.read")
@risks.input(MoversIn, location="query", unknown=RAISE)
@risks.output(RiskMoversOut)
def list_movers(query_data: Body) -> Body:
    """List what rose most in seven days"""
    with services().database.read() as session:
        return {"risks": msgspec.to_builtins(listing.movers(session, query_data["kind"], limit=query_data["limit"]))}


@risks.get("/<kind>")
@permit(risks, "risk.read")
@risks.input(RiskKeyIn, location="query", unknown=RAISE)
@risks.output(RiskDetailOut)
@risks.doc(responses=[404])
def get_risk(kind: str, query_data: Body) -> Body:
    """Read one risk with its reasons and days"""
    with services().database.read() as session:
        found = listing.get(session, kind, query_data["key"], days=query_data["days"])
    days = [{"day": day, "score": score} for day, score in found.days]
    return {"risk": msgspec.to_builtins(found.row), "reasons": msgspec.to_builtins(found.reasons), "days": days}


@risks.get("/settings")
@permit_any(risks, "risk.read", "risk.settings")
@risks.output(RiskNumbersOut)
def get_numbers() -> tuple[Body, int, dict[str, str]]:
    """Read the numbers behind risk"""
    with services().database.read() as session:
        found = settings.get(session)
    return msgspec.to_builtins(found), 200, {"ETag": f'"{found.version}"'}


@risks.put("/settings")
@permit(risks, "risk.settings")
@risks.input(IfMatchIn, location="headers")
@risks.input(RiskNumbersIn)
@risks.output(RiskNumbersOut)
@risks.doc(responses=[412, 422, 428])
def put_numbers(headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Replace the numbers behind risk

    All scores are computed anew within a minute.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        made = settings.change(session, caller(), **json_data, expected_version=version)
    return msgspec.to_builtins(made), 200, {"ETag": f'"{made.version}"'}
