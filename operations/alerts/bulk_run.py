"""Doing bulk acts: part after part, each in one transaction, by whoever is there — the console that was asked, or the scheduler."""

from __future__ import annotations

import logging
import threading

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.errors import LiandunError, StateUnavailable
from operations import clock
from operations.accounts.models import User
from operations.accounts.permissions import PERMISSIONS
from operations.accounts.reach import zones_of
from operations.alerts.bulk import NAMED, PART, change_of, items_of
from operations.alerts.desk_models import AlertBulk
from operations.alerts.mass import change_many, restore_many
from operations.alerts.schema import MassResult
from operations.audit.schema import Actor
from operations.reach import SESSION_KEY

LEASE_SECONDS = 6.0
"""A bulk that nobody has moved for so long is taken over."""

log = logging.getLogger("liandun.alerts")


def run_bulk(database: Database, bulk_id: str, *, most_parts: int = 0) -> bool:
    """Do the parts that are left (at most ``most_parts``, 0 = all); True when the act has ended. Two at once do no harm."""
    parts = 0
    while not most_parts or parts < most_parts:
        if not _next_part(database, bulk_id):
            return True
        parts += 1
    return False


def run_in_background(database: Database, bulk_id: str) -> threading.Thread:
    """Do it beside what the process does; if it dies, the scheduler goes on."""
    thread = threading.Thread(target=_quietly, args=(database, bulk_id), name=f"bulk {bulk_id[:8]}", daemon=True)
    thread.start()
    return thread


def resume(database: Database) -> int:
    """Take over what nobody has moved for LEASE_SECONDS; for the scheduler. Returns how many acts were brought to their end."""
    late = clock.shift(clock.now(), -LEASE_SECONDS)
    with database.read() as session:
        query = select(AlertBulk.id).where(AlertBulk.state.in_(("waiting", "running")), AlertBulk.updated_at < late)
        ids = list(session.execute(query.limit(20)).scalars())
    for bulk_id in ids:
        log.warning("bulk act %s had stopped and goes on", bulk_id)
        run_bulk(database, bulk_id)
    return len(ids)


def _quietly(database: Database, bulk_id: str) -> None:
    try:
        run_bulk(database, bulk_id)
    except StateUnavailable as error:  # nothing is lost: the scheduler tries again
        log.warning("bulk act %s waits: %s", bulk_id, error)


def _next_part(database: Database, bulk_id: str) -> bool:
    try:
        with database.write() as session:
            return _do_part(session, bulk_id)
    except StateUnavailable:
        raise
    except LiandunError as error:  # a rule refused it: that part left nothing behind
        with database.write() as session:
            bulk = session.get(AlertBulk, bulk_id, with_for_update=True, populate_existing=True)
            if bulk is not None:
                _interrupt(bulk, error.message)
        return False


def _do_part(session: Session, bulk_id: str) -> bool:
    """One part; False when there is none left."""
    bulk = session.get(AlertBulk, bulk_id, with_for_update=True, populate_existing=True)
    if bulk is None or bulk.state not in ("waiting", "running"):
        return False
    if bulk.done_parts >= bulk.parts:
        _finish(bulk)
        return False
    zones = _allowed(session, bulk)
    if zones == "no":
        _interrupt(bulk, "its person may not change alerts any more")
        return False
    session.info[SESSION_KEY] = zones
    done = _act(session, bulk)
    named = orjson.loads(bulk.named) + done.overtaken
    bulk.named = orjson.dumps(named[:NAMED]).decode()
    bulk.changed += len(done.changed)
    bulk.unchanged += done.unchanged
    bulk.overtaken += len(done.overtaken)
    bulk.missing += len(done.missing)
    bulk.done_parts += 1
    bulk.state, bulk.updated_at = "running", clock.now()
    if bulk.done_parts == bulk.parts:
        _finish(bulk)
        return False
    return True


def _act(session: Session, bulk: AlertBulk) -> MassResult:
    actor = Actor(bulk.actor, bulk.address)
    items = items_of(session, bulk.id, bulk.done_parts)
    if bulk.kind == "undo":
        return restore_many(session, actor, bulk.undoes, [key for key, _ in items], undo=bulk.id)
    return change_many(session, actor, dict(items), change_of(bulk), note=bulk.note, batch=bulk.id)


def _allowed(session: Session, bulk: AlertBulk) -> frozenset[str] | str | None:
    """The zones in which the person may act now, None = all, "no" = nowhere: rights that went while it ran are gone."""
    user = session.execute(select(User).where(User.name == bulk.owner)).scalar_one_or_none()
    if user is None or not user.active or user.removed_at or "alerts.write" not in PERMISSIONS.get(user.role, frozenset()):
        return "no"
    if user.expires_at is not None and user.expires_at <= clock.now():
        return "no"
    return zones_of(session, user)


def _finish(bulk: AlertBulk) -> None:
    bulk.state, bulk.finished_at, bulk.updated_at = "done", clock.now(), clock.now()


def _interrupt(bulk: AlertBulk, problem: str) -> None:
    bulk.state, bulk.problem, bulk.updated_at, bulk.finished_at = "interrupted", problem[:500], clock.now(), clock.now()


__all__ = ["LEASE_SECONDS", "PART", "resume", "run_bulk", "run_in_background"]
