"""``/people``: who has an account (administrators); ``/password``: one's own password."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from operations.accounts import login as login_service
from operations.accounts import service
from operations.accounts.models import ROLES
from operations.accounts.schema import Policy
from operations.errors import Conflict, Denied, Invalid, Locked
from soc_ui import access, times
from soc_ui.locale import _
from soc_ui.services import services

people = Blueprint("people", __name__)


@people.get("/people")
@access.needs("accounts.manage")
def page() -> str:
    """All accounts, and the form for a new one."""
    return _people_page()


@people.post("/people")
@access.needs("accounts.manage")
def create() -> Response | tuple[str, int]:
    """A new account; its owner changes the password at ``/password``."""
    form = request.form
    try:
        service.create_user(
            services().database,
            access.me().actor,
            form.get("name", ""),
            form.get("password", ""),
            form.get("role", ""),
            display_name=form.get("display_name", ""),
        )
    except Conflict:
        return _people_page(error=_("This name is taken.")), 409
    except Invalid as error:
        return _people_page(error=refusal(error)), 422
    return redirect(url_for("people.page", done="account"))


@people.post("/people/<int:user_id>")
@access.needs("accounts.manage")
def change(user_id: int) -> Response | tuple[str, int]:
    """Role, on or off, lift a lock. The last active administrator stays one."""
    form = request.form
    try:
        with services().database.write() as session:
            if form.get("action") == "unlock":
                login_service.unlock(session, access.me().actor, form.get("name", ""))
            else:
                active = {"on": True, "off": False}.get(form.get("active", ""))
                service.change_user(session, access.me().actor, user_id, role=form.get("role") or None, active=active)
    except Conflict:
        return _people_page(error=_("This is the last active administrator; make another one first.")), 409
    return redirect(url_for("people.page", done="account"))


@people.route("/password", methods=["GET", "POST"])
def password() -> Response | str | tuple[str, int]:
    """Changes one's own password; all sessions of the account end."""
    if request.method == "GET":
        return render_template("accounts/password.html", policy=Policy(), error="")
    form, error = request.form, ""
    if form.get("password", "") != form.get("again", ""):
        error = _("The two passwords differ.")
    else:
        try:
            login_service.change_own_password(services().database, access.me(), form.get("old", ""), form.get("password", ""))
        except Locked as locked:
            error = f"{_('Too many failed attempts. Try again in')} {times.span(locked.seconds_left)}"
        except Denied:
            error = _("The present password is wrong.")
        except Invalid as refused:
            error = refusal(refused)
    if error:
        return render_template("accounts/password.html", policy=Policy(), error=error), 422
    return access.let_out(redirect(url_for("accounts.login")))


def refusal(error: Invalid) -> str:
    """What is wrong with a name, a password or a role, in the language of the page."""
    if error.field == "name":
        return _("An account name has 2 to 64 letters, digits or . _ @ -")
    if error.field == "password":
        return _("The password does not fit the rules below.")
    return _("A value breaks a rule.")


def _people_page(error: str = "") -> str:
    with services().database.read() as session:
        found = service.list_users(session)
    return render_template("accounts/people.html", people=found, roles=ROLES, error=error, policy=Policy(), form=request.form)
