"""The first step of logging in: name and password. What follows (second factor, a new password) hangs on the session made here.

Five failures lock the account, and the address they came from, for ten minutes (Policy); see lockout.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from crypto.password import hash_password, outdated, verify_password
from kernel.db import Database
from kernel.errors import LiandunError
from operations import clock
from operations.accounts import external, lockout, networks, sessions
from operations.accounts.ldap import Directory, DirectoryError
from operations.accounts.models import Factor, User
from operations.accounts.passwords import change_password
from operations.accounts.permissions import is_power
from operations.accounts.schema import Login, Policy, Principal
from operations.accounts.sessions import Asking
from operations.accounts.tokens import new_token
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, Locked

_LONGEST = 1024


@cache
def _nobody() -> str:
    """Verified against when the account does not exist or has no password, so that all cases take the same time.

    Made with the first attempt, whoever's: most processes that import this log nobody in, and it costs as much as an attempt.
    """
    return hash_password(new_token())


def log_in(
    database: Database,
    name: str,
    password: str,
    address: str,
    user_agent: str = "",
    *,
    policy: Policy = Policy(),
    directory: Directory | None = None,
) -> Login:
    """Check name and password; on success make a session and return its token for the cookie ``SESSION_COOKIE``.

    A locked account or address is refused without looking at the password (``reason`` "locked", with the seconds left).
    The session may have something pending, see Principal.

    directory  asked about names that no local account has
    """
    key, actor, nobody = lockout.account_key(name), Actor(name[:64], address), _nobody()
    with database.write() as session:
        left = lockout.count_attempt(session, key, address, policy)
        if left:
            audit.append(session, actor, "session.login", "account", name, result="denied", detail={"reason": "locked"})
            return Login(reason="locked", seconds_left=left)
        user = session.execute(select(User).where(User.name_key == key)).scalar_one_or_none()
        stored = (user.password_hash if user else "") or nobody
        user_id = user.id if user and user.password_hash else 0
        elsewhere = directory is not None and (user is None or user.origin == "ldap")
    if elsewhere and directory is not None:
        return _ask(database, directory, name, password[:_LONGEST], Asking(address, user_agent), policy)
    right = verify_password(stored, password[:_LONGEST]) and user_id != 0
    rehashed = hash_password(password, policy.scheme) if right and outdated(stored, policy.scheme) else ""
    with database.write() as session:
        user = session.get(User, user_id) if right else None
        if user is None or user.password_hash != stored:
            return _refuse(session, actor, key, address, policy, "wrong")
        if rehashed:
            user.password_hash = rehashed
        return admit(session, user, Asking(address, user_agent), policy=policy)


def _ask(database: Database, directory: Directory, name: str, password: str, asking: Asking, policy: Policy) -> Login:
    """Let the directory decide about name and password; the attempt has been counted."""
    key, actor = lockout.account_key(name), Actor(name[:64], asking.address)
    try:
        person, problem = directory.check(name, password), ""
    except DirectoryError as error:
        person, problem = None, error.message
    try:
        with database.write() as session:
            if problem:  # no guess: a directory that is down must not lock people out
                lockout.take_back(session, key, asking.address, forget=False)
            if person is None:
                return _refuse(session, actor, key, asking.address, policy, "directory" if problem else "wrong")
            user = external.account_of(session, person, directory.roles, asking.address)
            return admit(session, user, asking, policy=policy)
    except (Conflict, Invalid) as error:
        with database.write() as session:
            return _refuse(session, actor, key, asking.address, policy, error.message)


def admit(session: Session, user: User, asking: Asking, *, factor: str = "", policy: Policy = Policy()) -> Login:
    """Somebody has proven to be ``user`` (password, directory): their session, or why there is none.

    factor  "external" where who signed them in has checked a second factor already
    """
    actor, key = Actor(user.name, asking.address), lockout.account_key(user.name)
    if not sessions.alive(user, clock.now()):
        return _refuse(session, actor, key, asking.address, policy, "disabled")
    if is_power(user.role) and policy.admin_networks and not networks.inside(asking.address, policy.admin_networks):
        return _refuse(session, actor, key, asking.address, policy, "network")
    has_factor = bool(session.execute(select(exists().where(Factor.user_id == user.id))).scalar())
    whole = bool(factor) or not (has_factor or policy.needs_factor(user.role))
    # A right password must not clear what was guessed at the second factor.
    lockout.take_back(session, key, asking.address, forget=whole)
    if whole:
        session.execute(update(User).where(User.id == user.id).values(last_login_at=clock.now()))
    token = sessions.create_session(session, user.id, asking, factor=factor, whole=whole, policy=policy)
    audit.append(session, actor, "session.login", "account", user.name, detail={} if whole else {"step": "password"})
    return Login(token=token)


def admit_id(session: Session, user_id: int, asking: Asking, *, factor: str = "", policy: Policy = Policy()) -> Login:
    """:func:`admit` for somebody who came by a one-use link or from a sign-in service: no guess, so nothing stays counted."""
    user = session.get_one(User, user_id)
    lockout.count_attempt(session, lockout.account_key(user.name), asking.address, policy)
    return admit(session, user, asking, factor=factor, policy=policy)


def change_own_password(
    database: Database, who: Principal, old: str, new: str, asking: Asking = Asking(), *, policy: Policy = Policy()
) -> str:
    """A new password for oneself; all sessions end, and the token of a new one comes back.

    A wrong present password counts like a failed login, so that somebody at an open session cannot guess it. Raises Locked, Denied
    (wrong), Invalid (the new one breaks the rule).
    """
    key = lockout.account_key(who.name)
    with database.write() as session:
        left = lockout.count_attempt(session, key, who.address, policy)
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
            lockout.take_back(session, key, who.address)
        raise
    with database.write() as session:
        lockout.take_back(session, key, who.address)
        return sessions.create_session(session, who.user_id, asking, factor=who.factor, policy=policy)


def check_password_again(database: Database, who: Principal, password: str) -> bool:
    """True where this is the password of ``who``: proof for those who have no second factor."""
    nobody = _nobody()
    with database.read() as session:
        stored = session.execute(select(User.password_hash).where(User.id == who.user_id)).scalar_one_or_none()
        has_factor = session.execute(select(exists().where(Factor.user_id == who.user_id))).scalar()
    return verify_password(stored or nobody, password[:_LONGEST]) and bool(stored) and not has_factor


def _refuse(session: Session, actor: Actor, key: str, address: str, policy: Policy, reason: str) -> Login:
    left = lockout.seconds_left(session, key, address)
    detail = {"reason": reason} | ({"locked_seconds": left} if left else {})
    audit.append(session, actor, "session.login", "account", actor.name, result="failure", detail=detail)
    return Login(reason="locked" if left else reason, seconds_left=left)
