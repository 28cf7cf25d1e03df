"""``/people``: who has an account; ``/people/<id>``: one of them. One power makes accounts, another one gives roles."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from operations.accounts import links, listing, lockout, proposals, reach, service
from operations.accounts.listing import AccountFilter
from operations.accounts.permissions import EXPIRING, ROLES, SCOPED_ONLY
from operations.accounts.schema import Reach
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access
from soc_ui.accounts.proof import proven
from soc_ui.accounts.words import kind_names, refusal, role_duties, role_names, state_names
from soc_ui.alerts.filters import Links
from soc_ui.locale import _
from soc_ui.services import services

PAGE_ROWS = 50
SHOWN_HISTORY = 30
people = Blueprint("people", __name__)


@people.get("/people")
@access.needs("accounts.read")
def page() -> str:
    """The list: filters, text, sort and place in the URL; the form for a new account."""
    return _people_page()


@people.post("/people")
@access.needs("accounts.manage")
@proven
def create() -> Response | str | tuple[str, int]:
    """A new account without a role; the answer to this very request shows its owner's link, once."""
    form = request.form
    try:
        with services().database.write() as session:
            made = service.create_account(session, access.me(), form.get("name", ""), form.get("display_name", ""))
            token = links.create_invitation(session, access.me(), made.id, services().policy)
    except Conflict:
        return _people_page(error=_("This name is taken.")), 409
    except Invalid as error:
        return _people_page(error=refusal(error)), 422
    return _person_page(made.id, link=_link(token))


@people.get("/people/<int:user_id>")
@access.needs("accounts.read")
def one(user_id: int) -> str:
    """One account: what it may do, what waits for a second person, what happened to it."""
    return _person_page(user_id)


@people.post("/people/<int:user_id>")
@access.needs("accounts.manage")
@proven
def change(user_id: int) -> Response | str | tuple[str, int]:
    """Switch on or off, remove, make the owner's link anew (``action``). The last account of a power stays."""
    action = request.form.get("action", "")
    if action not in ("on", "off", "remove", "invite"):
        abort(400)
    try:
        with services().database.write() as session:
            if action in ("on", "off"):
                service.set_active(session, access.me(), user_id, action == "on")
            elif action == "remove":
                service.remove(session, access.me(), user_id)
            elif action == "invite":
                token = links.create_invitation(session, access.me(), user_id, services().policy)
    except Conflict:
        return _person_page(
            user_id, error=_("This is the last active account of its power; let another one have the role first.")
        ), 409
    except Denied as denied:
        access.note_denied(denied.message)
        return _person_page(user_id, error=_("Nobody may do this to their own account, nor without a second person.")), 403
    if action == "invite":
        return _person_page(user_id, link=_link(token))
    return redirect(url_for("people.page" if action == "remove" else "people.one", user_id=user_id, done="account"))


@people.post("/people/<int:user_id>/unlock")
@access.needs("accounts.unlock")
@proven
def unlock(user_id: int) -> Response:
    """Lift the lock of failed log-ins."""
    with services().database.write() as session:
        service.unlock(session, access.me(), user_id)
    return redirect(url_for("people.one", user_id=user_id, done="account"))


@people.post("/people/<int:user_id>/propose")
@access.needs("accounts.read")
@proven
def propose(user_id: int) -> Response | tuple[str, int]:
    """Propose a role and scope, or a reset (``kind``); nothing changes until a second person confirms it."""
    form = request.form
    kind, reason = form.get("kind", ""), form.get("reason", "")
    scope = Reach(tuple(form.getlist("organisations")), tuple(form.getlist("zones")))
    try:
        days = int(form.get("days", "") or 0) if form.get("role") in EXPIRING else 0
        with services().database.write() as session:
            if kind == "role":
                proposals.propose_role(session, access.me(), user_id, form.get("role", ""), scope=scope, days=days, reason=reason)
            else:
                proposals.propose_reset(session, access.me(), user_id, kind, reason=reason)
    except ValueError:
        return _person_page(
            user_id, error=_("Say for how many days, 1 to 366; only the external auditor's role ends by itself.")
        ), 422
    except Invalid as error:
        return _person_page(user_id, error=refusal(error)), 422
    except Conflict as conflict:
        return _person_page(user_id, error=conflict_text(conflict)), 409
    except Denied as denied:
        access.note_denied(denied.message)
        return _person_page(user_id, error=_("Your role does not propose this, and nobody proposes it for themselves.")), 403
    return redirect(url_for("proposals.page", done="proposed"))


def conflict_text(conflict: Conflict) -> str:
    """Why a proposal cannot be made or confirmed."""
    message = conflict.message
    if "last active" in message:
        return _("This is the last active account of its power; let another one have the role first.")
    if "waiting already" in message:
        return _("A proposal for this account is waiting already.")
    if "becomes one of another" in message:
        return _("An administrator of one power never becomes one of another; make a new account.")
    if "not do so any more" in message:
        return _("Who proposed this may not do so any more; refuse it and propose anew.")
    if "changed since" in message:
        return _("The account was changed since this was proposed; refuse it and propose anew.")
    return _("Somebody else was quicker; here is how it stands now.")


def _link(token: str) -> str:
    base = services().settings.public_origin or request.host_url.rstrip("/")
    return f"{base}{url_for('accounts.setup', token=token)}"


def _people_page(error: str = "") -> str:
    args = request.args
    where = AccountFilter(args.get("role", ""), args.get("state", ""), args.get("q", "").strip()[:100])
    sort = args.get("sort", "name")
    with services().database.read() as session:
        found = listing.list_accounts(session, where, sort=sort, limit=PAGE_ROWS, cursor=args.get("cursor", ""))
        missing = service.missing_powers(session)
        waiting = {proposal.user_id for proposal in proposals.list_proposals(session)}
        locked = lockout.locked_accounts(session)
    return render_template(
        "accounts/people.html",
        page=found, where=where, sort=sort, links=Links(request.path, args, ("role", "state", "q")), roles=role_names(),
        all_roles=("-", *ROLES), states=listing.STATES, sorts=listing.SORTS, missing=missing, waiting=waiting, locked=locked,
        error=error, form=request.form if error else {}, hours=services().policy.setup_time // 3600,
    )  # fmt: skip


def _person_page(user_id: int, *, error: str = "", link: str = "") -> str:
    with services().database.read() as session:
        person = service.get_user(session, user_id)
        context = {
            "proposals": proposals.list_proposals(session, state="", user_id=user_id, limit=20),
            "choices": reach.choices(session),
            "history": audit.listing(session, object_type="account", object_id=person.name, limit=SHOWN_HISTORY).entries
            if access.me().may("accounts.read")
            else [],
            "locked_until": lockout.locked_accounts(session).get(lockout.account_key(person.name), ""),
        }
    return render_template(
        "accounts/person.html",
        person=person, roles=role_names(), duties=role_duties(), kinds=kind_names(), states=state_names(), error=error, link=link,
        scoped_only=SCOPED_ONLY, expiring=EXPIRING, hours=services().policy.setup_time // 3600, **context,
    )  # fmt: skip
