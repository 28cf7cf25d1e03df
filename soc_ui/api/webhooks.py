"""``/api/v1/webhooks``: signed notifications of new alerts, their deliveries and dead letters."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE

from crypto.secret import MasterKey
from operations.errors import Conflict
from operations.webhooks import service
from operations.webhooks.preview import preview
from operations.webhooks.rehearsal import rehearse
from soc_ui.api import webhook_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

webhooks = APIBlueprint("api_webhooks", __name__, url_prefix="/api/v1/webhooks", tag="webhooks")
Body = dict[str, Any]


@webhooks.get("")
@permit(webhooks, "webhooks.manage")
@webhooks.output(schemas.WebhooksOut)
def list_targets() -> Body:
    """List webhooks"""
    with services().database.read() as session:
        return {"webhooks": msgspec.to_builtins(service.list_targets(session))}


@webhooks.post("")
@permit(webhooks, "webhooks.manage")
@webhooks.input(schemas.WebhookIn)
@webhooks.output(schemas.WebhookCreatedOut, status_code=201)
def create_target(json_data: Body) -> Body:
    """Make a webhook

    The answer holds the signing secret that was made, which is not shown again; it is "" for kinds whose secret is given.
    """
    key, policy = _key(), services().webhook_policy
    service.look_at(json_data["kind"], json_data["url"], json_data["settings"], policy)
    with services().database.write() as session:
        target, secret = service.create_target(session, caller().actor, key, **json_data, policy=policy)
    return {**msgspec.to_builtins(target), "secret": secret}


@webhooks.post("/preview")
@permit(webhooks, "webhooks.manage")
@webhooks.input(schemas.PreviewIn)
@webhooks.output(schemas.PreviewOut)
def show_preview(json_data: Body) -> Body:
    """Show how a template tells an example

    Nothing is sent. For the kinds that people read.
    """
    return msgspec.to_builtins(preview(json_data["kind"], json_data["language"], json_data["template"]))  # type: ignore[no-any-return]


@webhooks.post("/routing/preview")
@permit(webhooks, "webhooks.manage")
@webhooks.input(schemas.RehearsalIn)
@webhooks.output(schemas.RehearsalOut)
def show_rehearsal(json_data: Body) -> Body:
    """Show which of the last 50 notifications routing would have let through

    Nothing is sent or saved.
    """
    with services().database.read() as session:
        return {"notifications": msgspec.to_builtins(rehearse(session, json_data["min_level"], json_data["routing"]))}


@webhooks.get("/<int:target_id>")
@permit(webhooks, "webhooks.manage")
@webhooks.output(schemas.WebhookOut)
@webhooks.doc(responses=[404])
def get_target(target_id: int) -> tuple[Body, int, dict[str, str]]:
    """Read one webhook"""
    with services().database.read() as session:
        target = service.get_target(session, target_id)
    return msgspec.to_builtins(target), 200, {"ETag": f'"{target.version}"'}


@webhooks.patch("/<int:target_id>")
@permit(webhooks, "webhooks.manage")
@webhooks.input(IfMatchIn, location="headers")
@webhooks.input(schemas.WebhookChangeIn)
@webhooks.output(schemas.WebhookOut)
@webhooks.doc(responses=[404, 412, 428])
def change_target(target_id: int, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Change a webhook"""
    version = expected_version(headers_data["if_match"])
    if "url" in json_data:
        with services().database.read() as session:
            there = service.get_target(session, target_id)
        service.look_at(there.kind, json_data["url"], json_data.get("settings", there.settings), services().webhook_policy)
    try:
        with services().database.write() as session:
            target = service.change_target(
                session,
                caller().actor,
                target_id,
                key=services().master_key,
                **json_data,
                expected_version=version,
                policy=services().webhook_policy,
            )
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error
    return msgspec.to_builtins(target), 200, {"ETag": f'"{target.version}"'}


@webhooks.delete("/<int:target_id>")
@permit(webhooks, "webhooks.manage")
@webhooks.output({}, status_code=204)
@webhooks.doc(responses=[404])
def delete_target(target_id: int) -> Response:
    """Delete a webhook with its deliveries"""
    with services().database.write() as session:
        service.delete_target(session, caller().actor, target_id)
    return Response(status=204)


@webhooks.post("/<int:target_id>/secret")
@permit(webhooks, "webhooks.manage")
@webhooks.output(schemas.SecretOut)
@webhooks.doc(responses=[404])
def renew_secret(target_id: int) -> Body:
    """Renew the signing secret"""
    with services().database.write() as session:
        return {"secret": service.renew_secret(session, caller().actor, _key(), target_id)}


@webhooks.post("/<int:target_id>/test")
@permit(webhooks, "webhooks.manage")
@webhooks.output(schemas.TestSentOut, status_code=202)
@webhooks.doc(responses=[404])
def send_test(target_id: int) -> Body:
    """Queue a test message

    Its outcome is in the attempts of the delivery.
    """
    with services().database.write() as session:
        return {"delivery_id": service.send_test(session, caller().actor, target_id)}


@webhooks.get("/<int:target_id>/deliveries")
@permit(webhooks, "webhooks.manage")
@webhooks.input(schemas.DeliveriesIn, location="query", unknown=RAISE)
@webhooks.output(schemas.DeliveryPageOut)
@webhooks.doc(responses=[404])
def list_deliveries(target_id: int, query_data: Body) -> Body:
    """List deliveries

    Newest first; ``status=dead`` is the dead-letter list.
    """
    with services().database.read() as session:
        service.get_target(session, target_id)
        page = service.list_deliveries(
            session, target_id, status=query_data["status"], limit=query_data["limit"], cursor=query_data["cursor"]
        )
    return {"deliveries": msgspec.to_builtins(page.deliveries), "next_cursor": page.cursor}


@webhooks.get("/deliveries/<int:delivery_id>/attempts")
@permit(webhooks, "webhooks.manage")
@webhooks.output(schemas.AttemptsOut)
@webhooks.doc(responses=[404])
def list_attempts(delivery_id: int) -> Body:
    """List the attempts of a delivery"""
    with services().database.read() as session:
        return {"attempts": msgspec.to_builtins(service.list_attempts(session, delivery_id))}


@webhooks.post("/deliveries/<int:delivery_id>/replay")
@permit(webhooks, "webhooks.manage")
@webhooks.output(schemas.DeliveryOut, status_code=202)
@webhooks.doc(responses=[404])
def replay(delivery_id: int) -> Body:
    """Send a delivery again"""
    with services().database.write() as session:
        return msgspec.to_builtins(service.replay(session, caller().actor, delivery_id))  # type: ignore[no-any-return]


@webhooks.post("/<int:target_id>/replay")
@permit(webhooks, "webhooks.manage")
@webhooks.output(schemas.ReplayedOut, status_code=202)
@webhooks.doc(responses=[404])
def replay_dead(target_id: int) -> Body:
    """Send all dead letters of a webhook again"""
    with services().database.write() as session:
        return {"deliveries": service.replay_dead(session, caller().actor, target_id)}


def _key() -> MasterKey:
    key = services().master_key
    if key is None:
        raise Problem(503, "this console has no master key, so it cannot keep signing secrets", "start it through ./liandun serve")
    return key
