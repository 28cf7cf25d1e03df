"""``/api/v1/triggers``: what starts playbooks by itself."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint, Schema
from apiflask.fields import Boolean, Dict, Integer, List, Nested
from apiflask.validators import Length, OneOf, Range
from flask import Response
from marshmallow import RAISE

from playbooks.triggers import service
from playbooks.triggers.models import KINDS
from playbooks.triggers.schema import Definition, Trigger
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit, permit_any
from soc_ui.api.schemas import IfMatchIn, Paging, Strict, String
from soc_ui.services import services

playbook_triggers = APIBlueprint("api_playbook_triggers", __name__, url_prefix="/api/v1/triggers", tag="playbooks")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


class TriggerListIn(Paging):
    kind = String(load_default="", validate=OneOf(("", *KINDS)))
    playbook_id = String(load_default="", validate=Length(0, 160))


class TriggerIn(Strict):
    name = String(required=True, validate=Length(1, service.MAX_NAME))
    playbook_id = String(required=True, validate=Length(1, 160))
    kind = String(required=True, validate=OneOf(KINDS))
    condition = Dict(required=True, metadata={"description": "What it waits for, by its kind (docs/playbooks.md)"})
    variables = Dict(
        String(), String(), load_default={}, metadata={"description": "Variable → text with fields in braces: {source.ip}"}
    )
    throttle_seconds = Integer(load_default=3_600, strict=True, validate=Range(0, service.LONGEST_THROTTLE))
    most_per_hour = Integer(load_default=20, strict=True, validate=Range(1, service.MOST_PER_HOUR))


class TriggerSwitchIn(Strict):
    enabled = Boolean(required=True)


class TriggerOut(TriggerIn):
    id = Integer(required=True)
    enabled = Boolean(required=True)
    author = String(required=True)
    enabled_by = String(required=True)
    due_at = String(required=True, metadata={"description": 'When it starts by the clock; "" = it does not'})
    started = Integer(required=True)
    throttled = Integer(required=True)
    limited = Integer(required=True)
    looped = Integer(required=True)
    failed = Integer(required=True)
    last_at = String(required=True)
    last_run_id = Integer(required=True, allow_none=True)
    last_error = String(required=True)
    created_at = String(required=True)
    updated_at = String(required=True)
    revision = Integer(required=True, metadata={"description": "The ETag"})


class TriggerPageOut(Schema):
    triggers = List(Nested(TriggerOut), required=True)
    next_cursor = String(required=True)


@playbook_triggers.get("")
@permit(playbook_triggers, "playbooks.read")
@playbook_triggers.input(TriggerListIn, location="query", unknown=RAISE)
@playbook_triggers.output(TriggerPageOut)
def list_triggers(query_data: Body) -> Body:
    """List triggers

    Newest first.
    """
    cursor = query_data.pop("cursor")
    with services().database.read() as session:
        page = service.listing(session, after=cursor, **query_data)
    return {"triggers": [_told(one) for one in page.triggers], "next_cursor": page.cursor}


@playbook_triggers.post("")
@permit(playbook_triggers, "playbooks.edit")
@playbook_triggers.input(TriggerIn)
@playbook_triggers.output(TriggerOut, status_code=201)
@playbook_triggers.doc(responses=[409])
def create(json_data: Body) -> Answer:
    """Make a trigger

    Switched off; a second person switches it on.
    """
    with services().database.write() as session:
        return _answer(service.create(session, caller(), Definition(**json_data)), 201)


@playbook_triggers.get("/<int:trigger_id>")
@permit(playbook_triggers, "playbooks.read")
@playbook_triggers.output(TriggerOut)
@playbook_triggers.doc(responses=[404])
def get_trigger(trigger_id: int) -> Answer:
    """Read one trigger"""
    with services().database.read() as session:
        return _answer(service.get(session, trigger_id))


@playbook_triggers.put("/<int:trigger_id>")
@permit(playbook_triggers, "playbooks.edit")
@playbook_triggers.input(IfMatchIn, location="headers")
@playbook_triggers.input(TriggerIn)
@playbook_triggers.output(TriggerOut)
@playbook_triggers.doc(responses=[404, 412, 428])
def change(trigger_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Change a trigger

    It is switched off by that.
    """
    revision = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.change(session, caller(), trigger_id, Definition(**json_data), revision))


@playbook_triggers.patch("/<int:trigger_id>")
@permit_any(playbook_triggers, "playbooks.release", "playbooks.edit")
@playbook_triggers.input(IfMatchIn, location="headers")
@playbook_triggers.input(TriggerSwitchIn)
@playbook_triggers.output(TriggerOut)
@playbook_triggers.doc(responses=[404, 409, 412, 428])
def switch(trigger_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Switch a trigger on or off

    Switching on needs playbooks.release, and is not for who wrote it.
    """
    revision = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        return _answer(service.set_enabled(session, caller(), trigger_id, json_data["enabled"], revision))


@playbook_triggers.delete("/<int:trigger_id>")
@permit(playbook_triggers, "playbooks.edit")
@playbook_triggers.input(IfMatchIn, location="headers")
@playbook_triggers.output({}, status_code=204)
@playbook_triggers.doc(responses=[404, 412, 428])
def remove(trigger_id: int, headers_data: Body) -> Response:
    """Remove a trigger

    Its runs stay.
    """
    revision = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        service.remove(session, caller(), trigger_id, revision)
    return Response(status=204)


def _told(trigger: Trigger) -> Body:
    """A trigger with its definition beside its counts."""
    found: Body = msgspec.to_builtins(trigger)
    definition: Body = found.pop("definition")
    return definition | found


def _answer(trigger: Trigger, status: int = 200) -> Answer:
    return _told(trigger), status, {"ETag": f'"{trigger.revision}"'}
