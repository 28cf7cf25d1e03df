"""API keys: for programs. ``Authorization: Bearer ldn_…``

A key has some of the permissions of the person who made it, never more than these are today, within the person's scope; it may be
bound to networks. It dies with its expiry, its revocation, or the account.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.errors import StateUnavailable
from operations import clock
from operations.accounts import networks as address_lists
from operations.accounts import permissions as rights
from operations.accounts.models import ApiKey, User
from operations.accounts.reach import reach_of, zones_of
from operations.accounts.schema import KeyRecord, Policy, Principal
from operations.accounts.sessions import alive
from operations.accounts.tokens import new_token, token_hash
from operations.audit import service as audit
from operations.errors import Invalid, NotFound

SCOPES: tuple[str, ...] = ("read", "write")
MAX_DAYS = 366
_TOUCH_SECONDS = 60


def create_key(
    session: Session,
    owner: Principal,
    name: str,
    scope: str = "read",
    days: int = 90,
    *,
    permissions: Sequence[str] = (),
    networks: Sequence[str] = (),
) -> tuple[KeyRecord, str]:
    """Make a key for ``owner``; returns it with its record. It cannot be shown again. Raises Invalid.

    scope        ``read``: what changes nothing, ``write``: everything that keys of the owner's role may do …
    permissions  … or these of it alone
    networks     where it may be used from; none = everywhere
    """
    if not name.strip() or len(name) > 128:
        raise Invalid("a key needs a name of at most 128 characters", field="name")
    if scope not in SCOPES:
        raise Invalid(f"there is no scope {scope!r}", "read or write", field="scope")
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"a key lives 1 to {MAX_DAYS} days", field="days")
    possible = rights.for_keys(owner.role)
    for one in permissions:
        if one not in possible or not owner.may(one):
            raise Invalid(f"a key of yours cannot have the permission {one[:64]!r}", ", ".join(sorted(possible)), "permissions")
    allowed = address_lists.read_networks(networks, "networks")
    chosen = sorted(set(permissions))
    if chosen:
        scope = _scope_of(chosen)
    token, start = "ldn_" + new_token(), clock.now()
    key = ApiKey(
        name=name.strip(),
        prefix=token[:10],
        secret_hash=token_hash(token),
        scope=scope,
        permissions=json.dumps(chosen),
        networks=json.dumps(allowed),
        user_id=owner.user_id,
        created_at=start,
        expires_at=clock.shift(start, days * 86400),
    )
    session.add(key)
    session.flush()
    detail = {"name": key.name, "scope": scope, "days": days, "permissions": chosen, "networks": allowed}
    audit.append(session, owner.actor, "key.create", "key", key.id, detail=detail)
    return _record(key, owner.name, owner.role), token


def list_keys(session: Session, owner: Principal) -> list[KeyRecord]:
    """The keys of ``owner``, or of everybody for those who may manage all; newest first."""
    query = select(ApiKey, User).join(User, User.id == ApiKey.user_id).order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    if not owner.may("keys.all"):
        query = query.where(ApiKey.user_id == owner.user_id)
    return [_record(key, user.name, user.role) for key, user in session.execute(query)]


def revoke_key(session: Session, actor: Principal, key_id: int) -> None:
    """Make a key worthless at once. Raises NotFound (also for somebody else's key that the actor may not manage)."""
    key = session.get(ApiKey, key_id)
    if key is None or (key.user_id != actor.user_id and not actor.may("keys.all")):
        raise NotFound(f"there is no key {key_id}")
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        audit.append(session, actor.actor, "key.revoke", "key", key.id, detail={"name": key.name})


def narrow_key(
    session: Session, actor: Principal, key_id: int, *, permissions: Sequence[str], networks: Sequence[str] | None = None
) -> KeyRecord:
    """Take permissions away from a key, or bind it to fewer networks; a key is never given more. Raises NotFound, Invalid."""
    key = session.get(ApiKey, key_id, with_for_update=True)
    user = session.get(User, key.user_id) if key is not None else None
    if key is None or user is None or (key.user_id != actor.user_id and not actor.may("keys.all")):
        raise NotFound(f"there is no key {key_id}")
    before = _granted(key, user.role)
    more = [name for name in permissions if name not in before]
    if more or not permissions:
        raise Invalid("a key can only lose permissions", f"some of {', '.join(sorted(before))}", field="permissions")
    chosen = sorted(set(permissions))
    key.permissions, key.scope = json.dumps(chosen), _scope_of(chosen)
    if networks is not None:
        bound, wanted = json.loads(key.networks), address_lists.read_networks(networks, "networks")
        if bound and not (wanted and address_lists.within(wanted, bound)):
            raise Invalid("a key can only lose networks", f"parts of {', '.join(bound)}", field="networks")
        key.networks = json.dumps(wanted)
    detail = {"name": key.name, "before": sorted(before), "after": chosen, "networks": json.loads(key.networks)}
    audit.append(session, actor.actor, "key.narrow", "key", key.id, detail=detail)
    return _record(key, user.name, user.role)


def keep_as_made(session: Session, user_id: int, role: str) -> None:
    """Before the account loses ``role``: keys that may do all that the role may stay at that, whatever the next role could.

    What a program was trusted with is no part of what its owner becomes.
    """
    open_ended = (ApiKey.user_id == user_id) & (ApiKey.permissions == "[]") & ApiKey.revoked_at.is_(None)
    for key in session.execute(select(ApiKey).where(open_ended)).scalars():
        key.permissions = json.dumps(sorted(_granted(key, role)))


def principal_of_key(
    database: Database, token: str, address: str = "", *, active: bool = True, policy: Policy = Policy()
) -> Principal | None:
    """Who stands behind a key, or None: unknown, expired, revoked, from a foreign network, or its owner is switched off.

    active  False where an open stream only looks again: that is no use of the key, and must not wait for a writer.
    """
    if not token.startswith("ldn_"):
        return None
    query = select(ApiKey, User).join(User, User.id == ApiKey.user_id).where(ApiKey.secret_hash == token_hash(token))
    present = clock.now()
    with database.read() as session:
        row = session.execute(query).one_or_none()
        if row is None:
            return None
        key, user = row
        zones = zones_of(session, user)
    if key.revoked_at is not None or key.expires_at <= present or not alive(user, present):
        return None
    bound = json.loads(key.networks)
    if bound and not address_lists.inside(address, bound):
        return None
    if rights.is_power(user.role) and policy.admin_networks and not address_lists.inside(address, policy.admin_networks):
        return None
    if active and (key.used_at is None or clock.shift(key.used_at, _TOUCH_SECONDS) <= present):
        with contextlib.suppress(StateUnavailable), database.write() as session:  # as for sessions: who only reads goes on
            session.execute(update(ApiKey).where(ApiKey.id == key.id).values(used_at=present))
    granted = _granted(key, user.role)
    organisations = frozenset(reach_of(user).organisations)
    return Principal(
        user.id, user.name, user.display_name, user.role, address,
        zones=zones, organisations=organisations, granted=granted, key_name=key.name,
    )  # fmt: skip


def _granted(key: ApiKey, role: str) -> frozenset[str]:
    possible = rights.for_keys(role)
    chosen = frozenset(json.loads(key.permissions))
    if chosen:
        return chosen & possible
    return rights.reading(possible) if key.scope == "read" else possible


def _scope_of(permissions: Sequence[str]) -> str:
    return "read" if rights.reading(frozenset(permissions)) == frozenset(permissions) else "write"


def _record(key: ApiKey, owner: str, role: str) -> KeyRecord:
    return KeyRecord(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scope=key.scope,
        owner=owner,
        created_at=key.created_at,
        expires_at=key.expires_at,
        used_at=key.used_at,
        revoked_at=key.revoked_at,
        permissions=sorted(_granted(key, role)),
        networks=json.loads(key.networks),
    )
