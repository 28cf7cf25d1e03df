"""``/duty``: who is on duty, what is open, hand-over, escalations and the shift log."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel.errors import LiandunError
from operations import clock
from operations.duty import escalation, handover, log, roster
from operations.duty.open_matters import counts
from operations.duty.shifts import today
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access, refusals
from soc_ui.numbers import row_id
from soc_ui.preferences import local_path
from soc_ui.services import services

LOG_ROWS = 30
HANDOVERS = 6
GAP_DAYS = 14
duty = Blueprint("duty", __name__)


@duty.get("/duty")
@access.needs("duty.read")
def page() -> str:
    """The board; ``cursor`` walks the log."""
    return _board()


@duty.post("/duty/handovers")
@access.needs("duty.write")
def write_handover() -> Response | tuple[str, int]:
    """The note of the shift that leaves."""
    version = request.form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            handover.write(session, access.me(), request.form.get("note", ""), expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _board(error), refusals.status(error)
    return redirect(url_for("duty.page", done="handover"))


@duty.get("/duty/handovers")
@access.needs("duty.read")
def handovers() -> str:
    """All notes, newest first."""
    with services().database.read() as session:
        found, cursor = handover.list_handovers(session, cursor=request.args.get("cursor", ""))
        names = {shift.id: shift for shift in roster.list_shifts(session)[0]}
    return render_template("duty/handovers.html", handovers=found, cursor=cursor, shifts=names)


@duty.post("/duty/handovers/<int:handover_id>/accept")
@access.needs("duty.write")
def accept(handover_id: int) -> Response | tuple[str, int]:
    """Take the shift over."""
    version = request.form.get("version", 0, row_id)
    try:
        with services().database.write() as session:
            handover.accept(session, access.me(), handover_id, request.form.get("remark", ""), expected_version=version)
    except (Invalid, Denied, Conflict) as error:
        return _board(error), refusals.status(error)
    return redirect(url_for("duty.page", done="taken_over"))


@duty.post("/duty/log")
@access.needs("duty.write")
def write_log() -> Response | tuple[str, int]:
    """A line of the shift log."""
    try:
        with services().database.write() as session:
            log.write(session, access.me(), request.form.get("kind", ""), request.form.get("text", ""))
    except Invalid as error:
        return _board(error), 422
    return redirect(url_for("duty.page", done="logged"))


@duty.post("/duty/escalations")
@access.needs("duty.write")
def escalate() -> Response | tuple[str, int]:
    """Pass a matter to the next person; comes back to the page one was on."""
    form = request.form
    try:
        with services().database.write() as session:
            escalation.escalate(session, access.me(), form.get("kind", ""), form.get("id", ""), form.get("reason", ""))
    except (Invalid, Conflict) as error:
        return _board(error), refusals.status(error)
    back = local_path(form.get("next", "/duty"))
    return redirect(f"{back}{'&' if '?' in back else '?'}done=escalated")


@duty.post("/duty/escalations/<int:escalation_id>/acknowledge")
@access.needs("duty.write")
def acknowledge(escalation_id: int) -> Response | tuple[str, int]:
    """Take care of it."""
    try:
        with services().database.write() as session:
            escalation.acknowledge(session, access.me(), escalation_id)
    except (Denied, Conflict) as error:
        return _board(error), refusals.status(error)
    return redirect(url_for("duty.page", done="answered"))


def _board(error: LiandunError | None = None) -> str:
    me = access.me()
    with services().database.read() as session:
        place = handover.leaving(session, me.name)
        notes, _cursor = handover.list_handovers(session, limit=HANDOVERS)
        waiting = [one for one in notes if one.accepted_at is None]
        context = {
            "on_duty": roster.on_duty(session),
            "roster": roster.get_roster(session, today(clock.now()), GAP_DAYS),
            "open": counts(session),
            "notes": notes,
            "mine": handover.of_shift(session, place.day, place.shift) if place else None,
            "may_accept": {one.id for one in waiting if handover.may_accept(session, me.name, one)},
            "escalations": escalation.list_escalations(session, waiting=True),
            "log": log.list_log(session, limit=LOG_ROWS, cursor=request.args.get("cursor", "")),
        }
    shifts = {shift.id: shift for shift in context["roster"].shifts}  # type: ignore[attr-defined]
    return render_template(
        "duty/page.html", place=place, shifts=shifts, kinds=log.WRITTEN, escalation_kinds=escalation.KINDS,
        wrong=refusals.explain(error) if error else [], typed=request.form if error else {}, **context,
    )  # fmt: skip
