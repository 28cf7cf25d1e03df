"""``/api/v1``: zones, conduits, what crosses between zones, and the plan as one text."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE

from kernel.zones.plan import Conduit, PlanError, Zone, read_draft, write_plan
from operations.audit import service as audit
from operations.zones import service
from operations.zones.schema import ConduitRecord, ZoneRecord
from soc_ui import times
from soc_ui.api import zone_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.preconditions import put
from soc_ui.api.problems import Problem
from soc_ui.services import services
from soc_ui.zones.flows import traffic

zones = APIBlueprint("api_zones", __name__, url_prefix="/api/v1", tag="zones")
Body = dict[str, Any]


@zones.get("/zones")
@permit(zones, "zones.read")
@zones.output(schemas.ZonesOut)
def list_zones() -> Body:
    """List the zones"""
    with services().database.read() as session:
        return {"zones": [_zone(record) for record in service.list_zones(session)]}


@zones.get("/zones/<zone_id>")
@permit(zones, "zones.read")
@zones.output(schemas.ZoneOut)
@zones.doc(responses=[404])
def get_zone(zone_id: str) -> tuple[Body, int, dict[str, str]]:
    """Read one zone"""
    with services().database.read() as session:
        record = service.get_zone(session, zone_id)
    return _zone(record), 200, _etag(record.version)


@zones.put("/zones/<zone_id>")
@permit(zones, "zones.write")
@zones.input(schemas.PreconditionIn, location="headers")
@zones.input(schemas.ZoneIn)
@zones.output(schemas.ZoneOut)
@zones.doc(responses=[201, 404, 409, 412, 428])
def put_zone(zone_id: str, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Make or change a zone

    Checked against the whole plan; workers use it within two seconds.
    """
    wanted = Zone(id=zone_id, **_tuples(json_data))
    with services().database.write() as session:
        record, status = put(
            headers_data,
            lambda: service.get_zone(session, zone_id).version,
            lambda version: service.save_zone(session, caller().actor, wanted, expected_version=version),
        )
    return _zone(record), status, _etag(record.version)


@zones.delete("/zones/<zone_id>")
@permit(zones, "zones.write")
@zones.output({}, status_code=204)
@zones.doc(responses=[404, 422])
def delete_zone(zone_id: str) -> Response:
    """Delete a zone

    Refused while a conduit names it.
    """
    with services().database.write() as session:
        service.delete_zone(session, caller().actor, zone_id)
    return Response(status=204)


@zones.get("/conduits")
@permit(zones, "zones.read")
@zones.input(schemas.ConduitListIn, location="query", unknown=RAISE)
@zones.output(schemas.ConduitsOut)
def list_conduits(query_data: Body) -> Body:
    """List the conduits"""
    with services().database.read() as session:
        found = service.list_conduits(session, zone=query_data["zone"])
    return {"conduits": [_conduit(record) for record in found if query_data["state"] in ("", record.state)]}


@zones.get("/conduits/<conduit_id>")
@permit(zones, "zones.read")
@zones.output(schemas.ConduitOut)
@zones.doc(responses=[404])
def get_conduit(conduit_id: str) -> tuple[Body, int, dict[str, str]]:
    """Read one conduit"""
    with services().database.read() as session:
        record = service.get_conduit(session, conduit_id)
    return _conduit(record), 200, _etag(record.version)


@zones.put("/conduits/<conduit_id>")
@permit(zones, "zones.write")
@zones.input(schemas.PreconditionIn, location="headers")
@zones.input(schemas.ConduitIn)
@zones.output(schemas.ConduitOut)
@zones.doc(responses=[201, 404, 409, 412, 428])
def put_conduit(conduit_id: str, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Make or change a conduit"""
    wanted = Conduit(id=conduit_id, **_tuples(json_data))
    with services().database.write() as session:
        record, status = put(
            headers_data,
            lambda: service.get_conduit(session, conduit_id).version,
            lambda version: service.save_conduit(session, caller().actor, wanted, expected_version=version),
        )
    return _conduit(record), status, _etag(record.version)


@zones.delete("/conduits/<conduit_id>")
@permit(zones, "zones.write")
@zones.output({}, status_code=204)
@zones.doc(responses=[404])
def delete_conduit(conduit_id: str) -> Response:
    """Delete a conduit

    What it permitted is denied from then on.
    """
    with services().database.write() as session:
        service.delete_conduit(session, caller().actor, conduit_id)
    return Response(status=204)


@zones.get("/crossings")
@permit(zones, "zones.read")
@zones.input(schemas.CrossingsIn, location="query", unknown=RAISE)
@zones.output(schemas.CrossingsOut)
def list_crossings(query_data: Body) -> Body:
    """Count what crossed between zones

    Events from the client's zone to the server's, by the verdict of the plan; at most some seconds old.
    """
    found = traffic(times.Window("", query_data["start"], query_data["end"]))
    return {"crossings": list(found.flows), "incomplete": found.incomplete}


@zones.get("/zoneplan")
@permit(zones, "zones.read")
@zones.output(schemas.PlanOut)
def get_plan() -> tuple[Body, int, dict[str, str]]:
    """Read the whole plan

    Zones, conduits and registered assets, as ``./liandun zones import`` reads them. The ETag is the revision at its head.
    """
    with services().database.write() as session:
        audit.append(session, caller().actor, "zone.export", "zone")
        revision = service.hold(session)
        return {"plan": write_plan(service.read(session), revision)}, 200, _etag(revision)


@zones.put("/zoneplan")
@permit(zones, "zones.write")
@zones.input(schemas.PlanPreconditionIn, location="headers")
@zones.input(schemas.PlanIn)
@zones.output(schemas.ImportedOut)
@zones.doc(responses=[412, 428])
def put_plan(headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Take in a plan

    What it names is made or changed; it may name zones that stand without repeating them. All mistakes are told at once in
    ``errors.plan``, each with its line; then nothing changes. With ``check`` the answer tells what would be done.
    """
    check, condition = json_data["check"], headers_data["if_match"]
    wanted = None if check and not condition else expected_version(condition)
    try:
        draft = read_draft(json_data["plan"], "plan")
        with services().database.write() as session:
            now = service.hold(session)
            if wanted not in (None, now):
                raise Problem(412, "the plan was changed by somebody else", "read it again and decide once more")
            done = service.import_plan(session, caller().actor, draft, replace=json_data["replace"])
            if check:
                session.rollback()
    except PlanError as error:
        raise Problem(422, "the plan has mistakes", error.hint, errors={"plan": error.message.split("\n")}) from error
    return msgspec.to_builtins(done), 200, _etag(now if check else done.revision)


def _zone(record: ZoneRecord) -> Body:
    return msgspec.structs.asdict(record.zone) | _changed(record)


def _conduit(record: ConduitRecord) -> Body:
    return msgspec.structs.asdict(record.conduit) | _changed(record) | {"state": record.state}


def _changed(record: ZoneRecord | ConduitRecord) -> Body:
    return {"changed_at": record.changed_at, "changed_by": record.changed_by, "version": record.version}


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def _tuples(given: Body) -> Body:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
