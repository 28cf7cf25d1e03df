"""``/playbooks/runs``: runs of playbooks; ``/playbooks/runs/<n>``: one of them, live."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from operations.errors import Conflict, Invalid
from playbooks.run import listing, questions, steering
from playbooks.run.about import is_about
from playbooks.run.listing import OPEN, STATES, RunFilter
from playbooks.run.machine import ENDED
from soc_ui import access, refusals
from soc_ui.alerts.filters import Links
from soc_ui.numbers import row_id
from soc_ui.playbooks import run_page
from soc_ui.playbooks.asked import Asked, asked
from soc_ui.playbooks.left import left_of
from soc_ui.playbooks.words import subject_of
from soc_ui.services import services
from soc_ui.zones.problems import Problem

PAGE_ROWS = 50
FILTERS = ("state", "playbook", "subject")
UNCHANGED = 204
playbook_runs = Blueprint("playbook_runs", __name__)


@playbook_runs.get("/playbooks/runs")
@access.needs("playbooks.read")
def page() -> str:
    """The list: FILTERS and ``cursor``, the newest first."""
    state, subject = request.args.get("state", ""), request.args.get("subject", "")
    where = RunFilter(
        state=state if state in (*STATES, "open") else "",
        playbook_id=request.args.get("playbook", "")[:160],
        subject=subject if is_about(subject) else "",
    )
    with services().database.read() as session:
        found = listing.list_runs(session, where, limit=PAGE_ROWS, cursor=request.args.get("cursor", ""))
        counts = {} if where.playbook_id or where.subject else listing.count_runs(session)
    if counts:
        counts["open"] = sum(counts[one] for one in OPEN)
    return render_template(
        "playbooks/runs.html", page=found, where=where, subject=subject_of(where.subject), counts=counts,
        ended=[one for one in STATES if one not in OPEN],
        links=Links(request.path, request.args, FILTERS),
    )  # fmt: skip


@playbook_runs.get("/playbooks/runs/<int:run_id>")
@access.needs("playbooks.read")
def one(run_id: int) -> str:
    """One run; ``of``: digest of the called playbook whose steps are drawn."""
    return _shown("playbooks/run.html", run_id)


@playbook_runs.get("/playbooks/runs/<int:run_id>/live")
@access.needs("playbooks.read")
def live(run_id: int) -> str | Response:
    """The part of the page that changes while it runs; nothing (204) where it is as it was ``seen``."""
    with services().database.read() as session:
        if run_page.seen(listing.get_run(session, run_id)) == request.args.get("seen"):
            return Response(status=UNCHANGED)
    return _shown("playbooks/run_live.html", run_id)


@playbook_runs.get("/playbooks/runs/<int:run_id>/asked")
@access.needs("playbooks.read")
def people(run_id: int) -> str | Response:
    """What it asks of people, and what can be done with it; nothing (204) where that is as it was ``seen``, so that what somebody
    is typing stays."""
    with services().database.read() as session:
        found = _people(session, run_id)
    if found["seen"] == request.args.get("seen"):
        return Response(status=UNCHANGED)
    return render_template("playbooks/run_people.html", **found)


@playbook_runs.post("/playbooks/runs/<int:run_id>/cancel")
@access.needs("playbooks.run")
def cancel(run_id: int) -> BaseResponse | tuple[str, int]:
    """Begin nothing new, for a ``reason``."""
    try:
        with services().database.write() as session:
            steering.cancel(session, access.me(), run_id, request.form.get("reason", ""))
    except (Invalid, Conflict) as error:
        return _shown("playbooks/run.html", run_id, refusals.explain(error)), refusals.status(error)
    return redirect(url_for("playbook_runs.one", run_id=run_id, done="run_cancel"))


@playbook_runs.post("/playbooks/runs/<int:run_id>/undo")
@access.needs("playbooks.run")
def undo(run_id: int) -> BaseResponse | tuple[str, int]:
    """Take back what it did."""
    try:
        with services().database.write() as session:
            steering.undo(session, access.me(), run_id)
    except Conflict as error:
        return _shown("playbooks/run.html", run_id, refusals.explain(error)), refusals.status(error)
    return redirect(url_for("playbook_runs.one", run_id=run_id, done="run_undo"))


@playbook_runs.post("/playbooks/runs/<int:run_id>/settle")
@access.needs("playbooks.run")
def settle(run_id: int) -> BaseResponse | tuple[str, int]:
    """Say that what an undo could not take back (``visit``) was taken back by hand, with a ``comment``."""
    try:
        with services().database.write() as session:
            visit = request.form.get("visit", 0, row_id)
            steering.settle(session, access.me(), run_id, visit, request.form.get("comment", ""))
    except (Invalid, Conflict) as error:
        return _shown("playbooks/run.html", run_id, refusals.explain(error)), refusals.status(error)
    return redirect(url_for("playbook_runs.one", run_id=run_id, done="run_settled"))


def _shown(template: str, run_id: int, wrong: list[Problem] | None = None) -> str:
    with services().database.read() as session:
        found = run_page.shown(session, run_id, request.args.get("of", "")[:64])
        people = _people(session, run_id)
    context = run_page.context(found) | people
    return render_template(template, **context, wrong=wrong or [])


def _people(session: Session, run_id: int) -> dict[str, object]:
    """For the part of the page that people act in. ``seen`` changes with what they can do."""
    run = listing.get_run(session, run_id).run
    open_ones: list[Asked] = asked(session, questions.open_questions(session, run_id=run_id))
    told = "-".join(f"{one.question.id}.{len(one.question.answers)}" for one in open_ones)
    left = left_of(session, run) if access.me().may("playbooks.run") else []
    return {"run": run, "asked": open_ones, "left": left, "over": run.state in ENDED, "seen": f"{run.state}_{told}"}
