"""``/reports``: the archive; ``/reports/<id>``: one report with its check; ``/reports/schedules``: when they are made."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations import clock
from operations.documents.pdf import LayoutError
from operations.errors import Conflict, Invalid, Stale
from operations.organisations import organisations_seen, owners
from operations.reports import listing, schedule, signing
from operations.reports.making import figures_of, make
from operations.reports.periods import KINDS, today
from operations.reports.schema import ReportFilter
from operations.reports.tables import grids, overview
from operations.reports.words import Words
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.download import as_attachment
from soc_ui.preferences import current
from soc_ui.reports.making import means
from soc_ui.service_desk.supervision import KINDS as TYPES
from soc_ui.services import services

FILTERS = ("kind", "origin", "for")
ORIGINS = ("demand", "schedule")
reports = Blueprint("reports", __name__)
Answer = Response | tuple[str, int]


@reports.get("/reports")
@access.needs("reports.read")
def page() -> str:
    """The archive: ``kind``, ``for`` (an organisation, "-" = the city), ``origin``, ``cursor``."""
    return _archive()


@reports.post("/reports")
@access.needs("reports.make")
def issue() -> Answer:
    """Make the report of the period that ``day`` lies in."""
    form = request.form
    try:
        day = _day(form.get("day", ""))
        record = make(
            services().database, means(), access.me().actor, form.get("kind", ""), day,
            organisation=form.get("organisation", ""), language=form.get("language") or current().lang,
        )  # fmt: skip
    except (Invalid, Conflict, LayoutError) as error:
        return _archive(error), 422
    return redirect(url_for("reports.one", report_id=record.id), 303)


@reports.get("/reports/<int:report_id>")
@access.needs("reports.read")
def one(report_id: int) -> str:
    """The figures as they were issued, and whether the files are what was signed."""
    say = Words(current().lang)
    with services().database.read() as session:
        row = listing.find(session, report_id)
        figures, verdict = figures_of(row), signing.verify(session, row)
        record, signature = listing.record_of(row), {"manifest": row.manifest, "value": row.signature}
    tables = [overview(figures, say), *grids(figures, say)]
    looked = {"sampled": figures.sampled, "examined": figures.now.incidents.examined}
    return render_template(
        "reports/one.html", report=record, tables=tables, verdict=verdict, signature=signature, looked=looked, note=say("note")
    )


@reports.get("/reports/<int:report_id>.<name>")
@access.needs("reports.read")
def download(report_id: int, name: str) -> Response:
    """The file as it was issued; written into the audit trail."""
    with services().database.write() as session:
        record, octets = listing.read_file(session, access.me().actor, report_id, name)
    return as_attachment(octets, f"{record.name}.{name}", TYPES[name])


@reports.get("/reports/<int:report_id>/proof.<name>")
@access.needs("reports.read")
def proof(report_id: int, name: str) -> Response:
    """What another program checks the report with: manifest.txt, signature.der, certificate.pem (docs/reports.md)."""
    with services().database.read() as session:
        row = listing.find(session, report_id)
        label = listing.record_of(row).name
        found = {"txt": row.manifest.encode(), "der": bytes.fromhex(row.signature), "pem": row.certificate.encode()}
    if name not in found:
        return Response(status=404)
    return as_attachment(found[name], f"{label}.{name}", "application/octet-stream")


@reports.get("/reports/schedules")
@access.needs("reports.read")
def schedules() -> str:
    """When reports are made by themselves."""
    return _schedules()


@reports.post("/reports/schedules/<kind>")
@access.needs("reports.schedule")
def change_schedule(kind: str) -> Answer:
    """Change one under the version that the form was made from."""
    form = request.form
    try:
        with services().database.write() as session:
            schedule.set_schedule(
                session, access.me().actor, kind, enabled="enabled" in form, minute=_minute(form.get("time", "")),
                each="each" in form, language=form.get("language", ""), expected_version=form.get("version", -1, int),
            )  # fmt: skip
    except Stale as error:
        return _schedules(error), 409
    except Invalid as error:
        return _schedules(error), 422
    return redirect(url_for("reports.schedules"), 303)


def _archive(error: LiandunError | None = None) -> str:
    args, wrong = request.args, refusals.explain(error) if error else []
    kind, origin, about = args.get("kind", ""), args.get("origin", ""), args.get("for", "")
    where = ReportFilter(
        kind=kind if kind in KINDS else "",
        origin=origin if origin in ORIGINS else "",
        organisation={"": "*", "-": ""}.get(about, about[:128]),
    )
    with services().database.read() as session:
        found = listing.list_reports(session, where, cursor=args.get("cursor", ""))
        ours = organisations_seen(session)
        organisations = sorted(owners(session) if ours is None else ours)
    return render_template(
        "reports/page.html", page=found, where=where, about=about, kinds=KINDS, origins=ORIGINS, organisations=organisations,
        whole=ours is None, today=today(clock.now()).isoformat(), wrong=wrong, links=Links(request.path, args, FILTERS),
    )  # fmt: skip


def _schedules(error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        found = schedule.list_schedules(session)
    return render_template("reports/schedules.html", schedules=found, wrong=refusals.explain(error) if error else [])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("not a day", "for example 2026-11-25", field="day") from None


def _minute(text: str) -> int:
    hours, _colon, minutes = text.partition(":")
    if not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()) or len(text) > 5 or int(minutes) > 59:
        raise Invalid("a time of the day", field="minute")
    return int(hours) * 60 + int(minutes)
