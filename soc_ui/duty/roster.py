"""``/duty/roster``: the places of two weeks, filled one by one or from a CSV file; the shifts of the day."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations import clock
from operations.duty import roster, sheet
from operations.duty.schema import Place, Wish
from operations.duty.shifts import DAY_MINUTES, MAX_SHIFTS, Shift, day_of, minutes_of, today
from operations.errors import Conflict, Invalid
from operations.organisations import candidates
from soc_ui import access, refusals
from soc_ui.download import as_attachment
from soc_ui.numbers import row_id
from soc_ui.services import services

DAYS = 14
EXPORT_DAYS = 366
duty_roster = Blueprint("duty_roster", __name__)


@duty_roster.get("/duty/roster")
@access.needs("duty.read")
def page() -> str:
    """Two weeks from ``from`` on."""
    return _page()


@duty_roster.post("/duty/roster")
@access.needs("duty.write")
def fill() -> Response | tuple[str, int]:
    """Fill one place."""
    form = request.form
    wish = Wish(form.get("day", ""), form.get("shift", ""), form.get("rank", 0, row_id), form.get("name", ""))
    return _plan([wish], replace=False)


@duty_roster.post("/duty/roster/import")
@access.needs("duty.write")
def take_in() -> Response | tuple[str, int]:
    """Fill places from a file: it replaces the shifts that it names, or changes nothing."""
    file = request.files.get("file")
    try:
        wishes = sheet.read(file.stream.read(sheet.MAX_BYTES + 1) if file else b"")
    except Invalid as error:
        return _page(error), 422
    return _plan(wishes, replace=True)


@duty_roster.post("/duty/roster/<int:place_id>/clear")
@access.needs("duty.write")
def clear(place_id: int) -> Response | tuple[str, int]:
    """Take somebody off the roster."""
    try:
        with services().database.write() as session:
            roster.clear(session, access.me(), place_id, revision=_revision())
    except Conflict as error:
        return _page(error), 409
    return redirect(url_for("duty_roster.page", **{"from": request.form.get("from") or None, "done": "cleared"}))


@duty_roster.get("/duty/roster.csv")
@access.needs("duty.read")
def export() -> Response:
    """The places of a year from ``from`` on, as a file that spreadsheets take for no formula."""
    first = _first()
    with services().database.read() as session:
        found = roster.get_roster(session, first, EXPORT_DAYS)
    return as_attachment(sheet.write(found.places), f"roster-{first.isoformat()}.csv", "text/csv; charset=utf-8")


@duty_roster.post("/duty/shifts")
@access.needs("duty.write")
def shifts() -> Response | tuple[str, int]:
    """Replace the shifts of the day; a row without an id is none."""
    try:
        wanted = _shifts(request.form)
        with services().database.write() as session:
            roster.set_shifts(session, access.me(), wanted, revision=_revision())
    except (Invalid, Conflict) as error:
        return _page(error), refusals.status(error)
    return redirect(url_for("duty_roster.page", done="shifts"))


def _plan(wishes: list[Wish], *, replace: bool) -> Response | tuple[str, int]:
    try:
        with services().database.write() as session:
            count = roster.plan(session, access.me(), wishes, revision=_revision(), replace=replace)
    except (Invalid, Conflict) as error:
        return _page(error), refusals.status(error)
    start = request.form.get("from") or (min(wish.day for wish in wishes) if replace else None)
    return redirect(url_for("duty_roster.page", **{"from": start, "done": "roster", "n": count}))


def _page(error: LiandunError | None = None) -> str:
    first = _first()
    with services().database.read() as session:
        found = roster.get_roster(session, first, DAYS)
        people = candidates(session, "duty.write", "") if access.me().may("duty.write") else []
    cells: dict[tuple[str, str], list[Place]] = {}
    for place in found.places:
        cells.setdefault((place.day, place.shift), []).append(place)
    return render_template(
        "duty/roster.html", roster=found, cells=cells, days=[first + timedelta(days=at) for at in range(DAYS)], first=first,
        before=first - timedelta(days=DAYS), after=first + timedelta(days=DAYS), now=today(clock.now()), people=people,
        ranks=range(1, roster.MAX_RANK + 1), max_shifts=MAX_SHIFTS, wrong=refusals.explain(error) if error else [],
        typed=request.form if error else {},
    )  # fmt: skip


def _first() -> date:
    """The first day that is shown: ``from``, else the Monday of this week."""
    given = request.values.get("from", "")
    try:
        return day_of(given)
    except Invalid:
        now = today(clock.now())
        return now - timedelta(days=now.weekday())


def _revision() -> int:
    return request.form.get("revision", 0, row_id)


def _shifts(form: MultiDict[str, str]) -> list[Shift]:
    found = []
    columns = (form.getlist(name)[:MAX_SHIFTS] for name in ("id", "name", "name_en", "begins", "ends"))
    for id_, name, name_en, begins, ends in zip(*columns, strict=False):
        if id_.strip():
            start = minutes_of(begins.strip())
            length = (minutes_of(ends.strip()) - start) % DAY_MINUTES or DAY_MINUTES
            found.append(Shift(id_.strip(), name, name_en, start, length))
    return found
