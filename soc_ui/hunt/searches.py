"""``/hunt/searches``: searches that are kept, and those that run by the clock."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.errors import LiandunError, QueryError
from operations.errors import Conflict, Invalid
from operations.searches import service
from operations.searches.schema import EVERY, LEVELS, Schedule, Search
from soc_ui import access, refusals, times
from soc_ui.hunt import request as hunt_request
from soc_ui.numbers import row_id
from soc_ui.services import services

hunt_searches = Blueprint("hunt_searches", __name__)
ACTS = ("events.read", service.SUPERVISE)


@hunt_searches.get("/hunt/searches")
@access.needs(*ACTS)
def page() -> str:
    """One's own searches and those that others of the same scope share; for supervision the scheduled ones of everybody."""
    return _page()


@hunt_searches.post("/hunt/searches")
@access.needs("events.read")
def create() -> Response | tuple[str, int]:
    """Keep what the hunt page shows under a name."""
    form = request.form
    try:
        asked = hunt_request.read(MultiDict(form))
        columns = asked.args().get("cols", "")
        with services().database.write() as session:
            service.create_search(
                session, access.me(), form.get("name", ""), asked.text, span=asked.window.last, columns=columns,
                shared=bool(form.get("shared")),
            )  # fmt: skip
    except (Invalid, QueryError, times.TimeRangeError) as error:
        return _page(error), 422
    return redirect(url_for("hunt_searches.page", done="search"))


@hunt_searches.get("/hunt/searches/<int:number>")
@access.needs(*ACTS)
def one(number: int) -> str:
    """One search: its schedule and its runs."""
    return _one(number)


@hunt_searches.post("/hunt/searches/<int:number>")
@access.needs("events.read")
def change(number: int) -> Response | tuple[str, int]:
    """Rename, share, schedule, end the schedule, delete (``act``)."""
    form, me = request.form, access.me()
    version = form.get("version", type=row_id)
    try:
        with services().database.write() as session:
            act = form.get("act")
            if act == "delete":
                service.delete_search(session, me, number, expected_version=version)
                return redirect(url_for("hunt_searches.page", done="search_deleted"))
            if act in ("schedule", "end"):
                schedule = _schedule() if act == "schedule" else None
                service.schedule_search(session, me, number, schedule, expected_version=version)
            else:
                name, shared = form.get("name", ""), bool(form.get("shared"))
                service.change_search(session, me, number, expected_version=version, name=name, shared=shared)
    except (Invalid, Conflict, QueryError) as error:
        return _one(number, error), refusals.status(error)
    return redirect(url_for("hunt_searches.one", number=number, done="search"))


@hunt_searches.post("/hunt/searches/<int:number>/stop")
@access.needs(service.SUPERVISE)
def stop(number: int) -> Response | tuple[str, int]:
    """Stop a scheduled search of somebody, with the reason."""
    try:
        with services().database.write() as session:
            service.stop_search(session, access.me(), number, request.form.get("reason", ""))
    except Invalid as error:
        return _one(number, error), 422
    return redirect(url_for("hunt_searches.page", done="search_stopped"))


def hunt_address(search: Search) -> str:
    """The hunt page with this search."""
    columns = {"cols": search.columns} if search.columns else {}
    return url_for("hunt.page", q=search.query, last=search.span or "24h", **columns)


def _schedule() -> Schedule:
    form = request.form
    numbers = {name: form.get(name, type=row_id) for name in ("every", "threshold", "settle")}
    missing = next((name for name, value in numbers.items() if value is None), "")
    if missing:
        raise Invalid(f"{missing} is no number", field=missing)
    return Schedule(numbers["every"] or 0, numbers["threshold"] or 0, form.get("level", ""), numbers["settle"] or 0)


def _page(error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        found = service.list_searches(session, access.me())
    return render_template(
        "hunt/searches.html", searches=found, most=service.MOST, max_name=service.MAX_NAME, typed=request.form if error else {},
        wrong=refusals.explain(error) if error else [], address=hunt_address,
    )  # fmt: skip


def _one(number: int, error: LiandunError | None = None) -> str:
    with services().database.read() as session:
        search = service.get_search(session, access.me(), number)
        runs = service.list_runs(session, access.me(), number)
    return render_template(
        "hunt/search.html", search=search, runs=runs, every=EVERY, levels=LEVELS, max_name=service.MAX_NAME, address=hunt_address,
        wrong=refusals.explain(error) if error else [],
    )  # fmt: skip
