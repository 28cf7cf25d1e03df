"""Scheduled searches, run by the scheduler role.

Time is cut into windows ``[done_until, done_until + every)``; one is looked at when its end is ``settle`` seconds ago, so that late
events are in it. Answer, alert and the new ``done_until`` are written in one transaction, and the alert's detection has an id made
of search and window: after a crash the window is looked at again and counts once. Windows therefore neither overlap nor leave
gaps, however long the platform was down.

A search runs with the rights that its owner has at that moment. Who was switched off, lost the permission, every zone or the
account stops it, and the reason stands at it. A query that fails some times in a row is stopped too. A store that does not answer
is not the query's fault: the same window is asked for again, however long that takes.
"""

from __future__ import annotations

import logging
import time

import msgspec
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.detection import Detection, detection_id
from kernel.errors import QueryError, StoreError
from kernel.event import Event
from kernel.query import Query, parse_query
from kernel.query.tree import And
from kernel.store.contract import EventStore, Page, TimeRange
from kernel.store.time_limit import within
from operations import clock
from operations.accounts.models import User
from operations.accounts.reach import zones_of
from operations.accounts.schema import Principal
from operations.accounts.sessions import alive
from operations.alerts.record import record_detections
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.reach import concerning
from operations.searches.models import SavedSearch, SearchRun

ENGINE = "search"
SECONDS = 20.0
MOST_WINDOWS = 60
"""Windows looked at in one turn of the scheduler; the rest waits for the next."""
MOST_FAILURES = 3
STORE_RETRY_SECONDS = 300
"""A window that the store gave no answer for is asked for again after so long."""
KEPT_RUNS = 200
MOST_EVENT_IDS = 20

log = logging.getLogger(__name__)


def is_due(database: Database) -> bool:
    """Whether a window is complete: asked often, so that the store is opened only then."""
    with database.read() as session:
        return session.execute(_due()).scalar_one_or_none() is not None


def _due() -> Select[int]:
    return select(SavedSearch.id).where(SavedSearch.next_due <= clock.now()).order_by(SavedSearch.next_due).limit(1)


def run_due(database: Database, store: EventStore) -> int:
    """Look at every window that is complete, the oldest first; how many were looked at. Raises StateUnavailable."""
    looked = 0
    while looked < MOST_WINDOWS:
        with database.read() as session:
            search_id = session.execute(_due()).scalar_one_or_none()
        if search_id is None:
            break
        run_window(database, store, search_id)
        looked += 1
    return looked


def run_window(database: Database, store: EventStore, search_id: int) -> None:
    """The next window of one search."""
    with database.read() as session:
        row = session.get(SavedSearch, search_id)
        if row is None or row.next_due is None:
            return
        who, problem = _owner(session, row)
    if who is None:
        _stop(database, search_id, problem)
        return
    when = TimeRange(row.done_until, clock.shift(row.done_until, row.every))
    begun = time.monotonic()
    answer = _ask(store, row, who, when)
    _finish(database, row, when, answer, round((time.monotonic() - begun) * 1000))


def _owner(session: Session, row: SavedSearch) -> tuple[Principal | None, str]:
    """Who the search runs for, with today's rights; None and why where it must not run."""
    user = session.get(User, row.owner_id)
    if user is None or user.removed_at is not None or user.name != row.owner:
        return None, "the account of its owner is gone"
    if not alive(user, clock.now()):
        return None, "the account of its owner is switched off"
    who = Principal(user.id, user.name, user.display_name, user.role, zones=zones_of(session, user))
    if not who.may("events.read"):
        return None, "its owner may not search events any more"
    if who.zones is not None and not who.zones:
        return None, "its owner sees no zone any more"
    return who, ""


class _Answer(msgspec.Struct, frozen=True):
    """What a window holds, or why that is not known; ``ours``: the query is to blame, not the store."""

    page: Page | None = None
    error: str = ""
    ours: bool = False


def _ask(store: EventStore, row: SavedSearch, who: Principal, when: TimeRange) -> _Answer:
    """The newest hits and how many there are, within the owner's scope."""
    try:
        query = parse_query(row.query)
        if who.zones is not None:
            query = Query(query.text, And((query.root, concerning(who.zones))))
        with within(SECONDS):
            return _Answer(store.search(query, when, limit=MOST_EVENT_IDS, fields=["*"], count=True))
    except (QueryError, StoreError) as error:
        log.warning("scheduled search %d: %s", row.id, error)
        return _Answer(error=str(error), ours=isinstance(error, QueryError))


def _finish(database: Database, asked: SavedSearch, when: TimeRange, answer: _Answer, took: int) -> None:
    """Write down what a window held; nothing where the search was changed meanwhile."""
    with database.write() as session:
        row = session.get(SavedSearch, asked.id, with_for_update=True)
        if row is None or row.version != asked.version or row.done_until != asked.done_until:
            return
        hits, alert = 0, None
        if answer.page is None:
            _put_off(session, row, answer)
        else:
            hits = answer.page.total or 0
            if hits > row.threshold and answer.page.events:
                alert = _raise_alert(session, row, when, answer.page.events, hits)
            row.failures, row.done_until = 0, when.end
            row.next_due = clock.shift(when.end, row.every + row.settle)
        session.add(
            SearchRun(
                search_id=row.id, start=when.start, end=when.end, hits=hits, milliseconds=took, error=answer.error[:500],
                alert_id=alert, at=clock.now(),
            )
        )  # fmt: skip
        _forget(session, row.id)


def _put_off(session: Session, row: SavedSearch, answer: _Answer) -> None:
    """The window stays the next one; a query that fails again and again is stopped."""
    row.next_due = clock.shift(clock.now(), row.every if answer.ours else min(row.every, STORE_RETRY_SECONDS))
    if not answer.ours:
        return
    row.failures += 1
    if row.failures >= MOST_FAILURES:
        row.next_due, row.stopped = None, f"{MOST_FAILURES} times without an answer: {answer.error[:300]}"
        audit.append(session, SYSTEM, "search.stop", "search", row.id, detail={"name": row.name, "reason": row.stopped})


def _raise_alert(session: Session, row: SavedSearch, when: TimeRange, events: list[Event], hits: int) -> int | None:
    """Through the road of all detections; further windows count up the same alert while it is open."""
    ids = [str(event["event.id"]) for event in events if event.get("event.id")]
    found = Detection(
        id=detection_id(f"search.{row.id}", [when.start, when.end]),
        rule_id=f"search.{row.id}",
        rule_name=row.name,
        level=row.level,
        engine=ENGINE,
        time=str(events[0].get("@timestamp") or when.start),
        event_ids=ids,
        event=events[0],
        description=f"{hits} > {row.threshold}: {row.query}",
        author=row.owner,
        group={"search": row.name},
    )
    result = record_detections(session, [found])
    touched = [*result.new_alert_ids, *result.updated_alert_ids]
    return touched[0] if touched else None


def _stop(database: Database, search_id: int, reason: str) -> None:
    with database.write() as session:
        row = session.get(SavedSearch, search_id, with_for_update=True)
        if row is None or row.next_due is None:
            return
        row.next_due, row.stopped, row.version = None, reason, row.version + 1
        audit.append(session, SYSTEM, "search.stop", "search", row.id, detail={"name": row.name, "reason": reason})


def _forget(session: Session, search_id: int) -> None:
    """Keep the newest runs only."""
    session.flush()
    newest = select(SearchRun.id).where(SearchRun.search_id == search_id).order_by(SearchRun.id.desc()).limit(KEPT_RUNS)
    old = delete(SearchRun).where(SearchRun.search_id == search_id, SearchRun.id.not_in(newest.scalar_subquery()))
    session.execute(old)
