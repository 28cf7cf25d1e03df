"""``/api/v1/services/supervision``: how periods were kept, what was used, the year of an organisation."""

from __future__ import annotations

from typing import Any

import msgspec
from apiflask import APIBlueprint
from marshmallow import RAISE

from operations.services import supervision as figures
from soc_ui.api import service_schemas as schemas
from soc_ui.api.guard import permit
from soc_ui.services import services

supervision = APIBlueprint("api_supervision", __name__, url_prefix="/api/v1/services/supervision", tag="services")
Body = dict[str, Any]


@supervision.get("")
@permit(supervision, "services.read")
@supervision.input(schemas.YearIn, location="query", unknown=RAISE)
@supervision.output(schemas.KeptListOut)
def kept(query_data: Body) -> Body:
    """Tell how periods were kept

    By service, of what was applied for in a year. A bureau gets its own applications only.
    """
    with services().database.read() as session:
        found = figures.services_kept(session, *figures.year_bounds(query_data["year"]))
    return {"services": msgspec.to_builtins(found)}


@supervision.get("/usage")
@permit(supervision, "services.read")
@supervision.input(schemas.UsageIn, location="query", unknown=RAISE)
@supervision.output(schemas.UsageOut)
def usage(query_data: Body) -> Body:
    """Tell what was used in a month

    By organisation: events that concern its zones, their stored size, permits in force, certificates issued, searches.
    """
    with services().database.read() as session:
        found = figures.usage_of_month(session, f"{query_data['year']}-{query_data['month']:02d}")
    return {"usage": [{"bureau": bureau, **msgspec.to_builtins(month)} for bureau, month in found]}


@supervision.get("/summary")
@permit(supervision, "services.read")
@supervision.input(schemas.SummaryIn, location="query", unknown=RAISE)
@supervision.output(schemas.SummaryOut)
def summary(query_data: Body) -> Body:
    """Tell the year of an organisation"""
    with services().database.read() as session:
        return msgspec.to_builtins(figures.summary(session, query_data["bureau"], query_data["year"]))  # type: ignore[no-any-return]
