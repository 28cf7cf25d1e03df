"""Sign-in by the city's OpenID provider: there and back."""

from __future__ import annotations

import logging

import msgspec
from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from operations.accounts import challenges, external
from operations.accounts import login as login_service
from operations.accounts.oidc import Begun, SignInError
from operations.accounts.tokens import token_hash
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid
from soc_ui import access
from soc_ui.accounts.views import end_open_session, login_page
from soc_ui.locale import _
from soc_ui.preferences import local_path
from soc_ui.services import services

PURPOSE = "oidc"
directory = Blueprint("directory", __name__)
_log = logging.getLogger(__name__)


@directory.get("/login/oidc")
def begin() -> Response | tuple[str, int]:
    """Off to the provider."""
    provider = services().provider
    if provider is None:
        abort(404)
    target = local_path(request.args.get("next", access.START))
    try:
        url, begun = provider.begin(_redirect_uri(), target)
    except SignInError as error:
        _log.error("oidc: %s", error)
        return login_page(target, error=_("The sign-in service cannot be reached.")), 502
    with services().database.write() as session:
        challenges.put(session, token_hash(access.visitor()), PURPOSE, msgspec.json.encode(begun).decode())
    return redirect(url)


@directory.get("/login/oidc/callback")
def callback() -> Response | tuple[str, int]:
    """Back from the provider: only the browser that went there, once, with an answer that fits in every way."""
    provider = services().provider
    if provider is None:
        abort(404)
    with services().database.write() as session:
        kept = challenges.take(session, token_hash(access.visitor()), PURPOSE)
    refused = _("The sign-in service did not let you in.")
    if kept is None:
        return login_page(access.START, error=refused), 401
    begun = msgspec.json.decode(kept, type=Begun)
    try:
        found = provider.finish(begun, request.args.to_dict(), _redirect_uri())
        with services().database.write() as session:
            user = external.account_of(session, found.person, provider.roles, access.address())
            factor = "external" if found.second_factor else ""
            outcome = login_service.admit_id(session, user.id, access.asking(), factor=factor, policy=services().policy)
    except (SignInError, Conflict, Invalid) as error:
        with services().database.write() as session:
            detail = {"reason": str(error)[:200]}
            audit.append(session, Actor("oidc", access.address()), "session.login", "account", "", result="failure", detail=detail)
        return login_page(access.START, error=refused), 401
    if not outcome.ok:
        return login_page(access.START, error=refused, locked_seconds=outcome.seconds_left), 401
    end_open_session()
    return access.let_in(redirect(begun.next), outcome.token)


def _redirect_uri() -> str:
    base = services().settings.public_origin or request.host_url.rstrip("/")
    return base + url_for("directory.callback")
