"""``/api/v1/advisories`` and ``/api/v1/software``: advisories, what of the city they concern, and the software of assets."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint, Schema
from apiflask.fields import Boolean, Float, Integer, List, Nested
from apiflask.validators import Length, OneOf
from flask import Response, request
from marshmallow import RAISE

from operations.advisories import intake, listing, states
from operations.advisories.models import STATES
from operations.advisories.schema import AdvisoryFilter
from operations.errors import Stale
from operations.software import service as register
from operations.software.readers import FORMATS, MAX_BYTES
from operations.software.schema import MAX_CPE, MAX_PRODUCT, MAX_RELEASE, MAX_VENDOR, SCHEMES, Entry
from operations.warnings import service as warnings
from operations.warnings.from_advisory import draft_from_advisory, origin
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn, Paging, Strict, String
from soc_ui.services import services

advisories = APIBlueprint("api_advisories", __name__, url_prefix="/api/v1/advisories", tag="advisories")
software = APIBlueprint("api_software", __name__, url_prefix="/api/v1/software", tag="advisories")
Body = dict[str, Any]
Tagged = tuple[Body, int, dict[str, str]]


class AdvisoryListIn(Paging):
    kev = Boolean(load_default=False)
    ransomware = Boolean(load_default=False)
    affected = Boolean(load_default=False, metadata={"description": "With an open match that the caller may see"})
    overdue = Boolean(load_default=False)
    state = String(load_default="", validate=OneOf(("", *STATES)))
    vendor = String(load_default="", validate=Length(0, 128))
    text = String(load_default="", validate=Length(0, 200))


class AdvisoryOut(Schema):
    id = Integer(required=True)
    key = String(required=True)
    title = String(required=True)
    summary = String(required=True)
    vendor = String(required=True)
    product = String(required=True)
    kev = Boolean(required=True)
    ransomware = Boolean(required=True)
    cvss = Float(allow_none=True)
    published = String(required=True)
    kev_added = String(required=True)
    due = String(required=True)
    action = String(required=True)
    aliases = List(String(), required=True)
    sources = List(String(), required=True)
    affected = Integer(required=True)
    possible = Integer(required=True)
    overdue = Boolean(required=True)
    version = Integer(required=True)


class AdvisoryReasonOut(Schema):
    code = String(required=True)
    product = String()
    release = String()
    range = String()
    source = String()
    condition = String()


class MatchOut(Schema):
    id = Integer(required=True)
    advisory = String(required=True)
    advisory_id = Integer(required=True)
    advisory_title = String(required=True)
    asset = String(required=True)
    asset_name = String(required=True)
    zone = String(required=True)
    bureau = String(required=True)
    importance = Integer(required=True)
    verdict = String(required=True)
    reason = Nested(AdvisoryReasonOut, required=True)
    state = String(required=True)
    note = String(required=True)
    expires_at = String(allow_none=True)
    created_at = String(required=True)
    changed_at = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True)


class AdvisoryPageOut(Schema):
    advisories = List(Nested(AdvisoryOut), required=True)
    next_cursor = String(required=True)


class AdvisoryDetailOut(Schema):
    advisory = Nested(AdvisoryOut, required=True)
    matches = List(Nested(MatchOut), required=True)


class LeftOutOut(Schema):
    where = String(required=True)
    why = String(required=True)


class AdvisoryImportOut(Schema):
    kind = String(required=True)
    made = Integer(required=True)
    changed = Integer(required=True)
    same = Integer(required=True)
    problems = List(Nested(LeftOutOut), required=True)


class AdvisoryWarningOut(Schema):
    warning = Integer(required=True)


class MatchIn(Strict):
    state = String(required=True, validate=OneOf(STATES))
    note = String(load_default="", validate=Length(0, states.MAX_NOTE))
    until = String(load_default="", validate=Length(0, 40))


class SoftwareAssetIn(Strict):
    asset = String(required=True, validate=Length(1, 128))


class SoftwareIn(SoftwareAssetIn):
    product = String(load_default="", validate=Length(0, MAX_PRODUCT))
    vendor = String(load_default="", validate=Length(0, MAX_VENDOR))
    release = String(load_default="", validate=Length(0, MAX_RELEASE))
    scheme = String(load_default="generic", validate=OneOf(SCHEMES))
    cpe = String(load_default="", validate=Length(0, MAX_CPE))


class SoftwareOut(Schema):
    id = Integer(required=True)
    asset = String(required=True)
    vendor = String(required=True)
    product = String(required=True)
    release = String(required=True)
    scheme = String(required=True)
    cpe = String(required=True)
    source = String(required=True)
    first_seen = String(required=True)
    last_seen = String(required=True)
    changed_by = String(required=True)
    version = Integer(required=True)


class SoftwareListOut(Schema):
    software = List(Nested(SoftwareOut), required=True)


class SoftwareImportIn(Strict):
    format = String(required=True, validate=OneOf(FORMATS))
    text = String(required=True, validate=Length(1, MAX_BYTES))
    asset = String(load_default="", validate=Length(0, 128))
    whole = Boolean(load_default=False, metadata={"description": "The list is all that runs on the asset"})


class SoftwareImportOut(Schema):
    made = Integer(required=True)
    seen = Integer(required=True)
    removed = Integer(required=True)
    problems = List(Nested(LeftOutOut), required=True)


@advisories.get("")
@permit(advisories, "advisories.read")
@advisories.input(AdvisoryListIn, location="query", unknown=RAISE)
@advisories.output(AdvisoryPageOut)
def list_advisories(query_data: Body) -> Body:
    """List advisories

    What concerns the city first, by the day until when KEV wants it mended.
    """
    limit, cursor = query_data.pop("limit"), query_data.pop("cursor")
    with services().database.read() as session:
        page = listing.list_advisories(session, AdvisoryFilter(**query_data), limit=limit, cursor=cursor)
    return {"advisories": msgspec.to_builtins(page.advisories), "next_cursor": page.cursor}


@advisories.post("/import")
@permit(advisories, "advisories.write")
@advisories.output(AdvisoryImportOut)
@advisories.doc(responses=[403, 422])
def take_in() -> Body:
    """Import a document

    The body is the document: KEV catalogue, NVD CVE API 2.0 or CSAF 2.0, JSON.
    """
    with services().database.write() as session:
        done = intake.take_in(session, caller(), request.get_data())
    return msgspec.to_builtins(done)  # type: ignore[no-any-return]


@advisories.get("/<int:number>")
@permit(advisories, "advisories.read")
@advisories.output(AdvisoryDetailOut)
@advisories.doc(responses=[404])
def get_advisory(number: int) -> Tagged:
    """Read one advisory and the assets that it concerns"""
    with services().database.read() as session:
        found, matches = listing.of_id(session, number), listing.matches(session, number)
    return {"advisory": msgspec.to_builtins(found), "matches": msgspec.to_builtins(matches)}, 200, {"ETag": f'"{found.version}"'}


@advisories.post("/<int:number>/warning")
@permit(advisories, "warnings.draft")
@advisories.output(AdvisoryWarningOut, status_code=201)
@advisories.doc(responses=[404, 409])
def draft_warning(number: int) -> tuple[Body, int]:
    """Draft a warning from an advisory"""
    with services().database.write() as session:
        key = listing.of_id(session, number).key
        made = warnings.create(session, caller(), draft_from_advisory(session, key), origin=origin(session, key))
    return {"warning": made.id}, 201


@advisories.get("/matches/<int:number>")
@permit(advisories, "advisories.read")
@advisories.output(MatchOut)
@advisories.doc(responses=[404])
def get_match(number: int) -> Tagged:
    """Read one match"""
    with services().database.read() as session:
        found = listing.match(session, number)
    return msgspec.to_builtins(found), 200, {"ETag": f'"{found.version}"'}


@advisories.patch("/matches/<int:number>")
@permit(advisories, "advisories.write")
@advisories.input(IfMatchIn, location="headers")
@advisories.input(MatchIn)
@advisories.output(MatchOut)
@advisories.doc(responses=[404, 412, 422, 428])
def change_match(number: int, headers_data: Body, json_data: Body) -> Tagged:
    """Decide about a match"""
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            made = states.change(session, caller(), number, **json_data, expected_version=version)
    except Stale as error:
        raise Problem(412, error.message, error.hint) from error
    return msgspec.to_builtins(made), 200, {"ETag": f'"{made.version}"'}


@software.get("")
@permit(software, "assets.read")
@software.input(SoftwareAssetIn, location="query", unknown=RAISE)
@software.output(SoftwareListOut)
@software.doc(responses=[404])
def list_software(query_data: Body) -> Body:
    """List the software of an asset"""
    with services().database.read() as session:
        return {"software": msgspec.to_builtins(register.of_asset(session, query_data["asset"]))}


@software.post("")
@permit(software, "assets.write")
@software.input(SoftwareIn)
@software.output(SoftwareOut, status_code=201)
@software.doc(responses=[404, 409])
def add_software(json_data: Body) -> Tagged:
    """Enter software of an asset"""
    asset = json_data.pop("asset")
    with services().database.write() as session:
        made = register.add(session, caller().actor, asset, Entry(**json_data))
    return msgspec.to_builtins(made), 201, {"ETag": f'"{made.version}"'}


@software.post("/import")
@permit(software, "assets.write")
@software.input(SoftwareImportIn)
@software.output(SoftwareImportOut)
@software.doc(responses=[404, 422])
def import_software(json_data: Body) -> Body:
    """Import a list of software

    CSV (columns asset, vendor, product, version, cpe, scheme), or dpkg, rpm and CycloneDX lists of one asset.
    """
    form, text = json_data.pop("format"), json_data.pop("text")
    with services().database.write() as session:
        return msgspec.to_builtins(register.take_in(session, caller().actor, form, text, **json_data))  # type: ignore[no-any-return]


@software.put("/<int:number>")
@permit(software, "assets.write")
@software.input(IfMatchIn, location="headers")
@software.input(SoftwareIn)
@software.output(SoftwareOut)
@software.doc(responses=[404, 409, 412, 422, 428])
def change_software(number: int, headers_data: Body, json_data: Body) -> Tagged:
    """Replace an entry of software"""
    version, asset = expected_version(headers_data["if_match"]), json_data.pop("asset")
    try:
        with services().database.write() as session:
            made = register.change(session, caller().actor, asset, number, Entry(**json_data), expected_version=version)
    except Stale as error:
        raise Problem(412, error.message, error.hint) from error
    return msgspec.to_builtins(made), 200, {"ETag": f'"{made.version}"'}


@software.delete("/<int:number>")
@permit(software, "assets.write")
@software.input(IfMatchIn, location="headers")
@software.input(SoftwareAssetIn, location="query", unknown=RAISE)
@software.output({}, status_code=204)
@software.doc(responses=[404, 412, 428])
def remove_software(number: int, headers_data: Body, query_data: Body) -> Response:
    """Take an entry of software off"""
    version = expected_version(headers_data["if_match"])
    try:
        with services().database.write() as session:
            register.remove(session, caller().actor, query_data["asset"], number, expected_version=version)
    except Stale as error:
        raise Problem(412, error.message, error.hint) from error
    return Response(status=204)
