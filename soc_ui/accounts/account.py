"""``/account``: one's own account — sessions, second factors, recovery codes, password."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from operations.accounts import factors, recovery, service, sessions
from operations.errors import Conflict, Denied, Invalid
from soc_ui import access
from soc_ui.accounts import second
from soc_ui.accounts.proof import proven
from soc_ui.accounts.words import factor_names, role_duties, role_names
from soc_ui.numbers import row_id
from soc_ui.services import services

account = Blueprint("account", __name__)


@account.get("/account")
def page() -> str:
    """Everything about oneself."""
    return _account_page()


@account.post("/account/sessions")
def end_session() -> Response:
    """End one of one's own sessions (``session``), or all others."""
    chosen = request.form.get("session", "")
    with services().database.write() as session:
        if chosen:
            sessions.end_session(session, access.me(), chosen)
        else:
            sessions.end_others(session, access.me())
    return redirect(url_for("account.page", done="sessions"))


@account.get("/account/factor")
def new_factor() -> str:
    """What is needed to add a second factor."""
    return render_template("accounts/factor.html", error="", **second.offers())


@account.post("/account/factor")
@proven
def add_factor() -> Response | str | tuple[str, int]:
    """Add a second factor; with the first one the recovery codes come back, shown once."""
    try:
        kind = second.enrol_from_form()
    except (Invalid, Denied, Conflict) as error:
        return render_template("accounts/factor.html", error=second.enrol_refusal(error), **second.offers()), 422
    with services().database.write() as session:
        if recovery.left(session, access.me().user_id):
            return redirect(url_for("account.page", done="factor"))
        token, codes = factors.enrolled(session, access.me(), kind, access.asking(), services().policy)
    return access.let_in(make_response(render_template("accounts/codes_page.html", codes=codes)), token)


@account.post("/account/factor/remove")
@proven
def remove_factor() -> Response | tuple[str, int]:
    """Remove a second factor; the last one stays where one is needed."""
    try:
        with services().database.write() as session:
            factors.remove(session, access.me(), request.form.get("factor", 0, row_id), policy=services().policy)
    except Denied:
        return _account_page(last_factor=True), 409
    return redirect(url_for("account.page", done="factor"))


@account.post("/account/codes")
@proven
def renew_codes() -> str:
    """Ten new recovery codes, shown once."""
    with services().database.write() as session:
        codes = factors.renew_codes(session, access.me())
    return render_template("accounts/codes_page.html", codes=codes)


@account.route("/password", methods=["GET", "POST"])
def password() -> Response | str | tuple[str, int]:
    """Changes one's own password; all other sessions of the account end."""
    if request.method == "GET":
        return render_template("accounts/password.html", policy=services().policy, error="")
    token, error = second.change_from_form()
    if error:
        return render_template("accounts/password.html", policy=services().policy, error=error), 422
    return access.let_in(redirect(url_for("account.page", done="password")), token)


def _account_page(*, last_factor: bool = False) -> str:
    me = access.me()
    with services().database.read() as session:
        context = {
            "record": service.get_user(session, me.user_id),
            "sessions": sessions.list_sessions(session, me),
            "factors": factors.list_factors(session, me.user_id),
            "codes_left": recovery.left(session, me.user_id),
        }
    return render_template(
        "accounts/account.html",
        roles=role_names(), duties=role_duties(), kinds=factor_names(), policy=services().policy, last_factor=last_factor,
        **context,
    )  # fmt: skip
