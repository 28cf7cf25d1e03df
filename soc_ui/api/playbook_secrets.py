"""``/api/v1/playbook-secrets``: what playbooks log in with, and which hosts may get it. What was set is never given back."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint, Schema
from apiflask.fields import List, Nested
from apiflask.validators import Length

from playbooks.vault import hosts, service
from soc_ui.api import guard
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import Strict, String
from soc_ui.services import services

playbook_secrets = APIBlueprint("api_playbook_secrets", __name__, url_prefix="/api/v1/playbook-secrets", tag="playbooks")
Body = dict[str, Any]
_HOST = "Name or address, with a port if only that one: gw.example.cn, *.example.cn:8443, [2001:db8::7]:443"


class SecretIn(Strict):
    value = String(
        required=True, validate=Length(1, service.MAX_VALUE), metadata={"description": "Password, token or private key (PEM)"}
    )
    hosts = List(
        String(validate=Length(1, 300), metadata={"description": _HOST}),
        load_default=None,
        allow_none=True,
        validate=Length(max=hosts.MOST),
        metadata={"description": "Servers named by playbooks that may get it; null: as before, for a new secret none"},
    )


class SecretOut(Schema):
    name = String(required=True)
    hosts = List(String(), required=True)
    updated_at = String(required=True)
    updated_by = String(required=True)


class SecretListOut(Schema):
    secrets = List(Nested(SecretOut), required=True)


@playbook_secrets.get("")
@permit(playbook_secrets, "playbooks.secrets")
@playbook_secrets.output(SecretListOut)
def list_secrets() -> Body:
    """List the secrets of playbooks

    Names and hosts, never what they are.
    """
    with services().database.read() as session:
        return {"secrets": msgspec.to_builtins(service.names(session))}


@playbook_secrets.put("/<path:name>")
@permit(playbook_secrets, "playbooks.secrets")
@playbook_secrets.input(SecretIn)
@playbook_secrets.output(SecretOut)
@playbook_secrets.doc(responses=[409, 503])
def set_secret(name: str, json_data: Body) -> Body:
    """Set or replace a secret of playbooks

    Only from a console session with a fresh proof (header X-Proof). Hosts are changed together with the value only.
    """
    guard.fresh()
    key = services().master_key
    if key is None:
        raise Problem(503, "this console has no master key, so it cannot keep secrets", "start it through ./liandun serve")
    with services().database.write() as session:
        record = service.set_secret(session, caller().actor, key, name, json_data["value"], json_data["hosts"])
    found: Body = msgspec.to_builtins(record)
    return found


@playbook_secrets.delete("/<path:name>")
@permit(playbook_secrets, "playbooks.secrets")
@playbook_secrets.output({}, status_code=204)
@playbook_secrets.doc(responses=[404])
def remove_secret(name: str) -> str:
    """Remove a secret of playbooks

    Only from a console session with a fresh proof (header X-Proof). Steps that name it fail from now on.
    """
    guard.fresh()
    with services().database.write() as session:
        service.remove_secret(session, caller().actor, name)
    return ""
