"""Sensitive acts ask for a fresh proof: a second factor (or, where none is needed, the password) not older than five minutes.

A form that is sent without one comes back as a page with the same content and one more field; nobody types anything twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from operations.accounts import certificate_factor, factors, login, webauthn_factor
from operations.accounts.factors import Check
from operations.accounts.schema import Principal
from operations.accounts.webauthn_factor import Party
from operations.errors import Denied, Locked
from soc_ui import access, csrf, times
from soc_ui.locale import _
from soc_ui.services import services

FIELDS = ("proof", "proof_answer", "proof_signature", csrf.FIELD)
P = ParamSpec("P")
R = TypeVar("R")


def party() -> Party:
    """Who asks for a security key: the origin that the browser shows."""
    return Party(services().settings.public_origin or request.host_url.rstrip("/"))


def proven(view: Callable[P, R]) -> Callable[P, R | Response]:
    """A view that acts only for somebody who has just proven who they are."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if access.me().fresh:
            return view(*args, **kwargs)
        error = ""
        if any(request.form.get(name) for name in FIELDS[:3]):
            error = prove(access.me(), check_of_form())
            if not error:
                return view(*args, **kwargs)
        return make_response(_proof_page(error), 403)

    return guarded


def check_of_form(prefix: str = "proof") -> Check:
    """What the form brings: the answer of a security key, a signature, or a code (a password where there is no second factor)."""
    who, form = access.me(), request.form
    if form.get(f"{prefix}_answer"):
        return webauthn_factor.check_answer(who, party(), form[f"{prefix}_answer"])
    if form.get(f"{prefix}_signature"):
        return certificate_factor.check_signature(who, form[f"{prefix}_signature"])
    code = form.get(prefix, "")
    if login.check_password_again(services().database, who, code):
        return lambda _session: "password"
    return factors.check_code(who, services().master_key, code)


def prove(who: Principal, check: Check) -> str:
    """Why the answer was not accepted, in the language of the page; "" where it was."""
    try:
        factors.prove(services().database, who, check, access.asking(), policy=services().policy)
    except Locked as locked:
        return f"{_('Too many failed attempts. Try again in')} {times.span(locked.seconds_left)}"
    except Denied:
        return _("The code is wrong or was used already.")
    return ""


def ways() -> dict[str, object]:
    """What the person can prove themselves with, for a page: kinds, and the challenge of a security key or certificate."""
    who, base = access.me(), party()
    with services().database.write() as session:
        kinds = factors.kinds(session, who.user_id)
        options = webauthn_factor.begin_signing(session, who, base) if "webauthn" in kinds and base.usable else None
        challenge = certificate_factor.begin(session, who, base.origin) if "certificate" in kinds else ""
    return {"kinds": kinds, "key_options": options, "challenge": challenge}


def _proof_page(error: str) -> str:
    carried = [(name, value) for name, values in request.form.lists() if name not in FIELDS for value in values]
    return render_template("accounts/prove.html", carried=carried, error=error, action=request.full_path.rstrip("?"), **ways())
