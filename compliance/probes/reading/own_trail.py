"""Parts about people and the records of their acts: accounts, the audit trail, backups."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.probes.formats.platform import (
    DAY,
    MOST_NAMED,
    Backups,
    CopyFact,
    Look,
    Numbers,
    People,
    Person,
    Trail,
    days_between,
)
from operations import clock
from operations.accounts import service as accounts
from operations.accounts.models import ApiKey, User
from operations.accounts.schema import Policy
from operations.audit import service as audit
from operations.audit import tree
from operations.audit.copies import copies
from operations.audit.head_file import Lines
from operations.audit.heads import stored_heads, stored_keys
from operations.audit.schema import AuditRecord
from operations.audit.verify import head_before, verify
from operations.errors import NotFound

LOOK_DAYS = 31
WHOLE = 50_000
"""Entries up to which the whole trail is verified; of a longer one, what a head of a day ago does not cover yet."""


def trail(session: Session, now: str, head_file: Lines) -> Trail:
    """The audit trail held against its signed heads, and what became of it."""
    size = tree.state(session).size
    since = None
    if size > WHOLE:
        try:
            since = head_before(session, clock.shift(now, -DAY))
        except NotFound:
            since = None
    found = verify(session, head_file=head_file, since=since)
    keys = stored_keys(session)
    newest = stored_heads(session, keys[0].id, newest=1) if keys else []
    looked = [one for act in ("audit.verify", "audit.export") for one in _since(session, act, clock.shift(now, -LOOK_DAYS * DAY))]
    return Trail(
        at=now,
        size=size,
        since=found.since,
        heads=found.heads,
        problem=f"entry {found.bad_id}: {found.reason}" if found.bad_id else "",
        signed_at=newest[0].time if newest else "",
        copies=tuple(CopyFact(one.place, one.size, one.time, one.error) for one in copies(session)),
        looks=tuple(Look(one.time, one.actor, one.action, one.result) for one in looked),
    )


def people(session: Session, now: str, policy: Policy) -> People:
    """Accounts that are there, and the rules that hold for them."""
    active_since = {row[0]: row[1] for row in session.execute(select(User.id, User.active_since))}
    found = []
    for one in accounts.list_users(session):
        if one.removed_at is not None:
            continue
        used = max(one.last_login_at or "", active_since[one.id] or one.created_at)
        found.append(
            Person(
                name=one.name,
                role=one.role,
                active=one.active,
                local=one.origin == "local",
                factors=one.factors,
                needs_factor=policy.needs_factor(one.role),
                invited=one.invited,
                unused_days=int(days_between(used, now)),
                ended=one.expires_at is not None and one.expires_at <= now,
            )
        )
    keys = select(ApiKey.name).join(User, User.id == ApiKey.user_id).where(ApiKey.revoked_at.is_(None), ApiKey.expires_at > now)
    left = keys.where((User.removed_at.is_not(None)) | (User.active.is_(False)))
    return People(
        people=tuple(found),
        missing=tuple(accounts.missing_powers(session)),
        numbers=Numbers(
            second_factor=policy.second_factor,
            password_length=policy.min_length,
            password_history=policy.history,
            password_age=policy.max_age,
            failures=policy.max_failures,
            lock=policy.lock_time,
            idle=policy.idle_time,
            admin_idle=policy.admin_idle_time,
            unused=policy.unused_time,
        ),
        keys=tuple(session.execute(left.order_by(ApiKey.id).limit(MOST_NAMED)).scalars()),
    )


def backups(session: Session, now: str) -> Backups:
    """As the audit trail tells (``./liandun backup``)."""
    made, checked, restored = (_last(session, act) for act in ("backup.create", "backup.verify", "backup.restored"))
    return Backups(
        now,
        made.time if made else "",
        checked.time if checked else "",
        restored.time if restored else "",
        restored.actor if restored else "",
    )


def _last(session: Session, action: str) -> AuditRecord | None:
    found = audit.listing(session, limit=1, action=action, result="success").entries
    return found[0] if found else None


def _since(session: Session, action: str, start: str) -> list[AuditRecord]:
    return audit.listing(session, limit=MOST_NAMED, action=action, start=start).entries
