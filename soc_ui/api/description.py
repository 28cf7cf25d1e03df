"""The OpenAPI 3.1 description at ``/api/v1/openapi.json``, and a plain page of it at ``/api/v1/docs`` (no foreign origin)."""

from __future__ import annotations

import re
import warnings
from typing import Any

from apiflask import APIBlueprint, APIFlask, Schema
from flask import Response, current_app, json, render_template, request
from marshmallow import class_registry

from soc_ui.api import inbound, reference
from soc_ui.permission_table import entries, told

description = APIBlueprint("api_description", __name__, url_prefix="/api/v1", enable_openapi=False)


@description.get("/openapi.json")
def openapi() -> Response:
    """The description itself; it holds nothing secret and needs no login."""
    return Response(json.dumps(_spec()), mimetype="application/json")


@description.get("/docs")
def docs() -> str:
    """The description to read."""
    spec = _spec()
    needed = {_operation_id(one.endpoint): told(one) for one in entries(current_app)}
    return render_template(
        "api/reference.html", spec=spec, subjects=reference.operations(spec, needed), shapes=reference.shapes(spec)
    )


def _spec() -> dict[str, Any]:
    """Made once: it takes half a second, and whoever asks is not signed in."""
    known = current_app.extensions.setdefault("liandun_description", {})
    if "spec" not in known:
        with warnings.catch_warnings():  # schemas used both alone and nested are met twice; _tidy makes them one again
            warnings.simplefilter("ignore", UserWarning)
            known["spec"] = current_app.spec  # type: ignore[attr-defined]
    return known["spec"] | {"servers": [{"url": request.script_root or "/"}]}


def _operation_id(endpoint: str) -> str:
    """``api_incidents.decide`` → ``incidents_decide``: what makers of clients call the function."""
    return endpoint.removeprefix("api_").replace(".", "_")


def _name(schema: Schema | type[Schema]) -> str:
    """Of a shape, for clients: its class, and where several modules have one of this name, the module before it
    (``IncidentDecisionIn``, ``CatalogueDecisionIn``). The framework would number them, and one would be taken for another."""
    shape = schema if isinstance(schema, type) else type(schema)
    name = shape.__name__
    if not isinstance(class_registry.get_class(name, all=True), list):  # a list where there are several
        return name
    room = shape.__module__.rpartition(".")[2].removesuffix("_schemas")
    return "".join(word.capitalize() for word in room.split("_")) + name


_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "What to do about it"},
        "position": {"type": "integer", "description": "Character where a query went wrong, from 0"},
        "errors": {
            "type": "object",
            "description": "Messages by field",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}


def _tidy(spec: dict[str, Any]) -> dict[str, Any]:
    """Errors are problem+json, If-Match is needed, each schema has one name, each operation a name and a subject."""
    inbound.describe(spec)
    for one in entries(current_app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one.rule)
        operation = spec["paths"].get(path, {}).get(one.method.lower())
        if operation is not None:
            blueprint = one.endpoint.partition(".")[0]
            operation["operationId"] = _operation_id(one.endpoint)
            operation["tags"] = [current_app.blueprints[blueprint].tag]  # type: ignore[attr-defined]
    schemas = spec["components"]["schemas"]
    for operation in (operation for item in spec["paths"].values() for operation in item.values()):
        for status, response in operation["responses"].items():
            if status >= "400":
                response["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        for parameter in operation.get("parameters", []):
            if parameter["name"] == "If-Match" and "If-None-Match" not in names:
                parameter["required"] = True
                parameter["schema"].pop("default", None)
    doubles = {name: name[:-1] for name in schemas if name.endswith("1") and name[:-1] in schemas}
    text = json.dumps(spec)
    for double, single in doubles.items():
        text = text.replace(f'"#/components/schemas/{double}"', f'"#/components/schemas/{single}"')
    tidied: dict[str, Any] = json.loads(text)
    kept = {name: schema for name, schema in tidied["components"]["schemas"].items() if name not in doubles}
    kept = {name: schema for name, schema in kept.items() if name not in ("HTTPError", "ValidationError")}
    tidied["components"]["schemas"] = kept | {"Problem": _PROBLEM}
    return tidied


def install(app: APIFlask) -> None:
    """What the description says about the whole API."""
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["AUTO_SERVERS"] = False  # the address that one caller named would be told to the next
    app.schema_name_resolver = _name
    app.description = (
        "Alerts, early warnings, incidents, events, rules, sources, zones, assets, tickets, services, duty, reports, compliance, "
        "webhooks, keys, accounts and audit of Liandun. "
        "Errors are problem+json (RFC 9457)."
    )
    app.tags = [
        "alerts",
        "warnings",
        "incidents",
        "events",
        "searches",
        "live",
        "catalogue",
        "rule tuning",
        "indicators",
        "advisories",
        "zones",
        "assets",
        "risks",
        "playbooks",
        "tickets",
        "services",
        "improvements",
        "duty",
        "reports",
        "compliance",
        "webhooks",
        "keys",
        "accounts",
        "audit",
    ]
    app.config["SECURITY_SCHEMES"] = {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "A key ldn_… of the page API keys"},
        "Session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "liandun_session",
            "description": "The console's session; writing needs the header X-CSRFToken",
        },
        "Signature": {
            "type": "apiKey",
            "in": "header",
            "name": "webhook-signature",
            "description": "Standard Webhooks: v1,BASE64 of HMAC-SHA256 (v1sm3: HMAC-SM3) over id.timestamp.body",
        },
    }
    app.spec_processor(_tidy)
