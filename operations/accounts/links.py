"""One-use links: the first account of each power, invitations, and passwords to be set anew.

A link is shown once to who made it; only the hash of its token is stored. The link for a power works only while no active account
holds that power, so that whoever finds an old one gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from crypto.password import hash_password
from kernel.db import Database
from operations import clock
from operations.accounts import service
from operations.accounts.models import SetupToken, User
from operations.accounts.passwords import change_password, check_password
from operations.accounts.permissions import POWERS
from operations.accounts.schema import Policy, Principal, UserRecord
from operations.accounts.tokens import new_token, token_hash
from operations.audit import service as audit
from operations.audit.schema import SYSTEM, Actor
from operations.errors import Denied

_GONE = "this link is not valid any more"


class Link(msgspec.Struct, frozen=True):
    """What a link is for: the first account of ``role``, or the password of the account ``user_id`` called ``name``."""

    role: str
    user_id: int | None = None
    name: str = ""
    display_name: str = ""


def create_setup_token(session: Session, policy: Policy = Policy()) -> str | None:
    """A fresh link for the system administrator (older ones stop working), or None where an account exists already."""
    return None if service.any_user(session) else create_role_link(session, SYSTEM, "sysadmin", policy)


def create_role_link(session: Session, actor: Actor, role: str, policy: Policy = Policy()) -> str:
    """The token of a link for the first account of a power (or, in a demonstration, the first analyst); older ones stop working.

    Raises Denied where an active account holds the role already.
    """
    if not _wanted(session, role):
        raise Denied(f"there is an active account with the role {role}", "accounts are made at the console's page Accounts")
    session.execute(delete(SetupToken).where(SetupToken.role == role, SetupToken.user_id.is_(None)))
    return _create(session, actor, policy, role=role)


def create_missing(session: Session, actor: Actor, policy: Policy = Policy(), *, more: Sequence[str] = ()) -> dict[str, str]:
    """Role → token of a fresh link for each power that nobody holds, and for the roles in ``more`` that nobody holds."""
    wanted = [role for role in (*POWERS, *more) if _wanted(session, role)]
    return {role: create_role_link(session, actor, role, policy) for role in wanted}


def create_invitation(session: Session, who: Principal, user_id: int, policy: Policy = Policy()) -> str:
    """The token with which the owner of a new account sets the first password. Raises Denied where one is set already.

    A forgotten password is a matter for two persons, see proposals.
    """
    user = service.other(session, who, user_id)
    if user.password_hash or user.origin != "local":
        raise Denied(f"{user.name} has a password already", "propose to reset it")
    return create_password_link(session, who.actor, user, policy)


def create_password_link(session: Session, actor: Actor, user: User, policy: Policy = Policy()) -> str:
    """The token with which the owner of ``user`` sets a password; older ones stop working."""
    session.execute(delete(SetupToken).where(SetupToken.user_id == user.id))
    return _create(session, actor, policy, user=user)


def find(session: Session, token: str) -> Link | None:
    """What the link is for, None where it is used up, expired, or not needed any more."""
    ticket = session.get(SetupToken, token_hash(token)) if token else None
    if ticket is None or ticket.used_at is not None or ticket.expires_at <= clock.now():
        return None
    if ticket.user_id is None:
        return Link(ticket.role) if _wanted(session, ticket.role) else None
    user = session.get(User, ticket.user_id)
    if user is None or not user.active or user.removed_at is not None:
        return None
    return Link("", user.id, user.name, user.display_name)


def redeem(
    database: Database, token: str, name: str, password: str, address: str, *, display_name: str = "", policy: Policy = Policy()
) -> UserRecord:
    """Make the account, or set the password, that the link is for (then ``name`` does not matter).

    Raises Denied for a wrong, used or expired link, Invalid for a bad name or password, Conflict for a name that is taken.
    """
    with database.read() as session:
        link = find(session, token)
    if link is None:
        raise Denied(_GONE, "ask for a new one")
    if link.user_id is not None:
        return _redeem_password(database, token, link, password, address, policy)
    service.check_name(name)
    check_password(password, name, display_name, policy)
    hashed = hash_password(password, policy.scheme)
    with database.write() as session:
        _use(session, token)
        return service.record(
            session, service.insert(session, Actor(name, address), name, display_name, role=link.role, hashed=hashed)
        )


def _redeem_password(database: Database, token: str, link: Link, password: str, address: str, policy: Policy) -> UserRecord:
    assert link.user_id is not None
    check_password(password, link.name, link.display_name, policy)
    with database.write() as session:
        _use(session, token)
    try:
        change_password(database, Actor(link.name, address), link.user_id, None, password, policy=policy)
    except Exception:
        with database.write() as session:  # the password was not taken: the link may be tried again
            session.execute(update(SetupToken).where(SetupToken.id == token_hash(token)).values(used_at=None))
        raise
    with database.read() as session:
        return service.get_user(session, link.user_id)


def _use(session: Session, token: str) -> None:
    """Use the link up; of several at once only one succeeds. Raises Denied."""
    if find(session, token) is None:
        raise Denied(_GONE, "ask for a new one")
    mine = update(SetupToken).where(SetupToken.id == token_hash(token), SetupToken.used_at.is_(None))
    if not session.connection().execute(mine.values(used_at=clock.now())).rowcount:  # PostgreSQL: another one was quicker
        raise Denied(_GONE, "ask for a new one")


def _wanted(session: Session, role: str) -> bool:
    query = select(User.id).where(User.role == role, User.active, User.removed_at.is_(None)).limit(1)
    return session.execute(query).first() is None


def _create(session: Session, actor: Actor, policy: Policy, *, role: str = "", user: User | None = None) -> str:
    token, start = new_token(), clock.now()
    session.add(
        SetupToken(
            id=token_hash(token),
            role=role,
            user_id=user.id if user else None,
            created_at=start,
            expires_at=clock.shift(start, policy.setup_time),
        )
    )
    detail = {"valid_seconds": policy.setup_time} | ({"role": role} if role else {})
    audit.append(session, actor, "setup.token", "account", user.name if user else "", detail=detail)
    return token
