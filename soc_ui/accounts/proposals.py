"""``/people/proposals``: what waits for a second person, and what was decided."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from operations.accounts import proposals as service
from operations.errors import Conflict, Denied
from soc_ui import access
from soc_ui.accounts.people import conflict_text
from soc_ui.accounts.proof import proven
from soc_ui.accounts.words import kind_names, role_names, state_names
from soc_ui.locale import _
from soc_ui.services import services

proposals = Blueprint("proposals", __name__)


@proposals.get("/people/proposals")
@access.needs("accounts.read")
def page() -> str:
    """The queue; ``state=all`` also what was decided."""
    return _page()


@proposals.post("/people/proposals/<int:proposal_id>")
@access.needs("accounts.confirm")
@proven
def decide(proposal_id: int) -> Response | tuple[str, int]:
    """Confirm or refuse (``decision``); refusing one's own withdraws it."""
    act = {"confirm": service.confirm, "refuse": service.refuse}.get(request.form.get("decision", ""))
    if act is None:
        abort(400)
    try:
        with services().database.write() as session:
            act(session, access.me(), proposal_id, policy=services().policy)
    except Conflict as conflict:
        return _page(conflict_text(conflict)), 409
    except Denied as denied:
        access.note_denied(denied.message)
        return _page(_("A second person has to decide on this: not who proposed it, and not the account concerned.")), 403
    return redirect(url_for("proposals.page", done="decided"))


def _page(error: str = "") -> str:
    every = request.args.get("state") == "all"
    with services().database.read() as session:
        found = service.list_proposals(session, state="" if every else "open")
    return render_template(
        "accounts/proposals.html",
        proposals=found, every=every, roles=role_names(), kinds=kind_names(), states=state_names(), error=error,
    )  # fmt: skip
