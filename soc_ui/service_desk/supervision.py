"""``/services/supervision``: how periods were kept and what was used; the yearly summary of an organisation as a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Blueprint, abort, current_app, render_template, request
from werkzeug.wrappers import Response

from operations import clock
from operations.audit import service as audit
from operations.documents import docx, pdf
from operations.duty.shifts import today
from operations.organisations import organisations_seen, owners
from operations.services import service
from operations.services.schema import ApplicationFilter
from operations.services.summary_document import document
from operations.services.summary_sheet import xlsx
from operations.services.supervision import GB, Kept, metered_at, services_kept, summary, usage_of_month, year_bounds
from soc_ui import access
from soc_ui.download import as_attachment
from soc_ui.locale import _
from soc_ui.preferences import current
from soc_ui.recent import MOST_SECONDS, Recent
from soc_ui.services import services

KINDS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
OVERDUE_ROWS = 20
supervision = Blueprint("supervision", __name__)


@supervision.get("/services/supervision")
@access.needs("services.read")
def page() -> str:
    """``year``: services and their periods; ``month`` (of that year): what each organisation used."""
    now = today(clock.now())
    year, month = _year(now), _month(now)
    with services().database.read() as session:
        ours = organisations_seen(session)
        context = {
            "kept": _kept(year, lambda: services_kept(session, *year_bounds(year)), ours),
            "usage": usage_of_month(session, f"{year}-{month:02d}"),
            "metered": metered_at(session, f"{year}-{month:02d}"),
            "late": service.list_applications(session, ApplicationFilter(overdue=True), limit=OVERDUE_ROWS).applications,
            "organisations": sorted(owners(session) if ours is None else ours),
        }
    return render_template("services/supervision.html", year=year, month=month, this_year=now.year, gb=GB, **context)


@supervision.get("/services/summary.<kind>")
@access.needs("services.read")
def file(kind: str) -> Response:
    """The year of ``bureau``; whoever takes one is in the audit trail."""
    if kind not in KINDS:
        abort(404)
    now = today(clock.now())
    bureau, year, language = request.args.get("bureau", ""), _year(now), current().lang
    with services().database.write() as session:
        found = summary(session, bureau, year)
        audit.append(session, access.me().actor, "service.summary", "organisation", bureau[:128], detail={"year": year, "as": kind})
    if kind == "xlsx":
        content = xlsx(found, language)
    else:
        made = document(found, services().settings.site_name or _("Liandun"), now.isoformat(), language)
        content = pdf(made) if kind == "pdf" else docx(made)
    return as_attachment(content, f"{bureau}-{year}.{kind}".replace("/", "_"), KINDS[kind])


def _kept(year: int, count: Callable[[], list[Kept]], ours: frozenset[str] | None) -> list[Kept]:
    """How periods were kept in a year: up to a minute old, for it looks at each application."""
    recent: Recent[list[Kept]] = current_app.extensions.setdefault("liandun_supervision", Recent(least=MOST_SECONDS))
    return recent.get((ours, services().reach, year), count)


def _year(now: date) -> int:
    found = request.args.get("year", now.year, int)
    return found if 2000 <= found <= now.year else now.year


def _month(now: date) -> int:
    found = request.args.get("month", now.month, int)
    return found if 1 <= found <= 12 else now.month
