"""Who calls the API, and what they may: a Bearer key, or the console's session with its CSRF header. Checked before parsing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from apiflask import APIBlueprint
from flask import g, request

from operations.accounts.keys import principal_of_key
from operations.accounts.login import SESSION_COOKIE, principal_of
from operations.accounts.schema import Principal
from operations.audit import service as audit
from soc_ui import csrf
from soc_ui.api.problems import Problem
from soc_ui.services import services

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SECURITY = ["ApiKey", "Session"]
V = TypeVar("V", bound=Callable[..., Any])


def caller() -> Principal:
    """Who stands behind this request."""
    found = g.api_principal
    assert isinstance(found, Principal)
    return found


def protect(blueprint: APIBlueprint) -> None:
    """Let nobody in without a valid key or session."""
    blueprint.before_request(_authenticate)


def permit(blueprint: APIBlueprint, permission: str) -> Callable[[V], V]:
    """A view for callers who have ``permission`` (operations.accounts.schema.PERMISSIONS); stands directly under the route.

    A refused write is written to the audit trail.
    """

    def around(view: V) -> V:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not caller().may(permission):
                _deny(permission)
            return view(*args, **kwargs)

        return blueprint.doc(security=SECURITY)(guarded)  # type: ignore[no-any-return]

    return around


def _authenticate() -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    address = request.remote_addr or ""
    database = services().database
    if scheme:
        found = principal_of_key(database, token.strip(), address) if scheme.lower() == "bearer" else None
        if found is None:
            raise Problem(401, "the API key is unknown, expired or revoked", "send Authorization: Bearer ldn_…")
        g.api_principal = found
        return
    cookie = request.cookies.get(SESSION_COOKIE, "")
    found = principal_of(database, cookie, address)
    if found is None:
        raise Problem(401, "an API key or a session is needed", "send Authorization: Bearer ldn_…")
    if request.method in WRITING and not csrf.accepted(request, cookie):
        raise Problem(403, f"a session needs the header {csrf.HEADER} to write", "or use an API key")
    g.api_principal = found


def _deny(permission: str) -> None:
    if request.method in WRITING:
        with services().database.write() as session:
            detail = {"method": request.method, "permission": permission}
            audit.append(session, caller().actor, "api.denied", "api", request.path, result="denied", detail=detail)
    raise Problem(403, f"this needs the permission {permission}", "a read-only key cannot write; a viewer cannot change alerts")
