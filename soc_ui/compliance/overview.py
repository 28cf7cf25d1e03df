"""``/compliance/map``: classes of requirements across, systems down; each field says how their verdicts stand."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from compliance.assessment import reading, scoring
from compliance.assessment.reading import Cell
from compliance.catalogue.load import requirements
from compliance.systems import service
from compliance.systems.schema import SystemFilter
from soc_ui import access
from soc_ui.alerts.filters import Links
from soc_ui.services import services

PAGE_ROWS = 20
FILTERS = ("q",)
compliance_overview = Blueprint("compliance_overview", __name__)


@compliance_overview.get("/compliance/map")
@access.needs("compliance.read")
def page() -> str:
    """One page of systems, last changed first: FILTERS and ``cursor``."""
    args = request.args
    where = SystemFilter(text=args.get("q", "")[:200])
    general = requirements().classes
    with services().database.read() as session:
        found = service.list_systems(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        cells = reading.heat_of_systems(session, found.systems)
        last = {one.id: next(iter(scoring.trend(session, one.id, "2025", limit=1)), None) for one in found.systems}
    extensions = {number: _together(of, {one.id for one in general}) for number, of in cells.items()}
    return render_template(
        "compliance/map.html", page=found, cells=cells, extensions=extensions, last=last, classes=general, where=where,
        links=Links(request.path, args, FILTERS),
    )  # fmt: skip


def _together(of_classes: dict[str, Cell], without: set[str]) -> Cell | None:
    """All extensions of a system in one field, None where it has none."""
    rest = [cell for name, cell in of_classes.items() if name not in without]
    if not rest:
        return None
    return Cell(*(sum(getattr(cell, name) for cell in rest) for name in Cell.__struct_fields__))
