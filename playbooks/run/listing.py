"""Runs in lists, and the counts beside them.

Paged by id, the newest first. Each filter has an index of its own that ends in the id, so a page costs the same however many runs
there are; counts stop at MOST_COUNTED.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer

from operations.errors import Invalid, NotFound
from playbooks.run.about import is_about
from playbooks.run.models import PlaybookDocument, PlaybookEvent, PlaybookQuestion, PlaybookRun
from playbooks.variables import Value

STATES = ("queued", "running", "waiting", "finished", "failed", "cancelled", "undone")
OPEN = ("queued", "running", "waiting")
MAX_PAGE = 200
MOST_COUNTED = 1_000
_LEFT_OUT = (defer(PlaybookRun.variables), defer(PlaybookRun.called))
"""Not in a row of a list, and up to 256 KiB."""
_CURSOR = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs; "" = every one. ``state`` is one of STATES, or ``open`` for those that are not over; ``subject`` what they were
    started for (``alert:7``)."""

    state: str = ""
    playbook_id: str = ""
    subject: str = ""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run as a list shows it. Moments are @timestamp texts, None = not yet."""

    id: int
    playbook_id: str
    playbook_name: str
    state: str
    reason: str
    cause: dict[str, Any]
    created_at: str
    created_by: str
    started_at: str | None
    ended_at: str | None


class RunPage(msgspec.Struct, frozen=True):
    """Rows, and the cursor of the next page ("" = there is none)."""

    runs: list[RunRow]
    cursor: str = ""


class RunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One run with what it was asked for. ``called``: digests of the playbooks that it may call; ``events``: how many there are."""

    run: RunRow
    digest: str
    called: list[str]
    variables: dict[str, Value]
    events: int


def list_runs(session: Session, where: RunFilter = RunFilter(), *, limit: int = 50, cursor: str = "") -> RunPage:
    """One page. Raises Invalid for a cursor or a subject that is none."""
    if where.subject and not is_about(where.subject):
        raise Invalid(f"{where.subject[:40]!r} names nothing that runs are started for", "as alert:7", field="subject")
    if cursor and not _CURSOR.fullmatch(cursor):
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    limit = max(1, min(limit, MAX_PAGE))
    states = OPEN if where.state == "open" else (where.state,)
    found: list[PlaybookRun] = []
    for state in states:  # each by its own end of the index: together they would have to be sorted
        query = _filtered(select(PlaybookRun).options(*_LEFT_OUT), msgspec.structs.replace(where, state=state))
        if cursor:
            query = query.where(PlaybookRun.id < int(cursor))
        found += session.execute(query.order_by(PlaybookRun.id.desc()).limit(limit + 1)).scalars()
    found.sort(key=lambda run: -run.id)
    return RunPage([row_of(run) for run in found[:limit]], str(found[limit - 1].id) if len(found) > limit else "")


def count_runs(session: Session) -> dict[str, int]:
    """Runs by state; at most MOST_COUNTED of each."""
    return {state: _count(session, RunFilter(state=state)) for state in STATES}


def get_run(session: Session, run_id: int) -> RunDetail:
    """One run. Raises NotFound."""
    run = session.get(PlaybookRun, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}")
    return RunDetail(
        run=row_of(run),
        digest=run.digest,
        called=msgspec.json.decode(run.called, type=list[str]),
        variables=msgspec.json.decode(run.variables, type=dict[str, Value]),
        events=last_event(session, run_id),
    )


def last_event(session: Session, run_id: int) -> int:
    """The number of the last event in the journal of a run, 0 = none yet."""
    query = select(func.max(PlaybookEvent.number)).where(PlaybookEvent.run_id == run_id)
    return session.execute(query).scalar() or 0


def documents(session: Session, digests: list[str]) -> dict[str, bytes]:
    """Playbooks exactly as they were run, by digest."""
    query = select(PlaybookDocument.digest, PlaybookDocument.body).where(PlaybookDocument.digest.in_(digests))
    return {digest: body.encode() for digest, body in session.execute(query)}


def row_of(run: PlaybookRun) -> RunRow:
    """As a list shows it."""
    values = {name: getattr(run, name) for name in RunRow.__struct_fields__ if name != "cause"}
    return RunRow(**values, cause=msgspec.json.decode(run.cause, type=dict[str, Any]))


def _filtered(query: Select[Any], where: RunFilter) -> Select[Any]:
    if where.subject:
        query = query.where(PlaybookRun.subject == where.subject)
    if where.state:  # of a subject there are few runs: the index of states would lead through far more
        query = query.where((PlaybookRun.state + "" if where.subject else PlaybookRun.state) == where.state)
    if where.playbook_id:
        query = query.where(PlaybookRun.playbook_id == where.playbook_id)
    return query


def _count(session: Session, where: RunFilter) -> int:
    ids = _filtered(select(PlaybookRun.id), where).limit(MOST_COUNTED).subquery()
    return session.execute(select(func.count()).select_from(ids)).scalar_one()


def count_asked(session: Session, kinds: tuple[str, ...], most: int = 100) -> int:
    """How many questions of these kinds are open; at most ``most``."""
    query = select(PlaybookQuestion.id).where(PlaybookQuestion.closed_at.is_(None), PlaybookQuestion.kind.in_(kinds))
    return session.execute(select(func.count()).select_from(query.limit(most).subquery())).scalar_one()
