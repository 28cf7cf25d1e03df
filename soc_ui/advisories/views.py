"""``/advisories``: the list; ``/advisories/<n>``: one with the assets it concerns; ``/advisories/import``: documents and lists."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations import clock
from operations.advisories import intake, listing, states
from operations.advisories.models import STATES
from operations.advisories.schema import AdvisoryFilter, Imported
from operations.errors import Conflict, Denied, Invalid
from operations.software import service as software
from operations.software.schema import Taken
from operations.warnings.from_advisory import open_warning
from soc_ui import access, refusals, times
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.recent import Recent
from soc_ui.services import services

PAGE_ROWS = 50
FILTERS = ("kev", "ransomware", "affected", "overdue", "state", "vendor", "q")
advisories = Blueprint("advisories", __name__)


@advisories.get("/advisories")
@access.needs("advisories.read")
def page() -> Response | str:
    """The list. The bare address is the default view: what concerns the city."""
    if not request.args:
        return redirect(url_for("advisories.page", affected=1))
    args = request.args
    flags = {name: args.get(name) == "1" for name in ("kev", "ransomware", "affected", "overdue")}
    state = args.get("state", "") if args.get("state") in STATES else ""
    where = AdvisoryFilter(**flags, state=state, vendor=args.get("vendor", "")[:128], text=args.get("q", "")[:200])
    with services().database.read() as session:
        found = listing.list_advisories(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
    return render_template(
        "advisories/list.html", page=found, where=where, facets=_facets(), links=Links(request.path, args, FILTERS), states=STATES,
        today=clock.now()[:10],
    )  # fmt: skip


@advisories.get("/advisories/<int:number>")
@access.needs("advisories.read")
def one(number: int) -> str:
    """One advisory."""
    return _one(number)


@advisories.post("/advisories/<int:number>")
@access.needs("advisories.write")
def change(number: int) -> Response | tuple[str, int]:
    """The state of one match (``match``, ``version``, ``state``, ``note``, ``until``)."""
    form = request.form
    try:
        with services().database.write() as session:
            states.change(
                session, access.me(), form.get("match", 0, row_id), form.get("state", ""), note=form.get("note", ""),
                until=_moment(form.get("until", "")), expected_version=form.get("version", 0, row_id),
            )  # fmt: skip
    except (Invalid, Conflict) as error:
        return _one(number, error), refusals.status(error)
    return redirect(url_for("advisories.one", number=number, done="decided"))


@advisories.get("/advisories/import")
@access.needs("advisories.write")
def import_page() -> str:
    """The forms."""
    return _import_page()


@advisories.post("/advisories/import")
@access.needs("advisories.write")
def take_in() -> str | tuple[str, int]:
    """A document of advisories (``file``)."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Invalid("file is missing", field="file")
        with services().database.write() as session:
            done = intake.take_in(session, access.me(), sent.read())
    except (Invalid, Denied) as error:
        return _import_page(error=error), refusals.status(error)
    return _import_page(done=done)


@advisories.get("/advisories/software")
@access.needs("assets.write")
def software_again() -> Response:
    """The address of an answer that is a page, asked for again."""
    return redirect(url_for("advisories.import_page"))


@advisories.post("/advisories/software")
@access.needs("assets.write")
def take_software_in() -> str | tuple[str, int]:
    """A CSV list of the software of many assets (``file``)."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Invalid("file is missing", field="file")
        text = sent.read().decode("utf-8-sig", "replace")
        with services().database.write() as session:
            taken = software.take_in(session, access.me().actor, "csv", text)
    except (Invalid, Conflict) as error:
        return _import_page(error=error), refusals.status(error)
    return _import_page(taken=taken)


def _one(number: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        found = listing.of_id(session, number)
        matches = listing.matches(session, number)
        warning = open_warning(session, found.key) if access.me().may("warnings.draft") else None
    return render_template(
        "advisories/one.html", one=found, matches=matches, warning=warning, wrong=refusals.explain(error) if error else [],
        states=STATES, most=listing.MAX_MATCHES, today=clock.now()[:10],
    )  # fmt: skip


def _import_page(*, done: Imported | None = None, taken: Taken | None = None, error: LiandunError | None = None) -> str:
    wrong = refusals.explain(error) if error else []
    return render_template("advisories/import.html", done=done, taken=taken, wrong=wrong)


def _facets() -> dict[str, dict[str, int]]:
    """At most some seconds old, by who may see what."""
    kept: Recent[dict[str, dict[str, int]]] = current_app.extensions.setdefault("liandun_advisory_facets", Recent())
    return kept.get(services().reach, _read_facets)


def _read_facets() -> dict[str, dict[str, int]]:
    with services().database.read() as session:
        return listing.facets(session)


def _moment(text: str) -> str:
    try:
        return times.typed(text.strip())
    except times.TimeRangeError as error:
        raise Invalid(f"until: {text[:40]!r} is no moment", field="until") from error
