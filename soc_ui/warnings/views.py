"""``/warnings``: the board; ``/warnings/new``, ``/warnings/<id>``, ``/warnings/<id>/edit``, ``/warnings/<id>/bulletin.pdf``."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from operations.accounts import reach
from operations.alerts.reading import get_detail
from operations.documents import Document, docx, pdf
from operations.errors import Conflict, Invalid
from operations.warnings import bulletin, service, settings
from operations.warnings.from_advisory import draft_from_advisory, origin
from operations.warnings.from_alert import draft_from
from operations.warnings.levels import HARM, IMPORTANCE, LEVELS, level_of
from operations.warnings.schema import MAX_NOTE, MAX_TEXT, MAX_TITLE, OPEN, SOURCES, TEXTS, Draft
from operations.zones import service as zones
from soc_ui import access, preferences
from soc_ui.alerts.filters import Links
from soc_ui.download import as_attachment
from soc_ui.numbers import row_id
from soc_ui.risk.draft import draft_of_risk
from soc_ui.rule_titles import rule_description, rule_title
from soc_ui.services import services
from soc_ui.warnings import forms, words
from soc_ui.warnings.page import warning_page
from soc_ui.zones.names import ZoneNames

PAGE_ROWS = 50
KINDS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
warnings = Blueprint("warnings", __name__)


@warnings.get("/warnings")
@access.needs("warnings.read")
def board() -> BaseResponse | str:
    """The board. The bare address is the default view: everything open."""
    if not request.args:
        return redirect(url_for("warnings.board", status=list(OPEN)))
    where = forms.board_filter(request.args)
    oldest_first = request.args.get("order") == "oldest"
    with services().database.read() as session:
        found = service.board(session, where, limit=PAGE_ROWS, cursor=request.args.get("cursor", ""), oldest_first=oldest_first)
        context: dict[str, Any] = {
            "counts": service.counts(session),
            "waiting": service.waiting(session, access.me()),
            "choices": reach.choices(session),
            "zone_name": _names(session),
        }
    links = Links(request.path, request.args, forms.FILTERS)
    return render_template(
        "warnings/board.html", board=found, where=where, links=links, oldest_first=oldest_first,
        here=links.with_(cursor=request.args.get("cursor") or None), open=OPEN, levels=LEVELS, sources=SOURCES, **context,
    )  # fmt: skip


@warnings.get("/warnings/new")
@access.needs("warnings.draft")
def new() -> str:
    """The form of a draft; ``alert=``, ``advisory=`` and ``risk=`` fill it with what these tell."""
    alert_id = request.args.get("alert", None, row_id)
    with services().database.read() as session:
        wanted = Draft()
        if alert_id is not None:
            row = get_detail(session, alert_id)
            title = rule_title(row.alert.rule_id, row.alert.rule_name)
            told = rule_description(row.alert.rule_id, row.description)
            english = preferences.current().lang == "en"
            wanted = draft_from(session, alert_id, title=title, description=told, english=english)
        elif request.args.get("advisory"):
            wanted = draft_from_advisory(session, request.args["advisory"], english=preferences.current().lang == "en")
        elif request.args.get("risk"):
            wanted = draft_of_risk(session, request.args.get("kind", "asset"), request.args["risk"])
    return form_page(wanted, alert_id=alert_id, advisory=request.args.get("advisory", ""))


@warnings.post("/warnings/new")
@access.needs("warnings.draft")
def create() -> BaseResponse | tuple[str, int]:
    """A new draft."""
    wanted, alert_id = forms.draft(request.form), request.form.get("alert", None, row_id)
    advisory = request.form.get("advisory", "")
    try:
        with services().database.write() as session:
            told = origin(session, advisory) if advisory else None
            made = service.create(session, access.me(), wanted, alert_id=alert_id, origin=told)
    except (Conflict, Invalid) as error:
        code = 409 if isinstance(error, Conflict) else 422
        return form_page(wanted, alert_id=alert_id, advisory=advisory, wrong=words.explain(error)), code
    return redirect(url_for("warnings.one", warning_id=made.id, done="warning"))


@warnings.get("/warnings/<int:warning_id>")
@access.needs("warnings.read")
def one(warning_id: int) -> str:
    """What it says, who has signed and answered, what can be done now, what happened."""
    return warning_page(warning_id)


@warnings.get("/warnings/<int:warning_id>/edit")
@access.needs("warnings.draft")
def edit_form(warning_id: int) -> BaseResponse | str:
    """The form of a draft that exists."""
    with services().database.read() as session:
        record = service.get(session, warning_id)
    if record.status != "draft":
        return redirect(url_for("warnings.one", warning_id=warning_id))
    wanted = service.draft_of(record)
    with services().database.read() as session:
        by_matrix = level_of(settings.get(session, "matrix").value, wanted.importance, wanted.harm)
    if wanted.level == by_matrix:  # it follows the factors when they are changed
        wanted = msgspec.structs.replace(wanted, level="")
    return form_page(wanted, warning_id=warning_id, version=record.version)


@warnings.post("/warnings/<int:warning_id>/edit")
@access.needs("warnings.draft")
def edit(warning_id: int) -> BaseResponse | tuple[str, int]:
    """Save the form; refused where somebody else was quicker, with what was typed kept for copying."""
    form = request.form
    wanted, version = forms.draft(form), form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            service.edit(session, access.me(), warning_id, wanted, expected_version=version)
    except (Conflict, Invalid) as error:
        code = 409 if isinstance(error, Conflict) else 422
        return form_page(wanted, warning_id=warning_id, version=version, wrong=words.explain(error), stale=code == 409), code
    return redirect(url_for("warnings.one", warning_id=warning_id, done="warning"))


@warnings.get("/warnings/<int:warning_id>/bulletin.<any(pdf, docx):kind>")
@access.needs("warnings.read")
def download(warning_id: int, kind: str) -> BaseResponse:
    """The bulletin as a file, in the language of the page."""
    with services().database.read() as session:
        name, made = bulletin.read(session, warning_id, issuer=services().settings.site_name, language=preferences.current().lang)
    return as_file(made, name, kind)


def as_file(made: Document, name: str, kind: str) -> BaseResponse:
    """The document as an attachment."""
    return as_attachment(pdf(made) if kind == "pdf" else docx(made), f"{name}.{kind}", KINDS[kind])


def form_page(
    wanted: Draft,
    *,
    warning_id: int | None = None,
    alert_id: int | None = None,
    advisory: str = "",
    version: int = 0,
    wrong: str = "",
    stale: bool = False,
) -> str:
    """The form of a draft, new or old."""
    with services().database.read() as session:
        context: dict[str, Any] = {
            "choices": reach.choices(session),
            "zone_name": _names(session),
            "owners": {record.zone.id: record.zone.owner for record in zones.list_zones(session)},
            "matrix": settings.get(session, "matrix"),
        }
    return render_template(
        "warnings/form.html", draft=wanted, warning_id=warning_id, alert_id=alert_id, advisory=advisory, edited=version,
        wrong=wrong, stale=stale,
        texts=TEXTS, levels=LEVELS, importances=IMPORTANCE, harms=HARM,
        longest={"title": MAX_TITLE, "text": MAX_TEXT, "note": MAX_NOTE}, **context,
    )  # fmt: skip


def _names(session: Session) -> ZoneNames:
    return ZoneNames(record.zone for record in zones.list_zones(session))
