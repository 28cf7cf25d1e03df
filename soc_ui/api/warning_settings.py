"""``/api/v1/warnings/settings``: the tables of the site behind warnings."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint

from operations.warnings import settings
from soc_ui.api import warning_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit, permit_any
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

warning_settings = APIBlueprint("api_warning_settings", __name__, url_prefix="/api/v1/warnings/settings", tag="warnings")
Body = dict[str, Any]


@warning_settings.get("")
@permit_any(warning_settings, "warnings.read", "warnings.settings")
@warning_settings.output(schemas.SettingsOut)
def list_settings() -> Body:
    """List the tables

    ``matrix`` (importance → harm → level), ``deadlines`` (level → hours), ``patterns``. What nobody has compared with the
    text of the standard says ``to_be_confirmed``.
    """
    with services().database.read() as session:
        return {"settings": msgspec.to_builtins(settings.every(session))}


@warning_settings.get("/<name>")
@permit_any(warning_settings, "warnings.read", "warnings.settings")
@warning_settings.output(schemas.SettingOut)
@warning_settings.doc(responses=[404])
def get_setting(name: str) -> tuple[Body, int, dict[str, str]]:
    """Read one table"""
    with services().database.read() as session:
        found = settings.get(session, name)
    return msgspec.to_builtins(found), 200, {"ETag": f'"{found.version}"'}


@warning_settings.put("/<name>")
@permit(warning_settings, "warnings.settings")
@warning_settings.input(IfMatchIn, location="headers")
@warning_settings.input(schemas.SettingIn)
@warning_settings.output(schemas.SettingOut)
@warning_settings.doc(responses=[404, 412, 422, 428])
def put_setting(name: str, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Replace one table"""
    version = expected_version(headers_data["if_match"])
    with services().database.write() as session:
        made = settings.change(session, caller(), name, **json_data, expected_version=version)
    return msgspec.to_builtins(made), 200, {"ETag": f'"{made.version}"'}
