"""First-run set-up, log in, log out. The rules stand in operations.accounts; here are only forms and cookies."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from operations.accounts import login as login_service
from operations.accounts import service
from operations.accounts.schema import Policy
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access
from soc_ui.accounts.people import refusal
from soc_ui.locale import _
from soc_ui.preferences import local_path
from soc_ui.services import services

accounts = Blueprint("accounts", __name__)


@accounts.route("/login", methods=["GET", "POST"])
def login() -> Response | str | tuple[str, int]:
    """The log-in form. A locked account is told the time left, a wrong name or password is not told which of the two."""
    target = local_path(request.values.get("next", "/"))
    if request.method == "GET":
        return redirect(target) if g.principal else _login_page(target)
    name = request.form.get("name", "")
    outcome = login_service.log_in(
        services().database, name, request.form.get("password", ""), access.address(), request.user_agent.string
    )
    if outcome.ok:
        if g.principal:  # logged in over an open session: its token must not live on beside the new one
            with services().database.write() as session:
                login_service.log_out(session, request.cookies.get(login_service.SESSION_COOKIE, ""), access.me().actor)
        return access.let_in(redirect(target), outcome.token)
    if outcome.reason == "locked":
        return _login_page(target, name, locked_seconds=outcome.seconds_left), 429
    error = _("This account is switched off.") if outcome.reason == "disabled" else _("User name or password is wrong.")
    return _login_page(target, name, error=error), 401


@accounts.post("/logout")
def logout() -> Response:
    """Ends the session on the server; the cookie alone is worthless afterwards."""
    with services().database.write() as session:
        login_service.log_out(session, request.cookies.get(login_service.SESSION_COOKIE, ""), access.me().actor)
    return access.let_out(redirect(url_for("accounts.login")))


@accounts.route("/setup", methods=["GET", "POST"])
def setup() -> Response | str | tuple[str, int]:
    """Creates the first account with the one-use token of ``./run`` and logs it in."""
    token = request.values.get("token", "")
    if request.method == "GET":
        return _setup_page(token)
    form = request.form
    if form.get("password", "") != form.get("again", ""):
        return _setup_page(token, error=_("The two passwords differ.")), 422
    try:
        user = service.redeem_setup_token(
            services().database,
            token,
            form.get("name", ""),
            form.get("password", ""),
            access.address(),
            display_name=form.get("display_name", ""),
        )
    except Invalid as error:
        return _setup_page(token, error=refusal(error)), 422
    except (Denied, Conflict):
        return _setup_page("", error=""), 403
    with services().database.write() as session:
        opened = login_service.create_session(session, user.id, access.address(), request.user_agent.string)
        audit.append(
            session, Actor(user.name, access.address()), "session.login", "account", user.name, detail={"by": "set-up link"}
        )
    return access.let_in(redirect(url_for("overview.page")), opened)


def _login_page(target: str, name: str = "", *, error: str = "", locked_seconds: int = 0) -> str:
    with services().database.read() as session:
        has_accounts = service.any_user(session)
    return render_template(
        "accounts/login.html", next=target, name=name, error=error, locked_seconds=locked_seconds, has_accounts=has_accounts
    )


def _setup_page(token: str, *, error: str = "") -> str:
    with services().database.read() as session:
        usable = service.setup_token_valid(session, token)
    return render_template(
        "accounts/setup.html",
        token=token,
        usable=usable,
        error=error,
        policy=Policy(),
        name=request.form.get("name", ""),
        display_name=request.form.get("display_name", ""),
    )
