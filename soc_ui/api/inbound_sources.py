"""``/api/v1/webhooks/inbound``: other systems that may raise alerts."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response

from crypto.secret import MasterKey
from operations.inbound import service
from operations.inbound.schema import SourceRecord
from soc_ui.api import inbound_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.inbound_refusals import refusals
from soc_ui.services import services

inbound_sources = APIBlueprint("api_inbound_sources", __name__, url_prefix="/api/v1/webhooks/inbound", tag="webhooks")
Body = dict[str, Any]


@inbound_sources.get("")
@permit(inbound_sources, "webhooks.manage")
@inbound_sources.output(schemas.InboundListOut)
def list_sources() -> Body:
    """List inbound sources

    With their counters: messages accepted, repeated, and refused by reason.
    """
    refusals().write(services().database)
    with services().database.read() as session:
        return {"sources": msgspec.to_builtins(service.sources(session))}


@inbound_sources.post("")
@permit(inbound_sources, "webhooks.manage")
@inbound_sources.input(schemas.InboundIn)
@inbound_sources.output(schemas.InboundCreatedOut, status_code=201)
def create_source(json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Make an inbound source

    The answer holds its signing secret, which is not shown again.
    """
    with services().database.write() as session:
        source, secret = service.create(session, caller().actor, _key(), **json_data)
    return {**msgspec.to_builtins(source), "secret": secret}, 201, _etag(source)


@inbound_sources.get("/<int:source_id>")
@permit(inbound_sources, "webhooks.manage")
@inbound_sources.output(schemas.InboundOut)
@inbound_sources.doc(responses=[404])
def get_source(source_id: int) -> tuple[Body, int, dict[str, str]]:
    """Read one inbound source"""
    refusals().write(services().database)
    with services().database.read() as session:
        source = service.get(session, source_id)
    return msgspec.to_builtins(source), 200, _etag(source)


@inbound_sources.patch("/<int:source_id>")
@permit(inbound_sources, "webhooks.manage")
@inbound_sources.input(IfMatchIn, location="headers")
@inbound_sources.input(schemas.InboundChangeIn)
@inbound_sources.output(schemas.InboundOut)
@inbound_sources.doc(responses=[404, 412, 428])
def change_source(source_id: int, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Change an inbound source"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        source = service.change(session, caller().actor, source_id, **json_data, expected_version=version)
    return msgspec.to_builtins(source), 200, _etag(source)


@inbound_sources.delete("/<int:source_id>")
@permit(inbound_sources, "webhooks.manage")
@inbound_sources.input(IfMatchIn, location="headers")
@inbound_sources.output({}, status_code=204)
@inbound_sources.doc(responses=[404, 412, 428])
def remove_source(source_id: int, headers_data: Body) -> Response:
    """Remove an inbound source

    Its alerts stay.
    """
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        service.remove(session, caller().actor, source_id, expected_version=version)
    return Response(status=204)


@inbound_sources.post("/<int:source_id>/secret")
@permit(inbound_sources, "webhooks.manage")
@inbound_sources.output(schemas.InboundSecretOut)
@inbound_sources.doc(responses=[404])
def renew_secret(source_id: int) -> Body:
    """Renew the signing secret

    The present one stays good for 24 hours.
    """
    with services().database.write() as session:
        return {"secret": service.renew(session, caller().actor, _key(), source_id)}


@inbound_sources.delete("/<int:source_id>/secret/previous")
@permit(inbound_sources, "webhooks.manage")
@inbound_sources.output({}, status_code=204)
@inbound_sources.doc(responses=[404])
def end_previous(source_id: int) -> Response:
    """End the secret before the present one

    For a secret that became known to others.
    """
    with services().database.write() as session:
        service.end_previous(session, caller().actor, source_id)
    return Response(status=204)


def _etag(source: SourceRecord) -> dict[str, str]:
    return {"ETag": f'"{source.version}"'}


def _key() -> MasterKey:
    key = services().master_key
    if key is None:
        raise Problem(503, "this console has no master key, so it cannot keep signing secrets", "start it through ./liandun serve")
    return key
