"""``/improvements``: the register; ``/improvements/<n>``: one entry and what may be done with it."""

from __future__ import annotations

from flask import Blueprint, Flask, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations.errors import Conflict, Denied, Invalid
from operations.improvements import service
from operations.improvements.models import SOURCES, STATES
from operations.improvements.schema import Draft, ImprovementFilter
from operations.organisations import organisations_seen, owners
from soc_ui import access, refusals, times
from soc_ui.alerts.filters import Links
from soc_ui.locale import _
from soc_ui.numbers import row_id
from soc_ui.services import services

PAGE_ROWS = 50
FILTERS = ("state", "source", "organisation", "overdue", "q")
improvements = Blueprint("improvements", __name__)


def install(app: Flask) -> None:
    """Gives templates the names of sources, states and acts."""
    app.jinja_env.globals.update(improvement_source=source_name, improvement_state=state_name, improvement_act=act_name)


def source_name(source: str) -> str:
    """Where an entry comes from."""
    names = {
        "review": _("Incident review"),
        "drill": _("Drill"),
        "audit": _("Audit finding"),
        "supervision": _("Supervision"),
        "suggestion": _("Suggestion"),
    }
    return names.get(source, source)


def state_name(state: str) -> str:
    """How far it is."""
    names = {
        "proposed": _("Proposed"),
        "accepted": _("Accepted"),
        "in_progress": _("In progress"),
        "done": _("Done, effect to be checked"),
        "verified": _("Effective"),
        "declined": _("Declined"),
    }
    return names.get(state, state)


def act_name(act: str) -> str:
    """What a button does."""
    names = {
        "propose": _("Propose"),
        "accept": _("Accept"),
        "decline": _("Decline"),
        "start": _("Begin"),
        "finish": _("Finish"),
        "verify": _("Confirm the effect"),
        "reopen": _("Open again"),
    }
    return names.get(act, act)


@improvements.get("/improvements")
@access.needs("tickets.read")
def page() -> str:
    """The list: FILTERS and ``cursor``."""
    return _page()


@improvements.post("/improvements")
@access.needs("tickets.write")
def create() -> Response | tuple[str, int]:
    """A proposal."""
    form = request.form
    try:
        fields = {name: form.get(name, "") for name in ("title", "body", "source", "organisation", "responsible")}
        draft = Draft(**fields, due_at=_moment(form.get("due_at", "")))
        with services().database.write() as session:
            made = service.propose(session, access.me(), draft)
    except (Invalid, Denied, Conflict) as error:
        return _page(error), refusals.status(error)
    return redirect(url_for("improvements.one", number=made.id, done="improvement"))


@improvements.post("/improvements/from-review")
@access.needs("tickets.write")
def take_over() -> Response | tuple[str, int]:
    """An action of an incident's review (``incident``, ``action``) into the register."""
    incident, action = (request.form.get(name, 0, row_id) for name in ("incident", "action"))
    try:
        with services().database.write() as session:
            made = service.take_over(session, access.me(), incident, action)
    except (Denied, Conflict) as error:
        return _page(error), refusals.status(error)
    return redirect(url_for("improvements.one", number=made.id, done="improvement"))


@improvements.get("/improvements/<int:number>")
@access.needs("tickets.read")
def one(number: int) -> str:
    """One entry."""
    return _one(number)


@improvements.post("/improvements/<int:number>")
@access.needs("tickets.write")
def act(number: int) -> Response | tuple[str, int]:
    """One act, refused where somebody else was quicker."""
    form = request.form
    try:
        with services().database.write() as session:
            name, version = form.get("act", ""), form.get("version", 0, row_id)
            service.act(session, access.me(), number, name, form.get("note", ""), expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _one(number, error), refusals.status(error)
    return redirect(url_for("improvements.one", number=number, done="improvement"))


def _page(error: LiandunError | None = None) -> str:
    args = request.args
    where = ImprovementFilter(
        state=args.get("state", "") if args.get("state") in STATES else "",
        source=args.get("source", "") if args.get("source") in SOURCES else "",
        organisation=args.get("organisation", "")[:128],
        overdue=bool(args.get("overdue")),
        text=args.get("q", "")[:200],
    )
    with services().database.read() as session:
        found = service.list_improvements(session, where, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        counts = service.count_states(session)
        organisations = _organisations(session)
    return render_template(
        "improvements/list.html", page=found, where=where, counts=counts, states=STATES, sources=SOURCES,
        organisations=organisations, links=Links(request.path, args, FILTERS), wrong=refusals.explain(error) if error else [],
        typed=request.form if error else {},
    )  # fmt: skip


def _one(number: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        detail = service.get_improvement(session, access.me(), number)
    return render_template("improvements/one.html", detail=detail, wrong=refusals.explain(error) if error else [])


def _organisations(session: Session) -> list[str]:
    ours = organisations_seen(session)
    return sorted(owners(session) if ours is None else ours)


def _moment(text: str) -> str:
    try:
        return times.typed(text.strip())
    except times.TimeRangeError as error:
        raise Invalid(f"due_at: {text[:40]!r} is no moment", field="due_at") from error
