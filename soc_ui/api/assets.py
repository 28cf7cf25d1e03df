"""``/api/v1/assets``: the register of devices and what was seen on the network."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from flask import Response
from marshmallow import RAISE

from kernel.zones.plan import Asset
from operations.assets import listing, register
from operations.assets.schema import AssetFilter
from operations.zones import service as zones
from soc_ui.api import zone_schemas as schemas
from soc_ui.api.guard import caller, permit
from soc_ui.api.preconditions import put, require
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

assets = APIBlueprint("api_assets", __name__, url_prefix="/api/v1/assets", tag="assets")
Body = dict[str, Any]


@assets.get("")
@permit(assets, "assets.read")
@assets.input(schemas.AssetListIn, location="query", unknown=RAISE)
@assets.output(schemas.AssetPageOut)
def list_assets(query_data: Body) -> Body:
    """List assets

    Registered ones and those that were only seen; parameters narrow each other.
    """
    where = AssetFilter(**{name: query_data[name] for name in ("status", "zone", "kind", "bureau", "text")})
    with services().database.read() as session:
        page = listing.list_assets(session, where, sort=query_data["sort"], limit=query_data["limit"], cursor=query_data["cursor"])
        total = listing.count_assets(session, where) if query_data["count"] else None
    body: Body = {"assets": msgspec.to_builtins(page.assets), "next_cursor": page.cursor}
    return body | ({"total": total} if total is not None else {})


@assets.get("/<path:key>", merge_slashes=False)
@permit(assets, "assets.read")
@assets.output(schemas.AssetOut)
@assets.doc(responses=[404])
def get_asset(key: str) -> tuple[Body, int, dict[str, str]]:
    """Read one asset"""
    with services().database.read() as session:
        record = register.get(session, key)
    return msgspec.to_builtins(record), 200, {"ETag": f'"{record.version}"'}


@assets.put("/<path:key>", merge_slashes=False)
@permit(assets, "assets.write")
@assets.input(schemas.PreconditionIn, location="headers")
@assets.input(schemas.AssetIn)
@assets.output(schemas.AssetOut)
@assets.doc(responses=[201, 404, 409, 412, 428])
def put_asset(key: str, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Register an asset, or change its entry

    A device that was seen under the key, or with one of the addresses, becomes this asset.
    """
    note = json_data.pop("note")
    wanted = Asset(id=key, **{name: tuple(value) if isinstance(value, list) else value for name, value in json_data.items()})
    with services().database.write() as session:
        table = zones.zone_table(session)
        record, status = put(
            headers_data,
            lambda: register.get(session, key).version,
            lambda version: register.register(session, caller().actor, wanted, table, note=note, expected_version=version),
        )
    return msgspec.to_builtins(record), status, {"ETag": f'"{record.version}"'}


@assets.patch("/<path:key>", merge_slashes=False)
@permit(assets, "assets.write")
@assets.input(IfMatchIn, location="headers")
@assets.input(schemas.AssetStatusIn)
@assets.output(schemas.AssetOut)
@assets.doc(responses=[404, 412, 428])
def set_status(key: str, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Retire an asset, or take it back"""
    with services().database.write() as session:
        require(headers_data["if_match"], register.get(session, key).version)
        record = register.set_status(session, caller().actor, key, json_data["status"], note=json_data["note"])
    return msgspec.to_builtins(record), 200, {"ETag": f'"{record.version}"'}


@assets.delete("/<path:key>", merge_slashes=False)
@permit(assets, "assets.write")
@assets.output({}, status_code=204)
@assets.doc(responses=[404, 422])
def forget(key: str) -> Response:
    """Take an asset off the list

    Refused for a registered one: retire it first. It comes back when it is seen again.
    """
    with services().database.write() as session:
        register.forget(session, caller().actor, key)
    return Response(status=204)
