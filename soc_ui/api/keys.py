"""``/api/v1/keys``: API keys. A key cannot make keys: who has stolen one must not be able to make it last."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response

from operations.accounts import keys as service
from soc_ui.api import guard
from soc_ui.api import key_schemas as schemas
from soc_ui.api.guard import caller, permit
from soc_ui.services import services

keys = APIBlueprint("api_keys", __name__, url_prefix="/api/v1/keys", tag="keys")
Body = dict[str, Any]


@keys.get("")
@permit(keys, "keys.own")
@keys.output(schemas.KeysOut)
def list_keys() -> Body:
    """List keys

    One's own; a security administrator sees all.
    """
    with services().database.read() as session:
        return {"keys": msgspec.to_builtins(service.list_keys(session, caller()))}


@keys.post("")
@permit(keys, "keys.own")
@keys.input(schemas.KeyIn)
@keys.output(schemas.KeyCreatedOut, status_code=201)
def create_key(json_data: Body) -> Body:
    """Make a key

    Only from a console session with a fresh proof (header X-Proof). The answer holds the key, which is not shown again.
    """
    guard.fresh()
    with services().database.write() as session:
        record, key = service.create_key(session, caller(), **json_data)
    return {**msgspec.to_builtins(record), "key": key}


@keys.patch("/<int:key_id>")
@permit(keys, "keys.own")
@keys.input(schemas.KeyNarrowIn)
@keys.output(schemas.KeyOut)
@keys.doc(responses=[404])
def narrow_key(key_id: int, json_data: Body) -> Body:
    """Take permissions away from a key

    It is never given more. A security administrator may narrow everybody's.
    """
    guard.fresh()
    with services().database.write() as session:
        record = service.narrow_key(
            session, caller(), key_id, permissions=json_data["permissions"], networks=json_data.get("networks")
        )
    return msgspec.to_builtins(record)  # type: ignore[no-any-return]


@keys.delete("/<int:key_id>")
@permit(keys, "keys.own")
@keys.output({}, status_code=204)
@keys.doc(responses=[404])
def revoke_key(key_id: int) -> Response:
    """Revoke a key

    It is worthless at once.
    """
    with services().database.write() as session:
        service.revoke_key(session, caller(), key_id)
    return Response(status=204)
