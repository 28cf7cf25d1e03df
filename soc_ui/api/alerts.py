"""``/api/v1/alerts``: the queue and what people do to it."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE

from kernel.event import Event
from operations.alerts import service
from operations.alerts.grouping import group
from operations.alerts.models import ENTITY_KINDS
from operations.alerts.schema import AlertFilter, Change, narrowed
from operations.errors import Conflict, Invalid, Stale
from soc_ui.api import alert_queue_schemas as queue_schemas
from soc_ui.api import alert_schemas as schemas
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn, Paging
from soc_ui.numbers import row_id
from soc_ui.services import services

alerts = APIBlueprint("api_alerts", __name__, url_prefix="/api/v1/alerts", tag="alerts")

_ETAG = re.compile(r'(?:W/)?"(\d{1,18})"')
Body = dict[str, Any]


@alerts.get("")
@permit(alerts, "alerts.read")
@alerts.input(schemas.AlertListIn, location="query", unknown=RAISE)
@alerts.output(schemas.AlertPageOut)
def list_alerts(query_data: Body) -> Body:
    """List alerts

    Newest ``last_seen`` first. Values of one parameter are alternatives, parameters narrow each other.
    """
    where = alert_filter(query_data)
    with services().database.read() as session:
        page = service.list_alerts(
            session,
            where,
            limit=query_data["limit"],
            cursor=query_data["cursor"],
            oldest_first=query_data["order"] == "oldest",
        )
        total = service.count_alerts(session, where) if query_data["count"] else None
    body: Body = {"alerts": msgspec.to_builtins(page.alerts), "next_cursor": page.cursor}
    return body | ({"total": total.count, "total_exact": total.exact} if total else {})


@alerts.get("/facets")
@permit(alerts, "alerts.read")
@alerts.input(schemas.FacetsIn, location="query", unknown=RAISE)
@alerts.output(schemas.FacetsOut)
def facets(query_data: Body) -> Body:
    """Count alerts by facet

    The most frequent values of each dimension, the filter on the dimension itself left out.
    """
    with services().database.read() as session:
        found = service.facets(session, alert_filter(query_data), tuple(query_data["facet"]), limit=query_data["limit"])
    return {"facets": msgspec.to_builtins(found)}


@alerts.get("/groups")
@permit(alerts, "alerts.read")
@alerts.input(schemas.GroupsIn, location="query", unknown=RAISE)
@alerts.output(schemas.AlertGroupsOut)
def groups(query_data: Body) -> Body:
    """Group alerts by rule, host, user or source address

    Of the newest matching alerts, as many as facets count.
    """
    with services().database.read() as session:
        found: Body = msgspec.to_builtins(group(session, alert_filter(query_data), query_data["by"]))
    return found


@alerts.get("/<int:alert_id>")
@permit(alerts, "alerts.read")
@alerts.output(schemas.AlertDetailOut)
@alerts.doc(responses=[404])
def get_alert(alert_id: int) -> tuple[Event, int, dict[str, str]]:
    """Read one alert

    With its event, matched fields, entities and history. The ETag is its version, for If-Match.
    """
    with services().database.read() as session:
        detail = service.get_detail(session, alert_id)
    return msgspec.to_builtins(detail), 200, {"ETag": f'"{detail.alert.version}"'}


@alerts.get("/<int:alert_id>/detections")
@permit(alerts, "alerts.read")
@alerts.input(Paging, location="query", unknown=RAISE)
@alerts.output(schemas.DetectionPageOut)
@alerts.doc(responses=[404])
def list_detections(alert_id: int, query_data: Body) -> Body:
    """List the detections of an alert"""
    with services().database.read() as session:
        service.get_alert(session, alert_id)
        page = service.list_detections(session, alert_id, limit=query_data["limit"], cursor=query_data["cursor"])
    return {"detections": msgspec.to_builtins(page.detections), "next_cursor": page.cursor}


@alerts.get("/<int:alert_id>/similar")
@permit(alerts, "alerts.read")
@alerts.output(queue_schemas.SimilarOut)
@alerts.doc(responses=[404])
def similar_alerts(alert_id: int) -> Body:
    """List similar alerts

    With the reasons: same hash, domain, host, user, address, rule or technique, near in time. The nearest are looked at, not all.
    """
    with services().database.read() as session:
        detail = service.get_detail(session, alert_id)
        found = service.similar_alerts(session, detail.alert, detail.entities, limit=20)
    return {"similar": msgspec.to_builtins(found)}


@alerts.get("/<int:alert_id>/merged")
@permit(alerts, "alerts.read")
@alerts.output(queue_schemas.MergedOut)
@alerts.doc(responses=[404])
def merged(alert_id: int) -> Body:
    """List what is merged into an alert"""
    with services().database.read() as session:
        service.get_alert(session, alert_id)
        return msgspec.to_builtins(service.merged_into(session, alert_id, limit=100))  # type: ignore[no-any-return]


@alerts.post("/merge")
@permit(alerts, "alerts.write")
@alerts.input(IfMatchIn, location="headers")
@alerts.input(queue_schemas.MergeIn)
@alerts.output(queue_schemas.MergeOut)
@alerts.doc(responses=[404, 412, 428])
def merge_alerts(headers_data: Body, json_data: Body) -> Body:
    """Merge alerts into one

    If-Match names the version of the lead. The others are closed and point to it; ``POST /alerts/undo`` restores them.
    """
    version = expected_version(headers_data["if_match"])
    versions = {_number(text): number for text, number in json_data["versions"].items()}
    wanted = {number: versions.get(number) for number in json_data["ids"]}
    try:
        with services().database.write() as session:
            done = service.merge_alerts(
                session, caller().actor, json_data["lead"], wanted, expected_version=version, note=json_data["note"]
            )
    except Stale as error:
        raise Problem(412, error.message, error.hint) from error
    return msgspec.to_builtins(done)  # type: ignore[no-any-return]


@alerts.patch("/<int:alert_id>")
@permit(alerts, "alerts.write")
@alerts.input(IfMatchIn, location="headers")
@alerts.input(schemas.ChangeIn)
@alerts.output(schemas.AlertOut)
@alerts.doc(responses=[404, 412, 428])
def change_alert(alert_id: int, headers_data: Body, json_data: Body) -> tuple[Event, int, dict[str, str]]:
    """Change one alert

    Status, verdict (needed for closing), assignee; refused with 412 where somebody else changed it meanwhile.
    """
    version = expected_version(headers_data["if_match"])
    note = json_data.pop("note")
    try:
        with services().database.write() as session:
            row = service.change_alert(session, caller().actor, alert_id, Change(**json_data), expected_version=version, note=note)
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error
    return msgspec.to_builtins(row), 200, {"ETag": f'"{row.version}"'}


@alerts.post("/bulk")
@permit(alerts, "alerts.write")
@alerts.input(schemas.BulkIn)
@alerts.output(schemas.BulkOut)
def change_alerts(json_data: Body) -> Body:
    """Change many alerts

    All or none, except ids that do not exist, which are listed.
    """
    ids, note = json_data.pop("ids"), json_data.pop("note")
    with services().database.write() as session:
        result = service.change_alerts(session, caller().actor, ids, Change(**json_data), note=note)
    return msgspec.to_builtins(result)  # type: ignore[no-any-return]


@alerts.post("/bulks")
@permit(alerts, "alerts.write")
@alerts.input(schemas.BulkActIn)
@alerts.output(schemas.BulkDraftOut, status_code=201)
def prepare_bulk(json_data: Body) -> Body:
    """Prepare an act on many alerts

    Over ``ids`` or all that match ``filter``. The answer is a preview; nothing changes before it is started, within half an hour.
    """
    ids, where, note = json_data.pop("ids"), json_data.pop("filter"), json_data.pop("note")
    if bool(ids) == (where is not None):
        raise Invalid("either ids or a filter", field="ids")
    with services().database.write() as session:
        bulk, preview = service.prepare(
            session, caller().actor, caller().name, Change(**json_data),
            where=None if where is None else alert_filter(where), ids=dict.fromkeys(ids), note=note,
        )  # fmt: skip
    return {"bulk": msgspec.to_builtins(bulk), "preview": msgspec.to_builtins(preview)}


@alerts.get("/bulks/<bulk_id>")
@permit(alerts, "alerts.write")
@alerts.output(schemas.BulkActOut)
@alerts.doc(responses=[404])
def get_bulk(bulk_id: str) -> Body:
    """Read how far an act on many alerts is"""
    with services().database.read() as session:
        return msgspec.to_builtins(service.get_bulk(session, caller().name, bulk_id))  # type: ignore[no-any-return]


@alerts.post("/bulks/<bulk_id>/start")
@permit(alerts, "alerts.write")
@alerts.output(schemas.BulkActOut, status_code=202)
@alerts.doc(responses=[404, 409])
def start_bulk(bulk_id: str) -> Body:
    """Start a prepared act

    It outlives a crash of the platform; read it again to see how far it is.
    """
    with services().database.write() as session:
        bulk = service.start(session, caller().actor, caller().name, bulk_id)
    service.run_in_background(services().database, bulk_id)
    return msgspec.to_builtins(bulk)  # type: ignore[no-any-return]


@alerts.post("/bulks/<bulk_id>/undo")
@permit(alerts, "alerts.write")
@alerts.output(schemas.BulkActOut, status_code=202)
@alerts.doc(responses=[403, 404])
def undo_bulk(bulk_id: str) -> Body:
    """Take an act on many alerts back

    Within ten minutes; the answer is the act that does it. An alert that was changed again since stays as it is.
    """
    with services().database.write() as session:
        bulk = service.prepare_undo(session, caller().actor, caller().name, bulk_id)
    service.run_in_background(services().database, bulk.id)
    return msgspec.to_builtins(bulk)  # type: ignore[no-any-return]


@alerts.post("/undo")
@permit(alerts, "alerts.write")
@alerts.input(schemas.UndoIn)
@alerts.output(schemas.UndoOut)
@alerts.doc(responses=[403, 404])
def undo(json_data: Body) -> Body:
    """Take back one's own change

    Within ten minutes; an alert that was changed again since stays as it is.
    """
    with services().database.write() as session:
        return {"restored": service.undo_change(session, caller().actor, json_data["batch"])}


@alerts.post("/<int:alert_id>/notes")
@permit(alerts, "alerts.write")
@alerts.input(schemas.NoteIn)
@alerts.output({}, status_code=204)
@alerts.doc(responses=[404])
def add_note(alert_id: int, json_data: Body) -> Response:
    """Add a note"""
    with services().database.write() as session:
        service.add_note(session, caller().actor, alert_id, json_data["note"])
    return Response(status=204)


def _number(text: str) -> int:
    try:
        return row_id(text)
    except ValueError as error:
        raise Invalid(f"{text[:20]!r} is no number of an alert", field="versions") from error


def alert_filter(query: Body) -> AlertFilter:
    """The filter of query parameters. Raises Invalid for an entity that is not ``kind:value``."""
    lists = ("status", "level", "engine", "rule", "host", "tag", "assignee", "verdict")
    entities = []
    for text in query["entity"]:
        kind, _, value = text.partition(":")
        if kind not in ENTITY_KINDS or not value:
            raise Invalid(f"{text!r} is no entity", f"write kind:value with one of {', '.join(ENTITY_KINDS)}", field="entity")
        entities.append((kind, value))
    given = {name: tuple(query[name]) for name in lists}
    given["status"] = narrowed(given["status"], query["suppressed"])
    return AlertFilter(
        **given, entity=tuple(entities), text=query["text"], start=query["start"], end=query["end"],
        suppression=tuple(query["suppression"]), lead=tuple(query["merged_into"]),
    )  # fmt: skip


def expected_version(header: str) -> int | None:
    """The version in If-Match, None for ``*``. Raises Problem: 428 without the header, 400 where it cannot be read."""
    value = header.strip()
    if not value:
        raise Problem(428, "If-Match is missing", "send the ETag of the version you decided on, or *")
    if value == "*":
        return None
    match = _ETAG.fullmatch(value)
    if match is None:
        raise Problem(400, "If-Match cannot be read", 'send it as it came, e.g. If-Match: "3"')
    return int(match[1])
