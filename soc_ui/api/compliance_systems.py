"""``/api/v1/compliance/systems``: MLPS systems, their objects, and what applies to them."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from compliance.systems import applicability, objects, service
from compliance.systems.schema import (
    Filing,
    ObjectDraft,
    ObjectFilter,
    ObjectRecord,
    Responsible,
    SystemDraft,
    SystemFilter,
    SystemRecord,
)
from soc_ui.api import compliance_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.preconditions import put
from soc_ui.api.schemas import IfMatchIn
from soc_ui.api.zone_schemas import PreconditionIn
from soc_ui.services import services

compliance_systems = APIBlueprint("api_compliance_systems", __name__, url_prefix="/api/v1/compliance/systems", tag="compliance")
Body = dict[str, Any]
Answer = tuple[Body, int, dict[str, str]]


@compliance_systems.get("")
@permit(compliance_systems, "compliance.read")
@compliance_systems.input(schemas.SystemListIn, location="query", unknown=RAISE)
@compliance_systems.output(schemas.SystemsOut)
def list_systems(query_data: Body) -> Body:
    """List the systems

    Last changed first; a caller with a scope gets those of their organisations.
    """
    limit, cursor = query_data.pop("limit"), query_data.pop("cursor")
    with services().database.read() as session:
        page = service.list_systems(session, SystemFilter(**query_data), limit=limit, cursor=cursor)
    return {"systems": [_system(one) for one in page.systems], "next_cursor": page.cursor}


@compliance_systems.post("")
@permit(compliance_systems, "compliance.write")
@compliance_systems.input(schemas.SystemIn)
@compliance_systems.output(schemas.SystemOut, status_code=201)
@compliance_systems.doc(responses=[409])
def create_system(json_data: Body) -> Answer:
    """Make a system"""
    with services().database.write() as session:
        made = service.create_system(session, caller(), _draft(json_data))
    return _system(made), 201, _etag(made.version)


@compliance_systems.get("/<int:system_id>")
@permit(compliance_systems, "compliance.read")
@compliance_systems.output(schemas.SystemOut)
@compliance_systems.doc(responses=[404])
def get_system(system_id: int) -> Answer:
    """Read one system"""
    with services().database.read() as session:
        found = service.get_system(session, system_id)
    return _system(found), 200, _etag(found.version)


@compliance_systems.put("/<int:system_id>")
@permit(compliance_systems, "compliance.write")
@compliance_systems.input(IfMatchIn, location="headers")
@compliance_systems.input(schemas.SystemIn)
@compliance_systems.output(schemas.SystemOut)
@compliance_systems.doc(responses=[404, 409, 412, 428])
def change_system(system_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Change a system"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        found = service.change_system(session, caller(), system_id, _draft(json_data), expected_version=version)
    return _system(found), 200, _etag(found.version)


@compliance_systems.get("/<int:system_id>/objects")
@permit(compliance_systems, "compliance.read")
@compliance_systems.input(schemas.ObjectListIn, location="query", unknown=RAISE)
@compliance_systems.output(schemas.ObjectsOut)
@compliance_systems.doc(responses=[404])
def list_objects(system_id: int, query_data: Body) -> Body:
    """List the objects of a system"""
    limit, cursor = query_data.pop("limit"), query_data.pop("cursor")
    with services().database.read() as session:
        page = objects.list_objects(session, system_id, ObjectFilter(**query_data), limit=limit, cursor=cursor)
    return {"objects": [_object(one) for one in page.objects], "next_cursor": page.cursor}


@compliance_systems.post("/<int:system_id>/objects")
@permit(compliance_systems, "compliance.write")
@compliance_systems.input(schemas.ObjectIn)
@compliance_systems.output(schemas.ObjectOut, status_code=201)
@compliance_systems.doc(responses=[404, 409])
def add_object(system_id: int, json_data: Body) -> Answer:
    """Add an object, or one that was taken out, again"""
    with services().database.write() as session:
        made = objects.add_object(session, caller(), system_id, ObjectDraft(**json_data))
    return _object(made), 201, _etag(made.version)


@compliance_systems.post("/<int:system_id>/objects/import")
@permit(compliance_systems, "compliance.write")
@compliance_systems.output(schemas.TakenOverOut)
@compliance_systems.doc(responses=[404])
def take_over_assets(system_id: int) -> Body:
    """Make objects of the registered assets in the zones of a system"""
    with services().database.write() as session:
        return _told(objects.take_over_assets(session, caller(), system_id))


@compliance_systems.get("/<int:system_id>/objects/<int:object_id>")
@permit(compliance_systems, "compliance.read")
@compliance_systems.output(schemas.ObjectOut)
@compliance_systems.doc(responses=[404])
def get_object(system_id: int, object_id: int) -> Answer:
    """Read one object"""
    with services().database.read() as session:
        found = objects.get_object(session, system_id, object_id)
    return _object(found), 200, _etag(found.version)


@compliance_systems.put("/<int:system_id>/objects/<int:object_id>")
@permit(compliance_systems, "compliance.write")
@compliance_systems.input(IfMatchIn, location="headers")
@compliance_systems.input(schemas.ObjectIn)
@compliance_systems.output(schemas.ObjectOut)
@compliance_systems.doc(responses=[404, 409, 412, 428])
def change_object(system_id: int, object_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Change an object; its kind stays"""
    version, draft = expected_version(headers_data["if_match"]), ObjectDraft(**json_data)
    with services().database.write() as session:
        found = objects.change_object(session, caller(), system_id, object_id, draft, expected_version=version)
    return _object(found), 200, _etag(found.version)


@compliance_systems.post("/<int:system_id>/objects/<int:object_id>/removal")
@permit(compliance_systems, "compliance.write")
@compliance_systems.input(IfMatchIn, location="headers")
@compliance_systems.input(schemas.ReasonIn)
@compliance_systems.output(schemas.ObjectOut)
@compliance_systems.doc(responses=[404, 409, 412, 428])
def take_out(system_id: int, object_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Take an object out; its history stays"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        found = objects.take_out(session, caller(), system_id, object_id, json_data["reason"], expected_version=version)
    return _object(found), 200, _etag(found.version)


@compliance_systems.get("/<int:system_id>/applicability")
@permit(compliance_systems, "compliance.read")
@compliance_systems.output(schemas.BearingsOut)
@compliance_systems.doc(responses=[404, 422])
def list_applicability(system_id: int) -> Body:
    """Which items of the catalogue apply to a system, and why"""
    with services().database.read() as session:
        found = applicability.of_system(session, service.get_system(session, system_id))
    return {"items": _told(found)}


@compliance_systems.put("/<int:system_id>/applicability/<item>/<int:object_id>")
@permit(compliance_systems, "compliance.decide")
@compliance_systems.input(PreconditionIn, location="headers")
@compliance_systems.input(schemas.ApplicabilityIn)
@compliance_systems.output(schemas.ApplicabilityDecisionOut)
@compliance_systems.doc(responses=[201, 404, 412, 428])
def decide_applicability(system_id: int, item: str, object_id: int, headers_data: Body, json_data: Body) -> Answer:
    """Decide whether an item applies to an object, or not to the system (object 0)"""
    with services().database.write() as session:
        made, status = put(
            headers_data,
            lambda: applicability.get_decision(session, system_id, item, object_id).version,
            lambda version: applicability.decide(
                session, caller(), system_id, item, json_data["applies"], json_data["reason"],
                object_id=object_id, expected_version=version or 0,
            ),
        )  # fmt: skip
    return _told(made), status, _etag(made.version)


@compliance_systems.post("/<int:system_id>/applicability/<item>/<int:object_id>/withdrawal")
@permit(compliance_systems, "compliance.decide")
@compliance_systems.input(IfMatchIn, location="headers")
@compliance_systems.input(schemas.ReasonIn)
@compliance_systems.output({}, status_code=204)
@compliance_systems.doc(responses=[404, 412, 428])
def withdraw_applicability(system_id: int, item: str, object_id: int, headers_data: Body, json_data: Body) -> tuple[str, int]:
    """Withdraw such a decision: the rule holds again"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        applicability.withdraw(
            session, caller(), system_id, item, json_data["reason"], object_id=object_id, expected_version=version
        )
    return "", 204


def _draft(body: Body) -> SystemDraft:
    filing, people = body.pop("filing"), body.pop("people")
    lists = {name: tuple(body.pop(name)) for name in ("extensions", "zones")}
    return SystemDraft(**body, **lists, people=tuple(Responsible(**one) for one in people), filing=Filing(**filing))


def _system(record: SystemRecord) -> Body:
    return {**_told(record), "level": str(record.level)}


def _object(record: ObjectRecord) -> Body:
    return _told(record)


def _told(record: Any) -> Any:
    return msgspec.to_builtins(record)


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}
