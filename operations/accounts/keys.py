"""API keys: for programs. ``Authorization: Bearer ldn_…``

A key acts with the role of the person who made it, narrowed by its scope; it dies with its expiry, its revocation, or the account.
"""

from __future__ import annotations

import secrets

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.accounts.models import ApiKey, User
from operations.accounts.schema import KeyRecord, Principal
from operations.accounts.service import token_hash
from operations.audit import service as audit
from operations.errors import Invalid, NotFound

SCOPES: tuple[str, ...] = ("read", "write")
MAX_DAYS = 366
_TOUCH_SECONDS = 60


def create_key(session: Session, owner: Principal, name: str, scope: str = "read", days: int = 90) -> tuple[KeyRecord, str]:
    """Make a key for ``owner``; returns it with its record. It cannot be shown again. Raises Invalid."""
    if not name.strip() or len(name) > 128:
        raise Invalid("a key needs a name of at most 128 characters", field="name")
    if scope not in SCOPES:
        raise Invalid(f"there is no scope {scope!r}", "read or write", field="scope")
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"a key lives 1 to {MAX_DAYS} days", field="days")
    token, start = "ldn_" + secrets.token_urlsafe(32), clock.now()
    key = ApiKey(
        name=name.strip(),
        prefix=token[:10],
        secret_hash=token_hash(token),
        scope=scope,
        user_id=owner.user_id,
        created_at=start,
        expires_at=clock.shift(start, days * 86400),
    )
    session.add(key)
    session.flush()
    audit.append(session, owner.actor, "key.create", "key", key.id, detail={"name": key.name, "scope": scope, "days": days})
    return _record(key, owner.name), token


def list_keys(session: Session, owner: Principal) -> list[KeyRecord]:
    """The keys of ``owner``, or of everybody for those who may manage all; newest first."""
    query = select(ApiKey, User.name).join(User, User.id == ApiKey.user_id).order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    if not owner.may("keys.all") and owner.role != "admin":
        query = query.where(ApiKey.user_id == owner.user_id)
    return [_record(key, name) for key, name in session.execute(query)]


def revoke_key(session: Session, actor: Principal, key_id: int) -> None:
    """Make a key worthless at once. Raises NotFound (also for somebody else's key that the actor may not manage)."""
    key = session.get(ApiKey, key_id)
    if key is None or (key.user_id != actor.user_id and not actor.may("keys.all")):
        raise NotFound(f"there is no key {key_id}")
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        audit.append(session, actor.actor, "key.revoke", "key", key.id, detail={"name": key.name})


def principal_of_key(database: Database, token: str, address: str = "") -> Principal | None:
    """Who stands behind a key, or None: unknown, expired, revoked, or its owner is switched off."""
    if not token.startswith("ldn_"):
        return None
    query = select(ApiKey, User).join(User, User.id == ApiKey.user_id).where(ApiKey.secret_hash == token_hash(token))
    present = clock.now()
    with database.read() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        return None
    key, user = row
    if key.revoked_at is not None or key.expires_at <= present or not user.active:
        return None
    if key.used_at is None or clock.shift(key.used_at, _TOUCH_SECONDS) <= present:
        with database.write() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key.id).values(used_at=present))
    return Principal(user.id, user.name, user.display_name, user.role, scope=key.scope, key_name=key.name, address=address)


def _record(key: ApiKey, owner: str) -> KeyRecord:
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
    )
