"""Saved searches: keeping, sharing, scheduling and stopping them.

What somebody sees through a search is what they would see with the same query typed by hand. A shared one is seen by accounts of
the same scope; only its owner changes it. Whoever supervises searches (``searches.supervise``) sees those that run by the clock
and may stop them.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.query import parse_query
from operations import clock, written
from operations.accounts.models import User
from operations.accounts.schema import Principal
from operations.alerts.saved_views import scope_of
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound
from operations.searches.models import SavedSearch, SearchRun
from operations.searches.schema import EVERY, LEVELS, Run, Schedule, Search

MAX_NAME = 60
MAX_QUERY = 4_000
MAX_COLUMNS = 1_000
MOST = 50
"""Searches of one account; a list shows at most as many shared ones of others."""
MOST_SCHEDULED = 10
"""Scheduled searches of one account …"""
MOST_SCHEDULED_ALL = 200
"""… and of all."""
MOST_RUNS_SHOWN = 50
MAX_THRESHOLD = 1_000_000
MAX_SETTLE = 3_600
SUPERVISE = "searches.supervise"


def list_searches(session: Session, who: Principal) -> list[Search]:
    """One's own and those that others share with this scope, by name; with SUPERVISE the scheduled ones of everybody."""
    found: dict[int, SavedSearch] = {}
    for query in _visible(who):
        found |= {row.id: row for row in session.execute(query).scalars()}
    return [_record(row, who) for row in sorted(found.values(), key=lambda row: (row.name, row.id))]


def get_search(session: Session, who: Principal, search_id: int) -> Search:
    """One search. Raises NotFound, also for what is not shared with this person."""
    return _record(_row(session, who, search_id), who)


def list_runs(session: Session, who: Principal, search_id: int, *, limit: int = MOST_RUNS_SHOWN) -> list[Run]:
    """The newest windows of a scheduled search. Raises NotFound."""
    _row(session, who, search_id)
    query = select(SearchRun).where(SearchRun.search_id == search_id).order_by(SearchRun.id.desc()).limit(limit)
    return [
        Run(row.id, row.start, row.end, row.hits, row.milliseconds, row.error, row.alert_id, row.at)
        for row in session.execute(query).scalars()
    ]


def create_search(
    session: Session, who: Principal, name: str, query: str, *, span: str = "", columns: str = "", shared: bool = False
) -> Search:
    """Keep a query. Raises Invalid; QueryError for a query that cannot be read."""
    number = session.execute(select(func.count()).select_from(SavedSearch).where(SavedSearch.owner_id == who.user_id)).scalar_one()
    if number >= MOST:
        raise Invalid(f"an account has at most {MOST} searches", "delete one first", field="name")
    present = clock.now()
    row = SavedSearch(
        owner_id=who.user_id, owner=who.name, name=_free_name(session, who, name), query=_query(query),
        span=_short(span, 8, "span"), columns=_short(columns, MAX_COLUMNS, "columns"), shared=shared, scope=scope_of(who),
        every=0, threshold=0, level="medium", settle=0, done_until="", next_due=None, failures=0, stopped="",
        created_at=present, updated_at=present, version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.append(session, who.actor, "search.create", "search", row.id, detail=_told(row))
    return _record(row, who)


def change_search(
    session: Session,
    who: Principal,
    search_id: int,
    *,
    expected_version: int | None,
    name: str | None = None,
    query: str | None = None,
    shared: bool | None = None,
) -> Search:
    """Change one's own search; None leaves a field as it is. Raises NotFound, Invalid, Conflict, QueryError."""
    row = _own(session, who, search_id, expected_version)
    before = _told(row)
    row.name = row.name if name is None else _free_name(session, who, name, but=search_id)
    row.query = row.query if query is None else _query(query)
    if row.every:
        _no_pipes(row.query)
    row.shared = row.shared if shared is None else shared
    if _told(row) != before:
        row.scope, row.version, row.updated_at = scope_of(who), row.version + 1, clock.now()
        audit.append(session, who.actor, "search.change", "search", row.id, detail={"before": before, "after": _told(row)})
    session.flush()
    return _record(row, who)


def delete_search(session: Session, who: Principal, search_id: int, *, expected_version: int | None) -> None:
    """Delete one's own search with its runs. Raises NotFound, Conflict."""
    row = _own(session, who, search_id, expected_version)
    audit.append(session, who.actor, "search.delete", "search", row.id, detail=_told(row))
    session.delete(row)
    session.flush()


def schedule_search(
    session: Session, who: Principal, search_id: int, schedule: Schedule | None, *, expected_version: int | None
) -> Search:
    """Run one's own search by the clock from now on, or not any more (None). Raises NotFound, Invalid, Conflict.

    One that runs already goes on where it is, so that a change leaves no gap and looks at nothing twice.
    """
    row = _own(session, who, search_id, expected_version)
    if schedule is None:
        row.every, row.next_due = 0, None
    else:
        _check(schedule)
        if not row.every:
            _room(session, who)
        _no_pipes(row.query)
        runs = bool(row.every) and not row.stopped
        row.every, row.threshold, row.level, row.settle = schedule.every, schedule.threshold, schedule.level, schedule.settle
        if not runs:
            row.done_until = _floor(clock.shift(clock.now(), -schedule.settle))
        row.next_due = clock.shift(row.done_until, schedule.every + schedule.settle)
    row.stopped, row.failures = "", 0
    row.version, row.updated_at = row.version + 1, clock.now()
    told = msgspec.to_builtins(schedule) if schedule else {"every": 0}
    audit.append(session, who.actor, "search.schedule", "search", row.id, detail={"name": row.name, **told})
    session.flush()
    return _record(row, who)


def stop_search(session: Session, who: Principal, search_id: int, reason: str) -> Search:
    """Stop a scheduled search of somebody; its owner may schedule it again. Raises NotFound, Invalid."""
    reason = " ".join(written.text(reason, "reason", written.MAX_INPUT).split())[:200]
    if not reason:
        raise Invalid("reason is missing", field="reason")
    if not who.may(SUPERVISE):
        raise NotFound("there is no such search")
    row = session.get(SavedSearch, search_id, with_for_update=True)
    if row is None or not row.every:
        raise NotFound("there is no such search")
    row.next_due, row.stopped = None, f"{who.name}: {reason}"
    row.version, row.updated_at = row.version + 1, clock.now()
    audit.append(
        session, who.actor, "search.stop", "search", row.id, detail={"name": row.name, "owner": row.owner, "reason": reason}
    )
    session.flush()
    return _record(row, who)


def _visible(who: Principal) -> list[Any]:
    searches = select(SavedSearch)
    if not who.may("events.read"):
        return [searches.where(SavedSearch.every > 0).limit(MOST_SCHEDULED_ALL)] if who.may(SUPERVISE) else []
    shared = SavedSearch.shared & (SavedSearch.scope == scope_of(who)) & (SavedSearch.owner_id != who.user_id)
    active = searches.join(User, User.id == SavedSearch.owner_id).where(shared, User.active, User.removed_at.is_(None))
    return [
        searches.where(SavedSearch.owner_id == who.user_id).order_by(SavedSearch.name).limit(MOST),
        active.order_by(SavedSearch.name).limit(MOST),
    ]


def _row(session: Session, who: Principal, search_id: int) -> SavedSearch:
    row = session.get(SavedSearch, search_id)
    shared = row is not None and row.shared and row.scope == scope_of(who) and who.may("events.read")
    supervised = row is not None and row.every > 0 and who.may(SUPERVISE)
    if row is None or not (row.owner_id == who.user_id or shared or supervised):
        raise NotFound("there is no such search")
    return row


def _own(session: Session, who: Principal, search_id: int, expected_version: int | None) -> SavedSearch:
    query = select(SavedSearch).where(SavedSearch.id == search_id, SavedSearch.owner_id == who.user_id).with_for_update()
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such search of yours")
    if expected_version is not None and expected_version != row.version:
        raise Conflict("this search was changed meanwhile", "read it again and decide once more")
    return row


def _check(schedule: Schedule) -> None:
    if schedule.every not in EVERY:
        raise Invalid(f"every is one of {', '.join(map(str, EVERY))} seconds", field="every")
    if schedule.level not in LEVELS:
        raise Invalid(f"level is one of {', '.join(LEVELS)}", field="level")
    if not 0 <= schedule.threshold <= MAX_THRESHOLD:
        raise Invalid(f"threshold lies between 0 and {MAX_THRESHOLD}", field="threshold")
    if not 0 <= schedule.settle <= MAX_SETTLE:
        raise Invalid(f"settle lies between 0 and {MAX_SETTLE} seconds", field="settle")


def _room(session: Session, who: Principal) -> None:
    """Raises Invalid where there are too many scheduled searches already."""
    running = select(func.count()).select_from(SavedSearch).where(SavedSearch.every > 0, SavedSearch.stopped == "")
    if session.execute(running.where(SavedSearch.owner_id == who.user_id)).scalar_one() >= MOST_SCHEDULED:
        raise Invalid(f"an account schedules at most {MOST_SCHEDULED} searches", "end one first", field="every")
    if session.execute(running).scalar_one() >= MOST_SCHEDULED_ALL:
        raise Invalid(f"at most {MOST_SCHEDULED_ALL} searches are scheduled", "make a rule of one", field="every")


def _free_name(session: Session, who: Principal, name: str, but: int = 0) -> str:
    name = written.name(name, "name", MAX_NAME)
    taken = select(SavedSearch.id).where(SavedSearch.owner_id == who.user_id, SavedSearch.name == name, SavedSearch.id != but)
    if session.execute(taken).first() is not None:
        raise Invalid("you have a search of this name already", field="name")
    return name


def _query(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_QUERY:
        raise Invalid(f"a saved search has at most {MAX_QUERY} characters", field="query")
    if "\0" in text:
        raise Invalid("the query holds a zero byte", field="query")
    parse_query(text)
    return text


def _no_pipes(query: str) -> None:
    if parse_query(query).pipes:
        raise Invalid("a scheduled search has no pipes", "take what stands behind | away", field="query")


def _short(text: str, most: int, field: str) -> str:
    if len(text) > most or "\0" in text:
        raise Invalid(f"{field} has at most {most} characters", field=field)
    return written.text(text, field, most)


def _floor(moment: str) -> str:
    """The full second."""
    return moment[:19] + ".000000Z"


def _told(row: SavedSearch) -> dict[str, Any]:
    return {"name": row.name, "query": row.query, "shared": row.shared}


def _record(row: SavedSearch, who: Principal) -> Search:
    values = {name: getattr(row, name) for name in Search.__struct_fields__ if name != "mine"}
    return Search(**values, mine=row.owner_id == who.user_id)
