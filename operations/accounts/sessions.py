"""Server-side sessions: who a cookie belongs to is looked up on every request, so what changes takes effect at once."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.errors import StateUnavailable
from operations import clock
from operations.accounts.models import Challenge, Factor, LoginSession, User
from operations.accounts.reach import zones_of
from operations.accounts.schema import DAY, Policy, Principal, SessionRecord
from operations.accounts.tokens import new_token, token_hash
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import NotFound

SESSION_COOKIE = "liandun_session"
_TOUCH_SECONDS = 30  # how stale ``seen_at`` may be: one write per session and half minute, not one per request


class Asking(msgspec.Struct, frozen=True):
    """Where a request comes from."""

    address: str = ""
    user_agent: str = ""


def create_session(
    session: Session, user_id: int, asking: Asking, *, factor: str = "", whole: bool = True, policy: Policy = Policy()
) -> str:
    """A session for a person whose identity is proven; returns the token for the cookie ``SESSION_COOKIE``.

    factor  how the second factor was proven
    whole   False while it has to be: such a session lives for minutes only
    """
    token, start = new_token(), clock.now()
    if policy.single_session and whole:
        session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))
    session.add(
        LoginSession(
            id=token_hash(token),
            user_id=user_id,
            created_at=start,
            seen_at=start,
            expires_at=clock.shift(start, policy.session_time if whole else policy.half_time),
            address=asking.address[:64],
            user_agent=asking.user_agent[:256],
            factor=factor,
            proved_at=start,
        )
    )
    session.flush()
    return token


def renew(session: Session, old_id: str, user_id: int, asking: Asking, *, factor: str, policy: Policy = Policy()) -> str:
    """The session goes on under a new token, because its holder now may more (session fixation; ASVS 3.2.1)."""
    session.execute(delete(LoginSession).where(LoginSession.id == old_id))
    return create_session(session, user_id, asking, factor=factor, policy=policy)


def principal_of(
    database: Database, token: str, address: str = "", *, active: bool = True, policy: Policy = Policy()
) -> Principal | None:
    """Who the session token belongs to, or None: unknown, idle too long, too old, logged out, or the account is switched off.

    active  False for what a page asks by itself (polling): that must not keep an unattended session alive.
    """
    if not token:
        return None
    key, present = token_hash(token), clock.now()
    enrolled = exists().where(Factor.user_id == User.id)
    query = select(LoginSession, User, enrolled).join(User, User.id == LoginSession.user_id).where(LoginSession.id == key)
    with database.read() as session:
        row = session.execute(query).one_or_none()
        if row is None:
            return None
        login, user, has_factor = row
        zones = zones_of(session, user)
    if not alive(user, present) or login.expires_at <= present:
        return None
    if clock.shift(login.seen_at, policy.idle_of(user.role)) <= present:
        return None
    if active and clock.shift(login.seen_at, _TOUCH_SECONDS) <= present:
        # Where nothing can be written, who only reads goes on, and the session ends a little too early.
        with contextlib.suppress(StateUnavailable), database.write() as session:
            session.execute(update(LoginSession).where(LoginSession.id == key).values(seen_at=present))
    return Principal(
        user.id,
        user.name,
        user.display_name,
        user.role,
        address or login.address,
        zones=zones,
        session=key,
        factor=login.factor,
        proved_at=login.proved_at,
        fresh=clock.shift(login.proved_at, policy.fresh_time) > present,
        pending=_pending(user, login, has_factor, present, policy),
        warn_days=_warn_days(user, present, policy),
    )


def alive(user: User, present: str) -> bool:
    """False for an account that is switched off, removed or past its time."""
    return user.active and user.removed_at is None and (user.expires_at is None or user.expires_at > present)


def still(database: Database, who: Principal) -> bool:
    """True while ``who`` (a session) may go on: for answers that take long, such as streams and exports."""
    query = select(LoginSession.expires_at, User).join(User, User.id == LoginSession.user_id).where(LoginSession.id == who.session)
    with database.read() as session:
        row = session.execute(query).one_or_none()
    return row is not None and row[0] > clock.now() and alive(row[1], clock.now()) and row[1].role == who.role


def prove(session: Session, who: Principal, factor: str) -> None:
    """The person has just proven again who they are."""
    values: dict[str, Any] = {"proved_at": clock.now()} | ({"factor": factor} if factor else {})
    session.execute(update(LoginSession).where(LoginSession.id == who.session).values(**values))


def list_sessions(session: Session, who: Principal) -> list[SessionRecord]:
    """One's own sessions, newest act first."""
    query = select(LoginSession).where(LoginSession.user_id == who.user_id, LoginSession.expires_at > clock.now())
    return [
        SessionRecord(
            row.id, row.created_at, row.seen_at, row.expires_at, row.address, row.user_agent, row.factor, row.id == who.session
        )
        for row in session.execute(query.order_by(LoginSession.seen_at.desc())).scalars()
    ]


def end_session(session: Session, who: Principal, session_id: str) -> None:
    """End one of one's own sessions. Raises NotFound, also for somebody else's."""
    mine: ColumnElement[bool] = (LoginSession.id == session_id) & (LoginSession.user_id == who.user_id)
    if not session.connection().execute(delete(LoginSession).where(mine)).rowcount:
        raise NotFound("there is no such session")
    audit.append(session, who.actor, "session.end", "account", who.name)


def end_others(session: Session, who: Principal) -> int:
    """End all of one's own sessions but this one; returns how many."""
    others = (LoginSession.user_id == who.user_id) & (LoginSession.id != who.session)
    number = int(session.connection().execute(delete(LoginSession).where(others)).rowcount)
    audit.append(session, who.actor, "session.end", "account", who.name, detail={"sessions": number})
    return number


def end_all(session: Session, user_id: int, *, keep: str = "") -> None:
    """End every session of an account (but the one with the id ``keep``)."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id, LoginSession.id != keep))


def log_out(session: Session, token: str, actor: Actor) -> None:
    """End a session; its token is worthless from now on."""
    key = token_hash(token)
    session.execute(delete(LoginSession).where(LoginSession.id == key))
    session.execute(delete(Challenge).where(Challenge.holder == key))
    audit.append(session, actor, "session.logout", "account", actor.name)


def remove_stale(session: Session, *, policy: Policy = Policy()) -> int:
    """Delete sessions and challenges that no longer matter; for the scheduler. Returns how many rows went."""
    present = clock.now()
    idle = clock.shift(present, -max(policy.idle_time, policy.admin_idle_time))
    gone = delete(LoginSession).where((LoginSession.expires_at <= present) | (LoginSession.seen_at <= idle))
    number = session.connection().execute(gone).rowcount
    return int(number + session.connection().execute(delete(Challenge).where(Challenge.expires_at <= present)).rowcount)


def _pending(user: User, login: LoginSession, has_factor: bool, present: str, policy: Policy) -> str:
    if not login.factor:
        if has_factor:
            return "factor"
        if policy.needs_factor(user.role):
            return "enrol"
    if user.origin == "local" and (user.must_change or clock.shift(user.password_changed_at, policy.max_age) <= present):
        return "password"
    return ""


def _warn_days(user: User, present: str, policy: Policy) -> int | None:
    left = clock.seconds_until(clock.shift(user.password_changed_at, policy.max_age), present)
    return left // DAY if user.origin == "local" and 0 < left <= policy.warn_age else None
