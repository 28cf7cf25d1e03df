"""``/compliance/to-confirm``: what of the catalogue nobody has compared with the printed text, and the form that confirms it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from compliance.confirmations import service
from compliance.confirmations.service import DoubtFilter
from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS = 50
STATES: tuple[str, ...] = ("open", "confirmed")
FILTERS = ("kind", "state", "q")
compliance_confirming = Blueprint("compliance_confirming", __name__)


@compliance_confirming.get("/compliance/to-confirm")
@access.needs("compliance.read")
def page() -> str:
    """The list: FILTERS and ``start``, the number of the first row."""
    return _page()


@compliance_confirming.post("/compliance/to-confirm")
@access.needs("compliance.decide")
def confirm() -> Response | tuple[str, int]:
    """Confirm a field, set it right, or ``withdraw`` that; refused where somebody else was quicker."""
    form = request.form
    record, field, version = form.get("record", ""), form.get("field", ""), form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            if form.get("withdraw"):
                service.withdraw(session, access.me(), record, field, expected_version=version)
            else:
                value = form.get("value", "")
                service.confirm(session, access.me(), record, field, form.get("source", ""), value=value, expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _page(error), refusals.status(error)
    return redirect(url_for("compliance_confirming.page", done="mlps_confirmed", q=record))


def _page(error: LiandunError | None = None) -> str:
    args = request.args
    where = DoubtFilter(
        kind=args.get("kind", "") if args.get("kind") in service.KINDS else "",
        state=args.get("state", "") if args.get("state") in STATES else "",
        text=args.get("q", "")[:200],
    )
    with services().database.read() as session:
        found = service.doubts(session, where)
    start = min(args.get("start", 0, row_id), max(len(found) - 1, 0))
    return render_template(
        "compliance/to_confirm.html", rows=found[start : start + PAGE_ROWS], number=len(found), start=start, where=where,
        following=start + PAGE_ROWS if start + PAGE_ROWS < len(found) else 0, kinds=service.KINDS, states=STATES,
        links=Links(request.path, args, FILTERS), wrong=refusals.explain(error) if error else [],
    )  # fmt: skip
