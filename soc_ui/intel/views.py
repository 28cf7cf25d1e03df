"""``/intel``: indicators; ``/intel/<n>``: one of them; ``/intel/import``: many at once, out of a file."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.errors import Conflict, Invalid
from operations.indicators import formats, listing, service
from operations.indicators.schema import STATES, TLP, Candidate, IndicatorFilter, Outcome
from soc_ui import access, refusals, times
from soc_ui.alerts.filters import Links
from soc_ui.intel import words
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS = 50
FILTERS = ("kind", "state", "origin", "met", "q")
intel = Blueprint("intel", __name__)


@intel.get("/intel")
@access.needs("intel.read")
def page() -> str:
    """The list: FILTERS and ``cursor``."""
    return _page()


@intel.post("/intel")
@access.needs("intel.write")
def create() -> Response | tuple[str, int]:
    """One value by hand."""
    form = request.form
    try:
        candidate = Candidate(
            form.get("value", ""), kind=form.get("kind", "") if form.get("kind") in words.kinds() else "",
            tlp=form.get("tlp", ""), note=form.get("note", ""), valid_until=_moment(form.get("valid_until", "")),
        )  # fmt: skip
        with services().database.write() as session:
            made = service.add(session, access.me().actor, candidate, confidence=form.get("confidence", 75, int))
    except (Invalid, Conflict) as error:
        return _page(error), refusals.status(error)
    return redirect(url_for("intel.one", number=made.id, done="indicator"))


@intel.get("/intel/import")
@access.needs("intel.write")
def form_of_import() -> str:
    """The form."""
    return _import()


@intel.post("/intel/import")
@access.needs("intel.write")
def bring_in() -> str | tuple[str, int]:
    """A file, or what is pasted; ``check`` only says what would come of it."""
    form, upload = request.form, request.files.get("file")
    dry = "check" in form
    try:
        name, octets = (upload.filename or "", upload.read()) if upload else ("", form.get("text", "").encode("utf-8", "replace"))
        if not octets.strip():
            raise Invalid("the value is missing", field="value")
        outcome = service.bring_in_octets(
            services().database, access.me().actor, octets, name, form=form.get("form", ""), origin=form.get("origin", ""),
            confidence=form.get("confidence", 50, int), dry=dry,
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _import(error), refusals.status(error)
    return _import(outcome=outcome, dry=dry)


@intel.get("/intel/value")
@access.needs("intel.read")
def of_value() -> Response:
    """To the indicator of ``value``, the surest one; to the list where there is none."""
    value = request.args.get("value", "")[:2048]
    with services().database.read() as session:
        found = listing.with_value(session, value)
    return redirect(url_for("intel.one", number=found[0].id) if found else url_for("intel.page", q=value))


@intel.get("/intel/<int:number>")
@access.needs("intel.read")
def one(number: int) -> str:
    """One indicator with its hits."""
    return _one(number)


@intel.post("/intel/<int:number>")
@access.needs("intel.write")
def act(number: int) -> Response | tuple[str, int]:
    """``act``: change or revoke; refused where somebody else was quicker."""
    form, version = request.form, request.form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            if form.get("act") == "revoke":
                service.revoke(session, access.me().actor, number, form.get("reason", ""), expected_version=version)
            else:
                until, note = _moment(form.get("valid_until", "")), form.get("note", "")
                confidence = form.get("confidence", -1, int)
                service.change(
                    session, access.me().actor, number,
                    confidence=confidence, valid_until=until, note=note, expected_version=version,
                )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _one(number, error), refusals.status(error)
    return redirect(url_for("intel.one", number=number, done="indicator"))


def _page(error: LiandunError | None = None) -> str:
    args = request.args
    where = IndicatorFilter(
        kind=args.get("kind", "") if args.get("kind") in words.kinds() else "",
        origin=args.get("origin", "")[:64],
        state=args.get("state", "") if args.get("state") in STATES else "",
        text=args.get("q", "")[:200],
        met=bool(args.get("met")),
    )
    with services().database.read() as session:
        found = listing.list_indicators(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        counts, origins = listing.counts(session), listing.origins(session)
    return render_template(
        "intel/list.html", page=found, where=where, counts=counts, origins=origins, tlp=TLP, states=STATES,
        links=Links(request.path, args, FILTERS), wrong=_wrong(error), typed=request.form if error else {},
    )  # fmt: skip


def _one(number: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        found = listing.get_indicator(session, number)
        others = [other for other in listing.with_value(session, found.value) if other.id != number]
        hits = listing.hits_of(session, [found.value]).get(found.value)
    return render_template("intel/one.html", one=found, others=others, hits=hits, wrong=_wrong(error), field=_FIELDS[found.kind])


def _import(error: LiandunError | None = None, outcome: Outcome | None = None, dry: bool = False) -> str:
    columns = formats.table.COLUMNS
    return render_template("intel/import.html", wrong=_wrong(error), outcome=outcome, dry=dry, typed=request.form, columns=columns)


_FIELDS = {
    "address": "destination.ip",
    "network": "destination.ip",
    "domain": "dns.question.name",
    "url": "url.full",
    "hash": "file.hash.sha256",
    "email": "email.from.address",
}
"""Kind → the field in which the hunt page looks for it."""


def _wrong(error: LiandunError | None) -> list[refusals.Problem]:
    return [refusals.Problem(0, "", "", words.reason(refusals.translated(error.message)))] if error else []


def _moment(text: str) -> str:
    try:
        return times.typed(text.strip())
    except times.TimeRangeError as error:
        raise Invalid(_("This is no moment."), field="valid_until") from error
