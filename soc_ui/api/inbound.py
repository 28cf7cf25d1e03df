"""``POST /api/v1/inbound/<public id>``: other systems raise alerts by signed messages (Standard Webhooks 1.0).

The only address that asks neither for a key nor for a session: whoever calls proves himself by the signature of each message.
Cookies are not looked at, so there is nothing for another site to ride on.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from crypto.errors import SecretError
from operations.inbound.message import Message
from operations.inbound.receiving import MAX_BODY, find, receive
from operations.inbound.schema import Headers
from soc_ui.api import inbound_schemas as schemas
from soc_ui.api.problems import answer
from soc_ui.inbound_refusals import refusals
from soc_ui.services import whole_services

inbound = APIBlueprint("api_inbound", __name__, url_prefix="/api/v1/inbound", tag="webhooks")
log = logging.getLogger(__name__)

_UNPROVEN = "source, signature or time of the message is not right"
_HEADERS = {
    "id": "Id of the message, the same over all attempts",
    "timestamp": "Seconds since the epoch, within 5 minutes",
}
_HOW = "sign it after Standard Webhooks, with a clock that is right within 5 minutes (docs/webhooks.md)"


@inbound.post("/<public_id>")
@inbound.output(schemas.InboundTakenOut)
@inbound.doc(responses=[400, 401, 413, 415, 429, 503], security=["Signature"])
def receive_message(public_id: str) -> Response:
    """Raise an alert by a signed message

    With webhook-id, webhook-timestamp and webhook-signature of Standard Webhooks 1.0. The body is
    {"type": "alert", "timestamp": "…", "data": {"title": "…", "level": "…"}} (docs/webhooks.md), at most 256 KiB.
    The same webhook-id again is acknowledged and changes nothing.
    """
    services = whole_services()
    if services.master_key is None:
        return answer(503, "this console has no master key, so it cannot check signatures", "start it through ./liandun serve")
    if request.mimetype != "application/json":
        return _refuse(public_id, "type", 415, "the body has to be application/json")
    request.max_content_length = MAX_BODY
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return _refuse(public_id, "size", 413, f"a message has at most {MAX_BODY} octets")
    sent = Headers(*(request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")))
    try:
        outcome = receive(services.database, services.master_key, public_id, sent, body)
    except SecretError as error:
        log.error("a signing secret of an inbound source does not open: %s", error)
        return answer(503, "signatures cannot be checked at present")
    if outcome.outcome in ("accepted", "repeated"):
        return Response(b'{"status":"%s"}' % outcome.outcome.encode(), mimetype="application/json")
    if outcome.outcome == "rate":
        refused = answer(429, "too many messages of this source", f"send it again in {outcome.retry_after} s")
        refused.headers["Retry-After"] = str(outcome.retry_after)
        return refused
    if outcome.outcome == "body":
        told = {outcome.field or "body": [outcome.detail]}
        return answer(400, f"{outcome.field or 'body'}: {outcome.detail}", errors=told)
    return _refuse(public_id, "" if outcome.counted else outcome.outcome, 401, _UNPROVEN, _HOW)


def describe(spec: dict[str, Any]) -> None:
    """Put headers and body of a message into the description of the API: they are read after the signature, by no schema of it."""
    operation = spec["paths"]["/api/v1/inbound/{public_id}"]["post"]
    (reference,), schemas_ = msgspec.json.schema_components([Message], ref_template="#/components/schemas/Inbound{name}")
    for name, schema in schemas_.items():
        spec["components"]["schemas"][f"Inbound{name}"] = _without_patterns(schema)
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
    operation["parameters"] = operation.get("parameters", []) + [
        {"name": f"webhook-{name}", "in": "header", "required": True, "schema": {"type": "string"}, "description": told}
        for name, told in _HEADERS.items()
    ]


def _without_patterns(schema: Any) -> Any:
    """The same without regular expressions: they are Python's."""
    if isinstance(schema, dict):
        return {name: _without_patterns(value) for name, value in schema.items() if name not in ("pattern", "propertyNames")}
    return [_without_patterns(one) for one in schema] if isinstance(schema, list) else schema


def _refuse(public_id: str, reason: str, status: int, detail: str, hint: str = "") -> Response:
    """The refusal, counted at the source if there is one."""
    database = whole_services().database
    if reason not in ("", "unknown"):
        with database.read() as session:
            source = find(session, public_id)
        if source is not None:
            refusals().add(database, source.id, reason)
    refused = answer(status, detail, hint)
    if status == 401:
        refused.headers["WWW-Authenticate"] = "StandardWebhooks"
    return refused
