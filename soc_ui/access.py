"""Who is asking: the session cookie, cross-site protection, permissions and scope, checked before any page of the console runs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from operations.accounts import networks, sessions
from operations.accounts.permissions import is_power
from operations.accounts.schema import Principal
from operations.accounts.sessions import SESSION_COOKIE, Asking, principal_of
from operations.audit import service as audit
from soc_ui import csrf
from soc_ui.services import limit_to, services

VISITOR_COOKIE = "liandun_visitor"
OPEN_ENDPOINTS = frozenset(
    {
        "assets.file",
        "assets.favicon",
        "accounts.login",
        "accounts.setup",
        "directory.begin",
        "directory.callback",
        "handout.look",
        "handout.open_",
        "preferences.choose",
    }
)
PENDING_PAGES = {"factor": "second.verify", "enrol": "second.enrol", "password": "second.password"}
"""What has to be done first (Principal.pending) → the page where it is done."""

FIRST_SCREENS: dict[str, tuple[str, str, dict[str, str]]] = {
    "sysadmin": ("sources.read", "sources.page", {}),
    "secadmin": ("accounts.grant", "proposals.page", {}),
    "auditadmin": ("audit.read", "audit.page", {}),
    "analyst": ("alerts.read", "alerts.queue", {"view": "mine-and-unassigned"}),
    "responder": ("incidents.read", "incidents.page", {"sort": "due"}),
    "bureau": ("tickets.read", "tickets.page", {}),
}
"""Role → permission that its first screen needs, endpoint, arguments; the others begin on the overview."""

START = "/start"
"""Leads to the first screen of the role; where one goes after signing in without having asked for a page."""

API_PREFIX = "/api/"
LIVE_ENDPOINT = "live.stream"  # browsers open it again by themselves
BACKGROUND_HEADER = "X-Background"  # set by our script on polls, which must not keep an unattended session alive
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
RECHECK_SECONDS = 2.0

P = ParamSpec("P")
R = TypeVar("R")


def me() -> Principal:
    """The person behind this request; only on pages that need a login."""
    found = g.principal
    assert isinstance(found, Principal)
    return found


def needs(*permissions: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view for those who have one of ``permissions`` (operations.accounts.permissions); others get 403."""

    def around(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not any(me().may(permission) for permission in permissions):
                note_denied(" or ".join(permissions))
                abort(403)
            return view(*args, **kwargs)

        vars(guarded)["permissions"] = permissions  # soc_ui.permission_table reads it
        return guarded

    return around


def start_page() -> str:
    """Where somebody with this role begins (docs/console.md); who has lost the page by a scope begins where all others do."""
    first = FIRST_SCREENS.get(me().role)
    if first and me().may(first[0]):
        return url_for(first[1], **first[2])
    for permission, endpoint in (
        ("alerts.read", "overview.page"),
        ("accounts.grant", "proposals.page"),
        ("accounts.read", "people.page"),
        ("audit.read", "audit.page"),
    ):
        if me().may(permission):
            return url_for(endpoint)
    return url_for("account.page")


def address() -> str:
    """The peer's IP address."""
    return request.remote_addr or ""


def asking() -> Asking:
    """Where the request comes from, for a session."""
    return Asking(address(), request.user_agent.string)


def guarding_cookie() -> str:
    """The secret cookie that the page's CSRF token hangs on: the session's, or the visitor's before login."""
    if g.get("new_session"):
        return str(g.new_session)
    return request.cookies.get(SESSION_COOKIE, "") if g.get("principal") else visitor()


def let_in(response: BaseResponse, token: str) -> BaseResponse:
    """Start the session ``token`` in this browser.

    The visitor cookie goes, so nothing from before the login lives on (session fixation).
    """
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="Lax", secure=_secure(), path="/")
    response.delete_cookie(VISITOR_COOKIE, path="/")
    g.drop_visitor = True
    return response


def let_out(response: BaseResponse) -> BaseResponse:
    """Forget the session in this browser."""
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


def while_allowed(chunks: Iterator[bytes], allowed: Callable[[], bool] | None = None) -> Iterator[bytes]:
    """``chunks`` as long as the person may go on: who is switched off while an answer is being sent gets no more of it.

    allowed  whether they may, where it is not the session of a page that has to hold
    """
    if allowed is None:
        allowed = partial(sessions.still, services().database, me())
    checked = time.monotonic()
    for chunk in chunks:
        if time.monotonic() - checked >= RECHECK_SECONDS:
            if not allowed():
                return
            checked = time.monotonic()
        yield chunk


def note_denied(reason: str) -> None:
    """Write down that somebody was refused a change (reading is only refused)."""
    if request.method in WRITING and g.get("principal"):
        with services().database.write() as session:
            detail = {"method": request.method, "reason": reason[:200]}
            audit.append(session, me().actor, "page.denied", "page", request.path, result="denied", detail=detail)


def admitted(who: Principal) -> bool:
    """False for an administrator from outside of the networks that the policy allows."""
    allowed = services().policy.admin_networks
    return not allowed or not is_power(who.role) or networks.inside(who.address, allowed)


def install(app: Flask) -> None:
    """Guards every endpoint of ``app`` except the API, which guards itself, and OPEN_ENDPOINTS."""

    @app.before_request
    def check() -> BaseResponse | None:
        g.principal = None
        if request.path.startswith(API_PREFIX) or request.endpoint in ("assets.file", "assets.favicon"):
            return None
        by_hand = BACKGROUND_HEADER not in request.headers and request.endpoint != LIVE_ENDPOINT
        cookie = request.cookies.get(SESSION_COOKIE, "")
        g.principal = principal_of(services().database, cookie, address(), active=by_hand, policy=services().policy)
        if g.principal is None and request.endpoint not in OPEN_ENDPOINTS:
            return _to_login()
        if request.method in WRITING and not csrf.accepted(request, guarding_cookie()):
            abort(400, "csrf")
        return _first_things_first(g.principal) if g.principal else None

    @app.after_request
    def remember_visitor(response: Response) -> Response:
        fresh = g.get("new_visitor")
        if fresh and not g.get("drop_visitor"):
            response.set_cookie(VISITOR_COOKIE, fresh, httponly=True, samesite="Lax", secure=_secure(), path="/")
        return response


def _first_things_first(who: Principal) -> BaseResponse | None:
    """What is pending comes before every page; everything that follows sees the person's zones only."""
    limit_to(who.zones, who.organisations)
    if request.endpoint in OPEN_ENDPOINTS or request.endpoint == "accounts.logout":
        return None
    if not admitted(who):
        abort(403)
    if who.pending and request.blueprint != "second":
        page = url_for(PENDING_PAGES[who.pending])
        if request.headers.get("HX-Request"):
            return Response(status=401, headers={"HX-Redirect": page})
        return redirect(page)
    if request.endpoint == "overview.page" and not who.may("alerts.read"):
        return redirect(start_page())
    return None


def _to_login() -> BaseResponse:
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    if request.headers.get("HX-Request"):  # a partial must not swallow the login page
        return Response(status=401, headers={"HX-Redirect": url_for("accounts.login")})
    return redirect(url_for("accounts.login", next=target if target != "/" else None))


def visitor() -> str:
    """The secret cookie of somebody who has not logged in."""
    known = request.cookies.get(VISITOR_COOKIE, "") or str(g.get("new_visitor", ""))
    if len(known) >= 32:
        return known
    g.new_visitor = secrets.token_urlsafe(32)
    return str(g.new_visitor)


def _secure() -> bool:
    wanted = services().settings.secure_cookies
    return request.is_secure if wanted is None else wanted
