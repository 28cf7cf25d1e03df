"""Failed attempts, counted per account and per address.

Every attempt is counted as a failure *before* the password or code is looked at and taken back when it was right, so a burst of
parallel guesses cannot slip past the limit. The counters live in the database and so survive restarts and hold for all workers.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.models import LoginFailure
from operations.accounts.schema import Policy


def account_key(name: str) -> str:
    """How the counter of an account is called."""
    return name.casefold()[:128]


def count_attempt(session: Session, key: str, address: str, policy: Policy) -> int:
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


def seconds_left(session: Session, key: str, address: str) -> int:
    """Seconds until the later lock of account and address ends, 0 when neither is locked."""
    present = clock.now()
    locks = [_failure(session, "account", key).locked_until, _failure(session, "address", address).locked_until]
    return max((clock.seconds_until(lock, present) for lock in locks if lock), default=0)


def take_back(session: Session, key: str, address: str, *, forget: bool = True) -> None:
    """The attempt was right: forget the account's failures, and this one of the address (but not others' guesses from there).

    forget  False where only this attempt is taken back: a right password must not clear what was guessed at the second factor
    """
    if forget:
        session.execute(delete(LoginFailure).where(LoginFailure.kind == "account", LoginFailure.key == key))
    rows = [_failure(session, "address", address)] + ([] if forget else [_failure(session, "account", key)])
    for row in rows:
        row.failures, row.locked_until = max(0, row.failures - 1), None


def lift(session: Session, name: str) -> None:
    """Forget the failures of an account."""
    session.execute(delete(LoginFailure).where(LoginFailure.kind == "account", LoginFailure.key == account_key(name)))


def locked_accounts(session: Session) -> dict[str, str]:
    """Account key → until when it is locked."""
    query = select(LoginFailure.key, LoginFailure.locked_until).where(
        LoginFailure.kind == "account", LoginFailure.locked_until > clock.now()
    )
    return {key: until or "" for key, until in session.execute(query)}


def remove_stale(session: Session, policy: Policy) -> int:
    """Delete counters that no longer matter. Returns how many."""
    present = clock.now()
    old = clock.shift(present, -policy.lock_time)
    over = (LoginFailure.locked_until.is_(None)) | (LoginFailure.locked_until <= present)
    return int(session.connection().execute(delete(LoginFailure).where(LoginFailure.last_at <= old, over)).rowcount)


def place(address: str) -> str:
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
    key = place(key) if kind == "address" else key
    fresh = {"kind": kind, "key": key[:128], "failures": 0, "last_at": clock.now(), "locked_until": None}
    build = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement: Any = build(LoginFailure)
    session.connection().execute(statement.values(fresh).on_conflict_do_nothing())
    query = select(LoginFailure).where(LoginFailure.kind == kind, LoginFailure.key == key[:128]).with_for_update()
    return session.execute(query.execution_options(populate_existing=True)).scalar_one()
