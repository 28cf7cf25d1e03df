"""``/compliance/<n>/reports``: files about a system to take along, and the check-list that is taken in again."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from compliance.reports import checklist
from compliance.reports.exporting import KINDS, Means, Wish, export
from compliance.reports.material import TEMPLATES, gather
from compliance.reports.words import LANGUAGES
from compliance.systems import service
from kernel.errors import LiandunError
from operations.documents.pdf import LayoutError
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals
from soc_ui.download import as_attachment
from soc_ui.locale import _
from soc_ui.preferences import current
from soc_ui.services import services

SHOWN = 200
"""Rows of a check-list that are shown, of the changes and of what cannot be taken in."""
compliance_reports = Blueprint("compliance_reports", __name__)
Answer = Response | tuple[str, int]


@compliance_reports.get("/compliance/<int:system_id>/reports")
@access.needs("compliance.read")
def page(system_id: int) -> str:
    """What can be had."""
    return _page(system_id)


@compliance_reports.post("/compliance/<int:system_id>/reports")
@access.needs("compliance.read")
def make(system_id: int) -> Answer:
    """One file: ``kind``, ``format``, ``language``, ``template``. Written into the audit trail."""
    form, found = request.form, services()
    wish = Wish(form.get("kind", ""), form.get("format", ""), form.get("language", current().lang), form.get("template", "2025"))
    means = Means(found.master_key, found.settings.site_name or _("Liandun"))
    try:
        made = export(found.database, means, access.me(), system_id, wish)
    except (Invalid, Denied, Conflict, LayoutError) as error:
        return _page(system_id, error), refusals.status(error)
    return as_attachment(made.octets, made.name, made.media_type)


@compliance_reports.post("/compliance/<int:system_id>/checklist")
@access.needs("compliance.write")
def take_in(system_id: int) -> Answer:
    """Compare the check-list ``file`` with what is recorded; with ``record`` its changes become this person's verdicts."""
    upload, database = request.files.get("file"), services().database
    try:
        sheet = checklist.read(upload.read() if upload is not None else b"")
        with database.read() as session:
            plan = checklist.compare(sheet, gather(session, system_id))
        recorded = bool(request.form.get("record")) and not plan.troubles
        if recorded:
            with database.write() as session:
                plan = checklist.take_in(session, access.me(), system_id, sheet)
    except (Invalid, Denied, Conflict) as error:
        return _page(system_id, error), refusals.status(error)
    return _page(system_id, plan=plan, recorded=recorded), 422 if plan.troubles else 200


def _page(system_id: int, error: LiandunError | None = None, plan: checklist.Plan | None = None, recorded: bool = False) -> str:
    with services().database.read() as session:
        system = service.get_system(session, system_id)
    context: dict[str, Any] = {"kinds": KINDS, "languages": LANGUAGES, "templates": TEMPLATES, "shown": SHOWN}
    return render_template(
        "compliance/reports.html", system=system, plan=plan, recorded=recorded, language=current().lang,
        wrong=refusals.explain(error) if error else [], **context,
    )  # fmt: skip
