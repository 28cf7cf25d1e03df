"""``/compliance/<n>/progress``: how mending goes on in a system: plan against done by month, what falls due and whose it is."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from werkzeug.wrappers import Response

from compliance.remediation.progress import MOST_MONTHS, progress
from compliance.remediation.schema import Progress
from compliance.systems import service as systems
from soc_ui import access
from soc_ui.numbers import row_id
from soc_ui.services import services

CHOICES = (6, 12, 24)
MOST_AHEAD = 12
"""Months to come that the chart shows."""
compliance_progress = Blueprint("compliance_progress", __name__)


@compliance_progress.get("/compliance/<int:system_id>/progress")
@access.needs("compliance.read")
def page(system_id: int) -> str:
    """The chart and its numbers: ``months``."""
    with services().database.read() as session:
        system = systems.get_system(session, system_id)
        found = progress(session, system_id, _months())
    plan: dict[str, dict[str, int]] = {}
    for line in found.plan:
        plan.setdefault(line.month, {})[line.bureau] = line.findings
    return render_template(
        "compliance/progress.html", system=system, found=found, months=_months(), choices=CHOICES, plan=plan,
        bureaus=sorted({line.bureau for line in found.plan}),
    )  # fmt: skip


@compliance_progress.get("/compliance/<int:system_id>/progress.json")
@access.needs("compliance.read")
def chart(system_id: int) -> Response:
    """The same for the chart: months of the past, then those for which something is planned."""
    with services().database.read() as session:
        found = progress(session, system_id, _months())
    return jsonify(series(found))


def series(found: Progress) -> dict[str, Any]:
    """Equal long lists; what has not happened yet is None."""
    ahead: dict[str, int] = {}
    last = found.months[-1].month
    for line in found.plan:
        if line.month > last:
            ahead[line.month] = ahead.get(line.month, 0) + line.findings
    coming = sorted(ahead.items())[:MOST_AHEAD]
    nothing: list[int | None] = [None] * len(coming)
    return {
        "months": [*(one.month for one in found.months), *(month for month, _ in coming)],
        "planned": [*(one.due for one in found.months), *(number for _, number in coming)],
        "closed": [*(one.closed for one in found.months), *nothing],
        "open": [*(one.open for one in found.months), *nothing],
        "overdue": [*(one.overdue for one in found.months), *nothing],
    }


def _months() -> int:
    return max(1, min(request.args.get("months", 12, row_id), MOST_MONTHS))
