"""Who is asking: the session cookie, cross-site protection and permissions, checked before any page of the console runs."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from operations.accounts.login import SESSION_COOKIE, principal_of
from operations.accounts.schema import Principal
from soc_ui import csrf
from soc_ui.services import services

VISITOR_COOKIE = "liandun_visitor"
OPEN_ENDPOINTS = frozenset({"assets.file", "assets.favicon", "accounts.login", "accounts.setup", "preferences.choose"})
API_PREFIX = "/api/"
BACKGROUND_HEADER = "X-Background"  # set by our script on polls, which must not keep an unattended session alive
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

P = ParamSpec("P")
R = TypeVar("R")


def me() -> Principal:
    """The person behind this request; only on pages that need a login."""
    found = g.principal
    assert isinstance(found, Principal)
    return found


def needs(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view for those who have ``permission`` (operations.accounts.schema.PERMISSIONS); others get 403."""

    def around(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not me().may(permission):
                abort(403)
            return view(*args, **kwargs)

        return guarded

    return around


def address() -> str:
    """The peer's IP address."""
    return request.remote_addr or ""


def guarding_cookie() -> str:
    """The secret cookie that the page's CSRF token hangs on: the session's, or the visitor's before login."""
    return request.cookies.get(SESSION_COOKIE, "") if g.get("principal") else _visitor()


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


def install(app: Flask) -> None:
    """Guards every endpoint of ``app`` except the API, which guards itself, and OPEN_ENDPOINTS."""

    @app.before_request
    def check() -> BaseResponse | None:
        g.principal = None
        if request.path.startswith(API_PREFIX) or request.endpoint in ("assets.file", "assets.favicon"):
            return None
        by_hand = BACKGROUND_HEADER not in request.headers
        g.principal = principal_of(services().database, request.cookies.get(SESSION_COOKIE, ""), address(), active=by_hand)
        if g.principal is None and request.endpoint not in OPEN_ENDPOINTS:
            return _to_login()
        if request.method in WRITING and not csrf.accepted(request, guarding_cookie()):
            abort(400, "csrf")
        return None

    @app.after_request
    def remember_visitor(response: Response) -> Response:
        fresh = g.get("new_visitor")
        if fresh and not g.get("drop_visitor"):
            response.set_cookie(VISITOR_COOKIE, fresh, httponly=True, samesite="Strict", secure=_secure(), path="/")
        return response


def _to_login() -> BaseResponse:
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    if request.headers.get("HX-Request"):  # a partial must not swallow the login page
        return Response(status=401, headers={"HX-Redirect": url_for("accounts.login")})
    return redirect(url_for("accounts.login", next=target if target != "/" else None))


def _visitor() -> str:
    known = request.cookies.get(VISITOR_COOKIE, "") or str(g.get("new_visitor", ""))
    if len(known) >= 32:
        return known
    g.new_visitor = secrets.token_urlsafe(32)
    return str(g.new_visitor)


def _secure() -> bool:
    wanted = services().settings.secure_cookies
    return request.is_secure if wanted is None else wanted
