"""Logging in, lockout, and server-side sessions.

Every attempt is counted as a failure *before* the password is looked at and taken back when it was right, so a burst of parallel
guesses cannot slip past the limit. Five failures lock the account, and the address they came from, for ten minutes (Policy);
the counters live in the database and so survive restarts and hold for all workers.
"""

from __future__ import annotations

import ipaddress
import secrets
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crypto.password import hash_password, outdated, verify_password
from kernel.db import Database
from kernel.errors import LiandunError
from operations import clock
from operations.accounts.models import LoginFailure, LoginSession, User
from operations.accounts.schema import Login, Policy, Principal
from operations.accounts.service import change_password, token_hash
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Denied, Locked

SESSION_COOKIE = "liandun_session"
_TOUCH_SECONDS = 30  # how stale ``seen_at`` may be: one write per session and half minute, not one per request

# Verified against when the account does not exist, so that both cases take the same time.
_NOBODY = hash_password(secrets.token_urlsafe(16))


def log_in(database: Database, name: str, password: str, address: str, user_agent: str = "", *, policy: Policy = Policy()) -> Login:
    """Check name and password; on success make a session and return its token for the cookie ``SESSION_COOKIE``.

    A locked account or address is refused without looking at the password (``reason`` "locked", with the seconds left).
    """
    key, actor = name.casefold()[:128], Actor(name[:64], address)
    with database.write() as session:
        left = _count_attempt(session, key, address, policy)
        if left:
            audit.append(session, actor, "session.login", "account", name, result="denied", detail={"reason": "locked"})
            return Login(reason="locked", seconds_left=left)
        user = session.execute(select(User).where(User.name_key == key)).scalar_one_or_none()
        stored, user_id, active = (user.password_hash, user.id, user.active) if user else (_NOBODY, 0, False)
    right = verify_password(stored, password[:1024]) and user_id != 0
    rehashed = hash_password(password, policy.scheme) if right and outdated(stored, policy.scheme) else ""
    with database.write() as session:
        if not right or not active:
            return _refuse(session, actor, key, address, policy, "disabled" if right else "wrong")
        _take_back(session, key, address)
        values = {"last_login_at": clock.now()} | ({"password_hash": rehashed} if rehashed else {})
        session.execute(update(User).where(User.id == user_id, User.password_hash == stored).values(values))
        token = create_session(session, user_id, address, user_agent, policy=policy)
        audit.append(session, actor, "session.login", "account", name)
        return Login(token=token)


def create_session(session: Session, user_id: int, address: str, user_agent: str = "", *, policy: Policy = Policy()) -> str:
    """A session for a person whose identity is proven (login, set-up); returns the token for the cookie."""
    token, start = secrets.token_urlsafe(32), clock.now()
    session.add(
        LoginSession(
            id=token_hash(token),
            user_id=user_id,
            created_at=start,
            seen_at=start,
            expires_at=clock.shift(start, policy.session_time),
            address=address[:64],
            user_agent=user_agent[:256],
        )
    )
    session.flush()
    return token


def change_own_password(database: Database, who: Principal, old: str, new: str, *, policy: Policy = Policy()) -> None:
    """service.change_password for oneself. A wrong present password counts like a failed login, so that somebody at an open
    session cannot guess it. Raises Locked, Denied (wrong), Invalid (the new one breaks the rule)."""
    key = who.name.casefold()[:128]
    with database.write() as session:
        left = _count_attempt(session, key, who.address, policy)
        if left:
            audit.append(session, who.actor, "account.password", "account", who.name, result="denied", detail={"reason": "locked"})
    if left:
        raise Locked(left)
    try:
        change_password(database, who.actor, who.user_id, old, new, policy=policy)
    except Denied:
        raise
    except LiandunError:
        with database.write() as session:
            _take_back(session, key, who.address)
        raise
    with database.write() as session:
        _take_back(session, key, who.address)


def principal_of(
    database: Database, token: str, address: str = "", *, active: bool = True, policy: Policy = Policy()
) -> Principal | None:
    """Who the session token belongs to, or None: unknown, idle too long, too old, logged out, or the account is switched off.

    Looked up on every request, so switching an account off takes effect at once.
    active  False for what a page asks by itself (polling): that must not keep an unattended session alive.
    """
    if not token:
        return None
    key, present = token_hash(token), clock.now()
    query = select(LoginSession, User).join(User, User.id == LoginSession.user_id).where(LoginSession.id == key)
    with database.read() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        return None
    login, user = row
    if not user.active or login.expires_at <= present or clock.shift(login.seen_at, policy.idle_time) <= present:
        return None
    if active and clock.shift(login.seen_at, _TOUCH_SECONDS) <= present:
        with database.write() as session:
            session.execute(update(LoginSession).where(LoginSession.id == key).values(seen_at=present))
    return Principal(user.id, user.name, user.display_name, user.role, address=address or login.address)


def log_out(session: Session, token: str, actor: Actor) -> None:
    """End a session; its token is worthless from now on."""
    session.execute(delete(LoginSession).where(LoginSession.id == token_hash(token)))
    audit.append(session, actor, "session.logout", "account", actor.name)


def unlock(session: Session, actor: Actor, name: str) -> None:
    """Lift the lock of an account before its time."""
    session.execute(delete(LoginFailure).where(LoginFailure.kind == "account", LoginFailure.key == name.casefold()[:128]))
    audit.append(session, actor, "account.unlock", "account", name)


def remove_stale(session: Session, *, policy: Policy = Policy()) -> int:
    """Delete sessions and failure counters that no longer matter; for the scheduler. Returns how many rows went."""
    present = clock.now()
    idle = clock.shift(present, -policy.idle_time)
    gone = session.connection().execute(
        delete(LoginSession).where((LoginSession.expires_at <= present) | (LoginSession.seen_at <= idle))
    )
    old = clock.shift(present, -policy.lock_time)
    gone_failures = session.connection().execute(
        delete(LoginFailure).where(
            LoginFailure.last_at <= old, (LoginFailure.locked_until.is_(None)) | (LoginFailure.locked_until <= present)
        )
    )
    return int(gone.rowcount + gone_failures.rowcount)


def _count_attempt(session: Session, key: str, address: str, policy: Policy) -> int:
    """Count this attempt for account and address; seconds until the later lock ends, 0 when neither is locked."""
    present, left = clock.now(), 0
    rows = [_failure(session, "account", key), _failure(session, "address", address)]
    for row in rows:
        if row.locked_until and row.locked_until > present:
            left = max(left, clock.seconds_until(row.locked_until, present))
        elif row.locked_until or clock.shift(row.last_at, policy.lock_time) <= present:
            row.failures, row.locked_until = 0, None  # the lock, or the memory of failures, has run out
    if left:
        return left
    for row in rows:
        row.failures, row.last_at = row.failures + 1, present
        if row.failures >= policy.max_failures:
            row.locked_until = clock.shift(present, policy.lock_time)
    return 0


def _refuse(session: Session, actor: Actor, key: str, address: str, policy: Policy, reason: str) -> Login:
    left = 0
    for row in (_failure(session, "account", key), _failure(session, "address", address)):
        if row.locked_until:
            left = max(left, clock.seconds_until(row.locked_until, clock.now()))
    detail = {"reason": reason} | ({"locked_seconds": left} if left else {})
    audit.append(session, actor, "session.login", "account", actor.name, result="failure", detail=detail)
    return Login(reason="locked" if left else reason, seconds_left=left)


def _take_back(session: Session, key: str, address: str) -> None:
    """The attempt was right: forget the account's failures, and this one of the address (but not others' guesses from there)."""
    session.execute(delete(LoginFailure).where(LoginFailure.kind == "account", LoginFailure.key == key))
    row = _failure(session, "address", address)
    row.failures, row.locked_until = max(0, row.failures - 1), None


def _place(address: str) -> str:
    """What counts as one address: of IPv6 the /64, inside which a single machine may take any address (RFC 4291, 2.5.1)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _failure(session: Session, kind: str, key: str) -> LoginFailure:
    """The counter, made where there is none, and locked: two attempts at the same time must count as two."""
    key = _place(key) if kind == "address" else key
    fresh = {"kind": kind, "key": key[:128], "failures": 0, "last_at": clock.now(), "locked_until": None}
    build = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement: Any = build(LoginFailure)
    session.connection().execute(statement.values(fresh).on_conflict_do_nothing())
    query = select(LoginFailure).where(LoginFailure.kind == kind, LoginFailure.key == key[:128]).with_for_update()
    return session.execute(query.execution_options(populate_existing=True)).scalar_one()
