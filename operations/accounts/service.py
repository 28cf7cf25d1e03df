"""The life of an account: made, invited, switched off and on, removed. Roles and scopes are another matter: see proposals.

There is no default account: a fresh database lets in nobody until the holder of the one-use set-up link (shown by ``./run`` to the
person at the keyboard) makes the system administrator. An account is made without a role and without a password; its owner chooses
the password through a one-use link, so that no administrator ever knows one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from crypto.password import hash_password
from kernel.db import Database
from operations import clock
from operations.accounts import lockout, sessions
from operations.accounts.models import ApiKey, Factor, RecoveryCode, SetupToken, User
from operations.accounts.passwords import check_password
from operations.accounts.permissions import PERMISSIONS, POWERS, ROLES
from operations.accounts.schema import Policy, Principal, Reach, UserRecord
from operations.audit import service as audit
from operations.audit.schema import SYSTEM, Actor
from operations.errors import Conflict, Denied, Invalid, NotFound

_LARGEST_ID = 2**31 - 1
_NAME = re.compile(r"[\w.@-]{2,64}")


def any_user(session: Session) -> bool:
    """False on a fresh installation."""
    return session.execute(select(User.id).limit(1)).first() is not None


def missing_powers(session: Session) -> list[str]:
    """Powers that no active account holds."""
    held = set(session.execute(select(User.role).where(User.active, User.removed_at.is_(None), User.role.in_(POWERS))).scalars())
    return [role for role in POWERS if role not in held]


def create_account(session: Session, who: Principal, name: str, display_name: str = "") -> UserRecord:
    """An account without role and password. Raises Invalid (name) or Conflict (the name is taken, also by a removed account)."""
    return record(session, insert(session, who.actor, name, display_name))


def create_user(
    database: Database,
    actor: Actor,
    name: str,
    password: str,
    role: str,
    *,
    display_name: str = "",
    reach: Reach = Reach(),
    expires_at: str | None = None,
    policy: Policy = Policy(),
) -> UserRecord:
    """An account that can be used at once: for set-up links and for who holds the host anyway. The console has proposals instead.

    Raises Invalid (name, password, role) or Conflict (the name is taken).
    """
    check_name(name)
    check_role(role)
    check_password(password, name, display_name, policy)
    hashed = hash_password(password, policy.scheme)
    with database.write() as session:
        user = insert(session, actor, name, display_name, role=role, hashed=hashed)
        user.organisations, user.zones = json.dumps(reach.organisations, ensure_ascii=False), json.dumps(reach.zones)
        user.expires_at = expires_at
        return record(session, user)


def set_active(session: Session, who: Principal, user_id: int, active: bool) -> UserRecord:
    """Switch somebody else's account on or off; switching off ends its sessions and keys at once.

    Raises Denied for one's own, Conflict for the last active account of a power.
    """
    user = other(session, who, user_id)
    if user.active == active:
        return record(session, user)
    _keep_powers(session, user, leaves=not active)
    _switch(session, who.actor, user, active, "" if active else "hand")
    return record(session, user)


def remove(session: Session, who: Principal, user_id: int) -> None:
    """Take somebody else's account out of use for good: its secrets go, its name stays taken so that the audit trail is clear.

    Raises Denied for one's own, Conflict for the last active account of a power.
    """
    user = other(session, who, user_id)
    _keep_powers(session, user, leaves=True)
    user.removed_at, user.active, user.password_hash, user.version = clock.now(), False, "", user.version + 1
    for table in (Factor, RecoveryCode, ApiKey, SetupToken):
        session.execute(delete(table).where(table.user_id == user.id))
    sessions.end_all(session, user.id)
    audit.append(session, who.actor, "account.remove", "account", user.name, detail={"role": user.role})


def unlock(session: Session, who: Principal, user_id: int) -> None:
    """Lift the lock of an account before its time. Raises Denied for one's own."""
    user = other(session, who, user_id)
    lockout.lift(session, user.name)
    audit.append(session, who.actor, "account.unlock", "account", user.name)


def disable_unused(session: Session, *, policy: Policy = Policy()) -> list[str]:
    """Switch off accounts that nobody used for ``policy.unused_time``, and those past their time; names of these.

    The last active account of each power stays. For the scheduler.
    """
    present = clock.now()
    limit = clock.shift(present, -policy.unused_time)
    idle = (User.active_since <= limit) & (User.last_login_at.is_(None) | (User.last_login_at <= limit))
    over = User.expires_at.is_not(None) & (User.expires_at <= present)
    found = []
    query = select(User).where(User.active, User.removed_at.is_(None), idle | over).order_by(User.id)
    for user in session.execute(query.with_for_update()).scalars():
        try:
            _keep_powers(session, user, leaves=True)
        except Conflict:
            continue
        expired = user.expires_at is not None and user.expires_at <= present
        _switch(session, SYSTEM, user, False, "expired" if expired else "unused")
        found.append(user.name)
    return found


def get_user(session: Session, user_id: int) -> UserRecord:
    """One account. Raises NotFound."""
    return record(session, _user(session, user_id))


def list_users(session: Session) -> list[UserRecord]:
    """All accounts by name, without the removed ones."""
    query = select(User).where(User.removed_at.is_(None)).order_by(User.name_key)
    return [record(session, user) for user in session.execute(query).scalars()]


def assignable(session: Session) -> list[UserRecord]:
    """Accounts that alerts can be assigned to: active, and allowed to work on them."""
    workers = [role for role in ROLES if "alerts.write" in PERMISSIONS[role]]
    query = select(User).where(User.active, User.removed_at.is_(None), User.role.in_(workers)).order_by(User.name_key)
    return [record(session, user) for user in session.execute(query).scalars()]


def insert(session: Session, actor: Actor, name: str, display_name: str, *, role: str = "", hashed: str = "") -> User:
    """The row of a new account. Raises Invalid, Conflict."""
    check_name(name)
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
        active_since=start,
        password_changed_at=start,
    )
    session.add(user)
    session.flush()
    audit.append(session, actor, "account.create", "account", name, detail={"role": role})
    return user


def other(session: Session, who: Principal, user_id: int) -> User:
    """The account that ``who`` wants to act on, locked. Raises NotFound, and Denied where it is their own."""
    user = _user(session, user_id, lock=True)
    if user.id == who.user_id:
        raise Denied("nobody changes what their own account may do", "ask another administrator")
    if user.removed_at is not None:
        raise NotFound(f"there is no account {user_id}")
    return user


def check_name(name: str) -> None:
    """Raises Invalid."""
    if not _NAME.fullmatch(name):
        raise Invalid("an account name has 2 to 64 letters, digits or . _ @ -", field="name")


def check_role(role: str) -> None:
    """Raises Invalid."""
    if role not in ROLES:
        raise Invalid(f"there is no role {role[:64]!r}", f"one of {', '.join(ROLES)}", field="role")


def last_of_power(session: Session, user: User) -> bool:
    """True where this is the last active account of its power."""
    if user.role not in POWERS or not user.active:
        return False
    query = select(User.id).where(User.role == user.role, User.active, User.removed_at.is_(None), User.id != user.id)
    return not session.execute(query.with_for_update()).first()


def record(session: Session, user: User) -> UserRecord:
    """The account as shown."""
    return records(session, [user])[0]


def records(session: Session, users: Sequence[User]) -> list[UserRecord]:
    """Accounts as shown, the number of their factors with them."""
    ids = [user.id for user in users]
    query = select(Factor.user_id, func.count()).where(Factor.user_id.in_(ids)).group_by(Factor.user_id)
    factors = dict(iter(session.execute(query)))
    return [
        UserRecord(
            id=user.id,
            name=user.name,
            display_name=user.display_name,
            role=user.role,
            active=user.active,
            created_at=user.created_at,
            last_login_at=user.last_login_at,
            organisations=json.loads(user.organisations or "[]"),
            zones=json.loads(user.zones or "[]"),
            origin=user.origin or "local",
            expires_at=user.expires_at,
            removed_at=user.removed_at,
            disabled_for=user.disabled_for or "",
            factors=factors.get(user.id, 0),
            invited=user.origin == "local" and not user.password_hash,
        )
        for user in users
    ]


def _switch(session: Session, actor: Actor, user: User, active: bool, reason: str) -> None:
    before = {"active": user.active}
    user.active, user.disabled_for, user.version = active, reason, user.version + 1
    if active:
        user.active_since = clock.now()
    else:
        sessions.end_all(session, user.id)
    detail = {"before": before, "after": {"active": active}} | ({"reason": reason} if reason else {})
    audit.append(session, actor, "account.change", "account", user.name, detail=detail)


def _keep_powers(session: Session, user: User, *, leaves: bool) -> None:
    if leaves and last_of_power(session, user):
        raise Conflict("this is the last active account of its power", "let another one be given this role first")


def _user(session: Session, user_id: int, *, lock: bool = False) -> User:
    if user_id > _LARGEST_ID:
        raise NotFound(f"there is no account {user_id}")
    user = session.get(User, user_id, with_for_update=lock or None, populate_existing=lock)
    if user is None:
        raise NotFound(f"there is no account {user_id}")
    return user
