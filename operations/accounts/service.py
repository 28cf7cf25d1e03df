"""User accounts and first-run set-up.

There is no default account: a fresh database lets in nobody until the holder of the one-use set-up token (shown by ``./run`` to
the person at the keyboard) creates the first administrator. Functions that hash passwords take the Database and manage their own
transactions, so that no lock is held meanwhile.
"""

from __future__ import annotations

import re
import secrets

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from crypto.password import hash_password, verify_password
from crypto.sm3 import sm3
from kernel.db import Database
from operations import clock
from operations.accounts.models import ROLES, LoginSession, SetupToken, User
from operations.accounts.password_rule import password_problems
from operations.accounts.schema import Policy, UserRecord
from operations.audit import service as audit
from operations.audit.schema import SYSTEM, Actor
from operations.errors import Conflict, Denied, Invalid, NotFound

_NAME = re.compile(r"[\w.@-]{2,64}")


def token_hash(token: str) -> str:
    """What is stored of a random token: SM3, hex. Tokens carry 256 random bits, so a fast hash is enough."""
    return sm3(token.encode()).hex()


def any_user(session: Session) -> bool:
    """False on a fresh installation."""
    return session.execute(select(User.id).limit(1)).first() is not None


def create_setup_token(session: Session, policy: Policy = Policy()) -> str | None:
    """A fresh set-up token (older ones stop working), or None where an account exists already."""
    if any_user(session):
        return None
    session.execute(delete(SetupToken))
    token, start = secrets.token_urlsafe(32), clock.now()
    session.add(SetupToken(id=token_hash(token), created_at=start, expires_at=clock.shift(start, policy.setup_time)))
    audit.append(session, SYSTEM, "setup.token", "account", detail={"valid_seconds": policy.setup_time})
    return token


def setup_token_valid(session: Session, token: str) -> bool:
    """True where ``token`` may still create the first account."""
    ticket = session.get(SetupToken, token_hash(token))
    return ticket is not None and ticket.used_at is None and ticket.expires_at > clock.now() and not any_user(session)


def redeem_setup_token(
    database: Database, token: str, name: str, password: str, address: str, *, display_name: str = "", policy: Policy = Policy()
) -> UserRecord:
    """Create the first administrator. Raises Denied for a wrong, used or expired token and Invalid for a bad name or password."""
    _check_name(name)
    _check_password(password, name, policy)
    with database.read() as session:
        if not setup_token_valid(session, token):
            raise Denied("this set-up link is not valid any more", "start ./run again to get a new one")
    hashed = hash_password(password, policy.scheme)
    with database.write() as session:
        if not setup_token_valid(session, token):
            raise Denied("this set-up link is not valid any more", "start ./run again to get a new one")
        mine = update(SetupToken).where(SetupToken.id == token_hash(token), SetupToken.used_at.is_(None))
        if not session.connection().execute(mine.values(used_at=clock.now())).rowcount:  # PostgreSQL: another one was quicker
            raise Denied("this set-up link is not valid any more", "start ./run again to get a new one")
        return _insert(session, Actor(name, address), name, display_name, "admin", hashed)


def create_user(
    database: Database,
    actor: Actor,
    name: str,
    password: str,
    role: str,
    *,
    display_name: str = "",
    policy: Policy = Policy(),
) -> UserRecord:
    """Create an account. Raises Invalid (name, password, role) or Conflict (the name is taken)."""
    _check_name(name)
    _check_role(role)
    _check_password(password, name, policy)
    hashed = hash_password(password, policy.scheme)
    with database.write() as session:
        return _insert(session, actor, name, display_name, role, hashed)


def change_password(
    database: Database, actor: Actor, user_id: int, old: str | None, new: str, *, policy: Policy = Policy()
) -> None:
    """Set a new password and end all sessions of the account.

    old  the present password; None only when an administrator sets somebody else's. Raises Denied where it is wrong.
    """
    with database.read() as session:
        user = _user(session, user_id)
        name, stored = user.name, user.password_hash
    if old is not None and not verify_password(stored, old):
        with database.write() as session:
            audit.append(session, actor, "account.password", "account", name, result="failure")
        raise Denied("the present password is wrong")
    if verify_password(stored, new):
        raise Invalid("the new password is the old one", field="password")
    _check_password(new, name, policy)
    hashed = hash_password(new, policy.scheme)
    with database.write() as session:
        user = _user(session, user_id)
        if user.password_hash != stored:
            raise Conflict("the password was changed meanwhile")
        user.password_hash, user.password_changed_at = hashed, clock.now()
        session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))
        audit.append(session, actor, "account.password", "account", name)


def change_user(session: Session, actor: Actor, user_id: int, *, role: str | None = None, active: bool | None = None) -> UserRecord:
    """Change role or switch an account on or off; switching off ends its sessions at once.

    The last active administrator can be neither switched off nor given another role (Conflict).
    """
    user = _user(session, user_id)
    before = {"role": user.role, "active": user.active}
    if role is not None:
        _check_role(role)
        user.role = role
    if active is not None:
        user.active = active
    if before["role"] == "admin" and before["active"] and not (user.role == "admin" and user.active):
        session.flush()
        if not session.scalar(select(func.count()).select_from(User).where(User.role == "admin", User.active)):
            raise Conflict("this is the last active administrator", "make another administrator first")
    if not user.active:
        session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))
    audit.append(
        session,
        actor,
        "account.change",
        "account",
        user.name,
        detail={"before": before, "after": {"role": user.role, "active": user.active}},
    )
    return _record(user)


def list_users(session: Session) -> list[UserRecord]:
    """All accounts by name."""
    return [_record(user) for user in session.execute(select(User).order_by(User.name_key)).scalars()]


def assignable(session: Session) -> list[UserRecord]:
    """Accounts that alerts can be assigned to: active, and allowed to work on them."""
    return [user for user in list_users(session) if user.active and user.role != "viewer"]


def _insert(session: Session, actor: Actor, name: str, display_name: str, role: str, hashed: str) -> UserRecord:
    key = name.casefold()
    if session.execute(select(User.id).where(User.name_key == key)).first():
        raise Conflict(f"the name {name} is taken")
    start = clock.now()
    user = User(
        name=name,
        name_key=key,
        display_name=display_name.strip()[:128],
        role=role,
        password_hash=hashed,
        active=True,
        created_at=start,
        password_changed_at=start,
    )
    session.add(user)
    session.flush()
    audit.append(session, actor, "account.create", "account", name, detail={"role": role})
    return _record(user)


def _user(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"there is no account {user_id}")
    return user


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Invalid("an account name has 2 to 64 letters, digits or . _ @ -", field="name")


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise Invalid(f"there is no role {role!r}", f"one of {', '.join(ROLES)}", field="role")


def _check_password(password: str, name: str, policy: Policy) -> None:
    problems = password_problems(password, name, policy.min_length)
    if problems:
        raise Invalid(
            f"the password does not fit the rule: {', '.join(problems)}",
            f"at least {policy.min_length} characters, 3 of lower case, upper case, digits, others; not the name",
            field="password",
        )


def _record(user: User) -> UserRecord:
    return UserRecord(
        id=user.id,
        name=user.name,
        display_name=user.display_name,
        role=user.role,
        active=user.active,
        created_at=user.created_at,
        last_login_at=user.last_login_at,
    )
