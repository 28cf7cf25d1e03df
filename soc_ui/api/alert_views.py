"""``/api/v1/alert-views``: saved views of the queue of alerts."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from apiflask import APIBlueprint
from flask import Response
from werkzeug.datastructures import MultiDict

from operations.alerts import service
from operations.alerts.saved_views import View
from operations.errors import Conflict
from soc_ui.alerts import filters
from soc_ui.api import alert_queue_schemas as schemas
from soc_ui.api.alerts import expected_version
from soc_ui.api.guard import caller, permit
from soc_ui.api.problems import Problem
from soc_ui.api.schemas import IfMatchIn
from soc_ui.services import services

alert_views = APIBlueprint("api_alert_views", __name__, url_prefix="/api/v1/alert-views", tag="alerts")
Body = dict[str, Any]


@alert_views.get("")
@permit(alert_views, "alerts.read")
@alert_views.output(schemas.ViewsOut)
def list_views() -> Body:
    """List saved views

    One's own and those that accounts of the same scope share.
    """
    with services().database.read() as session:
        return {"views": msgspec.to_builtins(service.list_views(session, caller()))}


@alert_views.post("")
@permit(alert_views, "alerts.read")
@alert_views.input(schemas.ViewIn)
@alert_views.output(schemas.ViewOut, status_code=201)
def create_view(json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Save a view"""
    with services().database.write() as session:
        view = service.create_view(session, caller(), json_data["name"], _pairs(json_data["query"]), shared=json_data["shared"])
    return _told(view, 201)


@alert_views.get("/<slug>")
@permit(alert_views, "alerts.read")
@alert_views.output(schemas.ViewOut)
@alert_views.doc(responses=[404])
def get_view(slug: str) -> tuple[Body, int, dict[str, str]]:
    """Read a saved view"""
    with services().database.read() as session:
        return _told(service.get_view(session, caller(), slug))


@alert_views.patch("/<slug>")
@permit(alert_views, "alerts.read")
@alert_views.input(IfMatchIn, location="headers")
@alert_views.input(schemas.ViewChangeIn)
@alert_views.output(schemas.ViewOut)
@alert_views.doc(responses=[404, 412, 428])
def change_view(slug: str, headers_data: Body, json_data: Body) -> tuple[Body, int, dict[str, str]]:
    """Change one's own view"""
    version = expected_version(headers_data["if_match"])
    query = json_data.pop("query", None)
    pairs = None if query is None else _pairs(query)
    try:
        with services().database.write() as session:
            return _told(service.change_view(session, caller(), slug, expected_version=version, pairs=pairs, **json_data))
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error


@alert_views.delete("/<slug>")
@permit(alert_views, "alerts.read")
@alert_views.input(IfMatchIn, location="headers")
@alert_views.output({}, status_code=204)
@alert_views.doc(responses=[404, 412, 428])
def delete_view(slug: str, headers_data: Body) -> Response:
    """Delete one's own view"""
    try:
        with services().database.write() as session:
            service.delete_view(session, caller(), slug, expected_version=expected_version(headers_data["if_match"]))
    except Conflict as error:
        raise Problem(412, error.message, error.hint) from error
    return Response(status=204)


def _pairs(query: str) -> list[tuple[str, str]]:
    return filters.kept(MultiDict(parse_qsl(query.removeprefix("?"), keep_blank_values=True)))


def _told(view: View, status: int = 200) -> tuple[Body, int, dict[str, str]]:
    return msgspec.to_builtins(view), status, {"ETag": f'"{view.version}"'}
