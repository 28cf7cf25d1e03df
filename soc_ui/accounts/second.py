"""What has to be done before any page: prove the second factor, set one up, choose a new password."""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from operations.accounts import certificate_factor, factors, webauthn_factor
from operations.accounts import login as login_service
from operations.errors import Conflict, Denied, Invalid, LiandunError, Locked
from soc_ui import access, times
from soc_ui.accounts import proof
from soc_ui.accounts.qr import qr_code
from soc_ui.accounts.words import refusal
from soc_ui.locale import _
from soc_ui.services import services

second = Blueprint("second", __name__)


@second.route("/login/verify", methods=["GET", "POST"])
def verify() -> Response | str | tuple[str, int]:
    """The second step of logging in: a code, a security key, a signature, or a recovery code."""
    who = access.me()
    if who.pending != "factor":
        return redirect(access.START)
    if request.method == "GET":
        return _verify_page()
    try:
        token = factors.prove(
            services().database, who, proof.check_of_form(), access.asking(), policy=services().policy, log_in=True
        )
    except Locked as locked:
        return _verify_page(locked_seconds=locked.seconds_left), 429
    except Denied:
        return _verify_page(_("The code is wrong or was used already.")), 401
    return access.let_in(redirect(access.START), token or "")


@second.route("/login/enrol", methods=["GET", "POST"])
def enrol() -> Response | str | tuple[str, int]:
    """The first second factor; what comes back are the recovery codes, shown once."""
    if access.me().pending != "enrol":
        return redirect(access.START)
    if request.method == "GET":
        return _enrol_page()
    try:
        kind = enrol_from_form()
    except (Invalid, Denied, Conflict) as error:
        return _enrol_page(enrol_refusal(error)), 422
    with services().database.write() as session:
        token, codes = factors.enrolled(session, access.me(), kind, access.asking(), services().policy)
    g.new_session = token
    return access.let_in(make_response(render_template("accounts/codes.html", codes=codes)), token)


@second.route("/login/password", methods=["GET", "POST"])
def password() -> Response | str | tuple[str, int]:
    """A new password where the old one is past its time."""
    if access.me().pending != "password":
        return redirect(access.START)
    if request.method == "GET":
        return render_template("accounts/renew.html", policy=services().policy, error="")
    token, error = change_from_form()
    if error:
        return render_template("accounts/renew.html", policy=services().policy, error=error), 422
    return access.let_in(redirect(access.START), token)


def change_from_form() -> tuple[str, str]:
    """Change one's own password as the form says: the new session's token, or why not."""
    form = request.form
    if form.get("password", "") != form.get("again", ""):
        return "", _("The two passwords differ.")
    try:
        token = login_service.change_own_password(
            services().database,
            access.me(),
            form.get("old", ""),
            form.get("password", ""),
            access.asking(),
            policy=services().policy,
        )
    except Locked as locked:
        return "", f"{_('Too many failed attempts. Try again in')} {times.span(locked.seconds_left)}"
    except Denied as denied:
        by_directory = "directory" in denied.message
        return "", _("The directory keeps this password; change it there.") if by_directory else _("The present password is wrong.")
    except Invalid as refused:
        return "", refusal(refused)
    return token, ""


def enrol_from_form() -> str:
    """Add the factor that the form brings; its kind. Raises Invalid, Denied, Conflict."""
    who, form = access.me(), request.form
    name = form.get("label", "")
    with services().database.write() as session:
        if form.get("enrol_answer"):
            webauthn_factor.finish_registration(session, who, proof.party(), form["enrol_answer"], name)
            return "webauthn"
        if form.get("certificate"):
            certificate_factor.finish_enrolment(session, who, form["certificate"], form.get("signature", ""), name)
            return "certificate"
        if services().master_key is None:
            raise Denied("this console has no master key")
        factors.finish_totp(session, who, services().master_key, form.get("code", ""), name)
        return "totp"


def enrol_refusal(error: LiandunError) -> str:
    """Why a factor was not added."""
    if isinstance(error, Invalid):
        return refusal(error)
    return _("This set-up has expired or was used. Try again with what is shown now.")


def offers() -> dict[str, object]:
    """What a page for setting up a factor shows: QR code and text, and the challenges for a security key and a certificate."""
    who, party, key = access.me(), proof.party(), services().master_key
    with services().database.write() as session:
        text, url = factors.begin_totp(session, who, key, services().policy) if key is not None else ("", "")
        options = webauthn_factor.begin_registration(session, who, party) if party.usable else ""
        challenge = certificate_factor.begin(session, who, party.origin, enrol=True)
    secret = " ".join(text[start : start + 4] for start in range(0, len(text), 4))
    return {
        "secret": secret,
        "qr": qr_code(url) if url else None,
        "digest": services().policy.totp,
        "key_options": options,
        "challenge": challenge,
    }


def _verify_page(error: str = "", *, locked_seconds: int = 0) -> str:
    return render_template("accounts/verify.html", error=error, locked_seconds=locked_seconds, **proof.ways())


def _enrol_page(error: str = "") -> str:
    return render_template("accounts/enrol.html", error=error, **offers())
