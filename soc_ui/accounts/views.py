"""One-use links, log in, log out. The rules stand in operations.accounts; here are only forms and cookies."""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from operations.accounts import links, service, sessions
from operations.accounts import login as login_service
from operations.accounts.schema import UserRecord
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access
from soc_ui.accounts.words import refusal
from soc_ui.locale import _
from soc_ui.preferences import local_path
from soc_ui.services import services

accounts = Blueprint("accounts", __name__)


@accounts.route("/login", methods=["GET", "POST"])
def login() -> Response | str | tuple[str, int]:
    """The log-in form. A locked account is told the time left, a wrong name or password is not told which of the two."""
    target = _next()
    if request.method == "GET":
        return redirect(target) if g.principal else login_page(target)
    name = request.form.get("name", "")
    outcome = login_service.log_in(
        services().database,
        name,
        request.form.get("password", ""),
        access.address(),
        request.user_agent.string,
        policy=services().policy,
        directory=services().directory,
    )
    if outcome.ok:
        end_open_session()
        return access.let_in(redirect(target), outcome.token)
    if outcome.reason == "locked":
        return login_page(target, name, locked_seconds=outcome.seconds_left), 429
    errors = {
        "disabled": _("This account is switched off. Ask a system administrator."),
        "directory": _("The directory cannot be asked at the moment; try again later."),
        "network": _("Administrators cannot log in from this address."),
    }
    return login_page(target, name, error=errors.get(outcome.reason, _("User name or password is wrong."))), 401


@accounts.get(access.START)
def start() -> Response:
    """Where one's work begins: the first screen of the own role."""
    return redirect(access.start_page())


@accounts.post("/logout")
def logout() -> Response:
    """Ends the session on the server; the cookie alone is worthless afterwards."""
    with services().database.write() as session:
        sessions.log_out(session, request.cookies.get(sessions.SESSION_COOKIE, ""), access.me().actor)
    return access.let_out(redirect(url_for("accounts.login")))


@accounts.route("/setup", methods=["GET", "POST"])
def setup() -> Response | str | tuple[str, int]:
    """Makes the account, or sets the password, that a one-use link is for, and logs its owner in."""
    token = request.values.get("token", "")
    if request.method == "GET":
        return _setup_page(token)
    form = request.form
    if form.get("password", "") != form.get("again", ""):
        return _setup_page(token, error=_("The two passwords differ.")), 422
    with services().database.read() as session:
        first = not service.any_user(session)
    try:
        user = links.redeem(
            services().database,
            token,
            form.get("name", ""),
            form.get("password", ""),
            access.address(),
            display_name=form.get("display_name", ""),
            policy=services().policy,
        )
    except Invalid as error:
        return _setup_page(token, error=refusal(error)), 422
    except Conflict:
        return _setup_page(token, error=_("This name is taken.")), 409
    except Denied:
        return _setup_page("", error=""), 403
    end_open_session()
    return _welcome(user, first, _next())


def _welcome(user: UserRecord, first: bool, target: str) -> Response:
    """Log the new person in, on to ``target``. Who made the very first account is shown the links for the other powers, once."""
    with services().database.write() as session:
        outcome = login_service.admit_id(session, user.id, access.asking(), policy=services().policy)
        more = ("analyst",) if services().settings.demo else ()
        made = links.create_missing(session, Actor(user.name, access.address()), services().policy, more=more) if first else {}
    if not made:
        return access.let_in(redirect(target), outcome.token)
    g.new_session = outcome.token
    base = services().settings.public_origin or request.host_url.rstrip("/")
    shown = {role: f"{base}{url_for('accounts.setup', token=token)}" for role, token in made.items()}
    page = render_template("accounts/links.html", links=shown, name=user.name, hours=services().policy.setup_time // 3600)
    return access.let_in(make_response(page), outcome.token)


def _next() -> str:
    """Where the request asks to go on afterwards, on this site; else the first screen of the role."""
    return local_path(request.values.get("next", access.START))


def end_open_session() -> None:
    """Logged in over an open session: its token must not live on beside the new one."""
    if g.principal:
        with services().database.write() as session:
            sessions.log_out(session, request.cookies.get(sessions.SESSION_COOKIE, ""), access.me().actor)


def login_page(target: str, name: str = "", *, error: str = "", locked_seconds: int = 0) -> str:
    """The form, with what went wrong."""
    with services().database.read() as session:
        has_accounts = service.any_user(session)
    return render_template(
        "accounts/login.html", next=target, name=name, error=error, locked_seconds=locked_seconds, has_accounts=has_accounts
    )


def _setup_page(token: str, *, error: str = "") -> str:
    with services().database.read() as session:
        link = links.find(session, token)
    return render_template(
        "accounts/setup.html",
        token=token,
        next=_next(),
        link=link,
        error=error,
        policy=services().policy,
        name=request.form.get("name", ""),
        display_name=request.form.get("display_name", ""),
    )
