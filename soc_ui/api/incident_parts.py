"""``/api/v1/incidents/<id>/…``: tasks, timeline, indicators, affected assets and services."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response

from operations.incidents import service
from operations.incidents.schema import TaskChange
from soc_ui.api import incident_part_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

incident_parts = APIBlueprint("api_incident_parts", __name__, url_prefix="/api/v1/incidents/<int:incident_id>", tag="incidents")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@incident_parts.get("/tasks")
@permit(incident_parts, "incidents.read")
@incident_parts.output(schemas.TasksOut)
@incident_parts.doc(responses=[404])
def list_tasks(incident_id: int) -> Body:
    """List the tasks"""
    with services().database.read() as session:
        return {"tasks": msgspec.to_builtins(service.list_tasks(session, incident_id))}


@incident_parts.post("/tasks")
@permit(incident_parts, "incidents.write")
@incident_parts.input(schemas.TaskIn)
@incident_parts.output(schemas.TaskOut, status_code=201)
@incident_parts.doc(responses=[404, 409])
def add_task(incident_id: int, json_data: Body) -> Answer:
    """Add a task"""
    title = json_data.pop("title")
    with services().database.write() as session:
        return _answer(service.add_task(session, caller().actor, incident_id, title, **json_data), 201)


@incident_parts.post("/tasks/template")
@permit(incident_parts, "incidents.write")
@incident_parts.output(schemas.AddedOut)
@incident_parts.doc(responses=[404, 409])
def use_template(incident_id: int) -> Body:
    """Add the tasks of the template of its class

    Those that are there already are left out.
    """
    with services().database.write() as session:
        return {"added": service.use_template(session, caller().actor, incident_id)}


@incident_parts.patch("/tasks/<int:task_id>")
@permit(incident_parts, "incidents.write")
@incident_parts.input(IfMatchIn, location="headers")
@incident_parts.input(schemas.TaskChangeIn)
@incident_parts.output(schemas.TaskOut)
@incident_parts.doc(responses=[404, 409, 412, 428])
def change_task(incident_id: int, task_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Change a task"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        change = TaskChange(**json_data)
        return _answer(service.change_task(session, caller().actor, incident_id, task_id, change, expected_version=version))


@incident_parts.get("/timeline")
@permit(incident_parts, "incidents.read")
@incident_parts.output(schemas.TimelineOut)
@incident_parts.doc(responses=[404])
def timeline(incident_id: int) -> Body:
    """Read the timeline

    Newest first. Entries about alerts that the caller may not see are left out.
    """
    with services().database.read() as session:
        return {"entries": msgspec.to_builtins(service.entries(session, incident_id))}


@incident_parts.post("/timeline")
@permit(incident_parts, "incidents.write")
@incident_parts.input(schemas.TimelineEntryIn)
@incident_parts.output({}, status_code=204)
@incident_parts.doc(responses=[404, 409])
def write(incident_id: int, json_data: Body) -> Response:
    """Write a note, a decision or an entry

    Entries are never changed afterwards.
    """
    with services().database.write() as session:
        service.write(session, caller().actor, incident_id, json_data["kind"], json_data["text"], time=json_data["time"])
    return Response(status=204)


@incident_parts.get("/indicators")
@permit(incident_parts, "incidents.read")
@incident_parts.output(schemas.IndicatorsOut)
@incident_parts.doc(responses=[404])
def list_indicators(incident_id: int) -> Body:
    """List the indicators"""
    with services().database.read() as session:
        return {"indicators": msgspec.to_builtins(service.list_indicators(session, incident_id))}


@incident_parts.post("/indicators")
@permit(incident_parts, "incidents.write")
@incident_parts.input(schemas.IndicatorIn)
@incident_parts.output(schemas.IndicatorOut, status_code=201)
@incident_parts.doc(responses=[404, 409])
def add_indicator(incident_id: int, json_data: Body) -> Body:
    """Add an indicator"""
    kind, value = json_data["kind"], json_data["value"]
    with services().database.write() as session:
        added = service.add_indicator(session, caller().actor, incident_id, kind, value, note=json_data["note"])
    return msgspec.to_builtins(added)  # type: ignore[no-any-return]


@incident_parts.delete("/indicators/<int:indicator_id>")
@permit(incident_parts, "incidents.write")
@incident_parts.output({}, status_code=204)
@incident_parts.doc(responses=[404, 409])
def remove_indicator(incident_id: int, indicator_id: int) -> Response:
    """Take an indicator out"""
    with services().database.write() as session:
        service.remove_indicator(session, caller().actor, incident_id, indicator_id)
    return Response(status=204)


@incident_parts.get("/assets")
@permit(incident_parts, "incidents.read")
@incident_parts.output(schemas.AffectedListOut)
@incident_parts.doc(responses=[404])
def list_affected(incident_id: int) -> Body:
    """List affected assets and services

    By city layer.
    """
    with services().database.read() as session:
        shown, hidden = service.list_assets(session, incident_id)
    return {"assets": msgspec.to_builtins(shown), "hidden": hidden}


@incident_parts.post("/assets")
@permit(incident_parts, "incidents.write")
@incident_parts.input(schemas.AffectedIn)
@incident_parts.output(schemas.AffectedOut, status_code=201)
@incident_parts.doc(responses=[404, 409])
def add_affected(incident_id: int, json_data: Body) -> Answer:
    """Add an affected asset or service"""
    kind, name = json_data.pop("kind"), json_data.pop("name")
    with services().database.write() as session:
        return _answer(service.add_asset(session, caller().actor, incident_id, kind, name, **json_data), 201)


@incident_parts.patch("/assets/<int:asset_id>")
@permit(incident_parts, "incidents.write")
@incident_parts.input(IfMatchIn, location="headers")
@incident_parts.input(schemas.AffectedChangeIn)
@incident_parts.output(schemas.AffectedOut)
@incident_parts.doc(responses=[404, 409, 412, 428])
def change_affected(incident_id: int, asset_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Say how an asset fares"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.change_asset(session, caller().actor, incident_id, asset_id, **json_data, expected_version=version))


def _answer(record: Any, status: int = 200) -> Answer:
    return msgspec.to_builtins(record), status, {"ETag": f'"{record.version}"'}
