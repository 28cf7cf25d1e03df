"""Who calls the API, and what they may: a Bearer key, or the console's session with its CSRF header. Checked before parsing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

from apiflask import APIBlueprint
from flask import Response, g, request

from kernel.errors import StateUnavailable
from operations.accounts import factors
from operations.accounts.keys import principal_of_key
from operations.accounts.schema import Principal
from operations.accounts.sessions import SESSION_COOKIE, principal_of
from operations.audit import service as audit
from operations.errors import Denied
from soc_ui import access, csrf
from soc_ui.api.problems import Problem, refused
from soc_ui.services import limit_to, services, whole_services

PROOF_HEADER = "X-Proof"
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HOW = "send Authorization: Bearer ldn_…"
SECURITY = ["ApiKey", "Session"]
V = TypeVar("V", bound=Callable[..., Any])


def caller() -> Principal:
    """Who stands behind this request."""
    found = g.api_principal
    assert isinstance(found, Principal)
    return found


def asked_again() -> Callable[[], Principal | None]:
    """Who the caller is later, while an answer is still being sent: None once the key or the session has ended."""
    token, address = request.headers.get("Authorization", "").partition(" ")[2].strip(), request.remote_addr or ""
    find, given = (principal_of_key, token) if token else (principal_of, request.cookies.get(SESSION_COOKIE, ""))
    return partial(find, whole_services().database, given, address, active=False, policy=services().policy)


def protect(blueprint: APIBlueprint) -> None:
    """Let nobody in without a valid key or session."""
    blueprint.before_request(_authenticate)
    blueprint.after_request(_note_denied)


def permit(blueprint: APIBlueprint, permission: str) -> Callable[[V], V]:
    """A view for callers who have ``permission`` (operations.accounts.permissions); stands directly under the route.

    A refused write is written to the audit trail.
    """
    return permit_any(blueprint, permission)


def permit_any(blueprint: APIBlueprint, *permissions: str) -> Callable[[V], V]:
    """The same where one of several permissions is enough."""

    def around(view: V) -> V:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not any(caller().may(permission) for permission in permissions):
                _deny(" or ".join(permissions))
            return view(*args, **kwargs)

        vars(guarded)["permissions"] = permissions  # soc_ui.permission_table reads it
        return blueprint.doc(security=SECURITY)(guarded)  # type: ignore[no-any-return]

    return around


def fresh() -> None:
    """For sensitive acts: a person who has proven who they are within the last minutes, by the header ``X-Proof`` if need be.

    Raises Problem 403.
    """
    who = caller()
    if who.key_name:
        raise Problem(403, "a key cannot do this", "log in to the console")
    if who.fresh:
        return
    code = request.headers.get(PROOF_HEADER, "")
    try:
        if not code:
            raise Denied("no proof")
        check = factors.check_code(who, services().master_key, code)
        factors.prove(services().database, who, check, access.asking(), policy=services().policy)
    except Denied as error:
        hint = f"send a one-time password in the header {PROOF_HEADER}, or log in again"
        raise Problem(403, "this needs a fresh proof of who you are", hint, needs="proof") from error


def _authenticate() -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    address = request.remote_addr or ""
    database = services().database
    if scheme:
        known = scheme.lower() == "bearer"
        found = principal_of_key(database, token.strip(), address, policy=services().policy) if known else None
        if found is None:
            raise Problem(401, "the API key is unknown, expired, revoked, or bound to other networks", _HOW)
        g.api_principal = found
        limit_to(found.zones, found.organisations)
        return
    cookie = request.cookies.get(SESSION_COOKIE, "")
    found = principal_of(database, cookie, address, policy=services().policy)
    if found is None:
        raise Problem(401, "an API key or a session is needed", _HOW)
    if request.method in WRITING and not csrf.accepted(request, cookie):
        raise Problem(403, f"a session needs the header {csrf.HEADER} to write", "or use an API key")
    if not access.admitted(found):
        raise Problem(403, "administrators cannot work from this address")
    if found.pending:
        raise Problem(403, f"first in the console: {found.pending}", "log in to the console and do what it asks for")
    g.api_principal = found
    limit_to(found.zones, found.organisations)


def _note_denied(response: Response) -> Response:
    """A change that a rule of the domain refused is written down, as one is that a missing permission refused."""
    if g.get("denied") and g.get("api_principal") and request.method in WRITING:
        try:
            _write_denied({"reason": str(g.denied)[:200]})
        except StateUnavailable as error:
            return refused(error)
    return response


def _deny(permission: str) -> None:
    if request.method in WRITING:
        _write_denied({"permission": permission})
    raise Problem(403, f"this needs the permission {permission}", "see /api/v1/me for what you may do")


def _write_denied(why: dict[str, str]) -> None:
    with services().database.write() as session:
        detail = {"method": request.method, **why}
        audit.append(session, caller().actor, "api.denied", "api", request.path, result="denied", detail=detail)
