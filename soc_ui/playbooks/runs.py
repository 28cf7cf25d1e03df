"""``/playbooks/runs``: runs of playbooks; ``/playbooks/runs/<n>``: one of them, live."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from playbooks.run import listing
from playbooks.run.listing import OPEN, STATES, RunFilter
from soc_ui import access
from soc_ui.alerts.filters import Links
from soc_ui.playbooks import run_page
from soc_ui.playbooks.titles import looks, step_kind, variable_title
from soc_ui.services import services

PAGE_ROWS = 50
FILTERS = ("state", "playbook")
UNCHANGED = 204
playbook_runs = Blueprint("playbook_runs", __name__)


@playbook_runs.get("/playbooks/runs")
@access.needs("playbooks.read")
def page() -> str:
    """The list: FILTERS and ``cursor``, the newest first."""
    state = request.args.get("state", "")
    where = RunFilter(
        state=state if state in (*STATES, "open") else "",
        playbook_id=request.args.get("playbook", "")[:160],
    )
    with services().database.read() as session:
        found = listing.list_runs(session, where, limit=PAGE_ROWS, cursor=request.args.get("cursor", ""))
        counts = listing.count_runs(session, where)
    counts["open"] = sum(counts[one] for one in OPEN)
    return render_template(
        "playbooks/runs.html", page=found, where=where, counts=counts, ended=[one for one in STATES if one not in OPEN],
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


def _shown(template: str, run_id: int) -> str:
    with services().database.read() as session:
        found = run_page.shown(session, run_id, request.args.get("of", "")[:64])
    context = run_page.context(found)
    return render_template(template, **context, looks=looks, step_kind=step_kind, variable_title=variable_title)
