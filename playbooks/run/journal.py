"""The journal of runs in the state database: what was asked for, what happened, and which executor has which run.

Invariants. Events of a run are numbered 1, 2, … and only ever added; the unique index of (run, number) lets only one of two writers
go on, so an executor that lost its lease without knowing cannot write, and does nothing that it could not write first. A run
belongs to nobody, or to the executor ``lease_owner`` until ``lease_until``; who takes an expired lease over adds Resumed as next
event.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Table, Update, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kernel.db.among import among
from kernel.errors import LiandunError
from operations import clock
from operations.errors import Invalid, NotFound
from playbooks.model import Playbook
from playbooks.reading import read
from playbooks.run.about import about
from playbooks.run.asking import close_all
from playbooks.run.events import Entry, Event
from playbooks.run.listing import documents
from playbooks.run.machine import ENDED, Limits, Machine
from playbooks.run.messages import Message
from playbooks.run.models import PlaybookDocument, PlaybookEvent, PlaybookMessage, PlaybookQuestion, PlaybookRun
from playbooks.variables import Value

MOST_CALLED = 64
_RUNS: Table = PlaybookRun.__table__  # type: ignore[assignment]
_ADD = insert(PlaybookEvent.__table__)  # type: ignore[arg-type]
_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_TRACE = msgspec.json.Decoder(list[Entry])
_MESSAGE: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is asked for.

    body         the playbook's document; ``called`` the documents of playbooks that it may call
    request_key  asked for again with the same key it is the same run; "" = none
    cause        what triggered it, for people and lists
    """

    body: bytes
    called: tuple[bytes, ...] = ()
    variables: dict[str, Value] = {}
    by: str
    cause: dict[str, Any] = {}
    request_key: str = ""
    organisation_id: int | None = None


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it lies in the journal. ``crashed``: its executor went away without giving it back."""

    run_id: int
    playbook: Playbook
    called: tuple[Playbook, ...]
    variables: dict[str, Value]
    events: tuple[Event, ...]
    crashed: bool = False
    state: str = "queued"


class Line(msgspec.Struct, frozen=True):
    """One event of a run with what it led to."""

    number: int
    event: Event
    trace: list[Entry]


def digest_of(body: bytes) -> str:
    """The name of a document."""
    return hashlib.sha256(body).hexdigest()


@lru_cache(maxsize=256)
def playbook_of(body: bytes) -> Playbook:
    """The playbook of a document; the last ones are kept. Raises PlaybookError."""
    return read(body)


def library_of(called: Iterable[Playbook]) -> dict[tuple[str, str], Playbook]:
    """Playbooks by id and version; with version "" the newest of them."""
    found: dict[tuple[str, str], Playbook] = {}
    for playbook in called:
        found[playbook.id, playbook.modified] = playbook
        newest = found.get((playbook.id, ""))
        if newest is None or newest.modified < playbook.modified:
            found[playbook.id, ""] = playbook
    return found


def machine_of(claimed: Claimed, limits: Limits = Limits()) -> Machine:
    """The machine of a run as its journal left it."""
    machine = Machine(claimed.playbook, library_of(claimed.called), limits)
    for event in claimed.events:
        machine.apply(event)
    return machine


# -- asking for runs --------------------------------------------------------------------------------------------------------------


def request(session: Session, wanted: Wanted, *, owner: str = "", until: str = "") -> int:
    """Ask for a run, in the caller's transaction; some executor takes it up. Returns its id."""
    return request_all(session, [wanted], owner=owner, until=until)[0]


def request_all(session: Session, wanted: Sequence[Wanted], *, owner: str = "", until: str = "") -> list[int]:
    """Ask for many runs at once; with ``owner`` they belong to that executor at once. Raises PlaybookError, Invalid."""
    present = clock.now()
    keep(session, {body for one in wanted for body in (one.body, *one.called)}, present)
    known = asked_before(session, wanted)
    rows: list[dict[str, Any]] = []
    places: list[int | str] = []
    for one in wanted:
        if one.request_key and one.request_key in known:
            places.append(one.request_key)
            continue
        if one.request_key:
            known[one.request_key] = -1 - len(rows)
        places.append(len(rows))
        rows.append(_run_row(one, owner, until, present))
    statement = insert(PlaybookRun).returning(PlaybookRun.id, sort_by_parameter_order=True)
    ids = list(session.execute(statement, rows).scalars()) if rows else []
    known = {key: ids[-1 - run_id] if run_id < 0 else run_id for key, run_id in known.items()}
    return [known[place] if isinstance(place, str) else ids[place] for place in places]


def asked_before(session: Session, wanted: Sequence[Wanted]) -> dict[str, int]:
    """The runs that were asked for with the same keys, by key."""
    keys = [one.request_key for one in wanted if one.request_key]
    if not keys:
        return {}
    query = select(PlaybookRun.request_key, PlaybookRun.id).where(PlaybookRun.request_key.in_(keys))
    return {str(key): run_id for key, run_id in session.execute(query)}


def check_wanted(wanted: Wanted) -> None:
    """Raises PlaybookError or Invalid where this cannot be asked for."""
    if len(wanted.called) > MOST_CALLED:
        raise Invalid(f"a run may call at most {MOST_CALLED} playbooks", field="called")
    for body in (wanted.body, *wanted.called):
        playbook_of(body)


def _run_row(wanted: Wanted, owner: str, until: str, present: str) -> dict[str, Any]:
    check_wanted(wanted)
    playbook = playbook_of(wanted.body)
    return {
        "playbook_id": playbook.id[:160],
        "playbook_name": playbook.name[:512],
        "digest": digest_of(wanted.body),
        "called": msgspec.json.encode([digest_of(body) for body in wanted.called]).decode(),
        "variables": msgspec.json.encode(wanted.variables).decode(),
        "organisation_id": wanted.organisation_id,
        "state": "running" if owner else "queued",
        "reason": "",
        "cause": msgspec.json.encode(wanted.cause).decode(),
        "subject": about(wanted.cause),
        "request_key": wanted.request_key or None,
        "created_at": present,
        "created_by": wanted.by[:160],
        "started_at": None,
        "ended_at": None,
        "lease_owner": owner,
        "lease_until": until,
        "wake_at": None,
        "events": 0,
    }


def keep(session: Session, bodies: set[bytes], present: str) -> None:
    """Write down the documents that are not there yet. Raises PlaybookError."""
    named = {digest_of(body): body for body in bodies}
    query = select(PlaybookDocument.digest).where(PlaybookDocument.digest.in_(named))
    there = set(session.execute(query).scalars())
    rows = [
        {
            "digest": digest,
            "playbook_id": playbook_of(body).id[:160],
            "modified": playbook_of(body).modified[:40],
            "body": body.decode("utf-8"),
            "created_at": present,
        }
        for digest, body in named.items()
        if digest not in there
    ]
    if rows:  # somebody else may write the same one down at this moment
        make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.connection().execute(make(PlaybookDocument).on_conflict_do_nothing(), rows)


def send(session: Session, run_id: int, message: Message, by: str) -> int:
    """Say something to a run, in the caller's transaction. Raises NotFound."""
    if session.get(PlaybookRun, run_id) is None:
        raise NotFound(f"there is no run {run_id}")
    row = {
        "run_id": run_id,
        "body": msgspec.json.encode(message).decode(),
        "created_at": clock.now(),
        "created_by": by[:160],
        "taken_at": None,
    }
    return session.execute(insert(PlaybookMessage).returning(PlaybookMessage.id), [row]).scalar_one()


# -- what executors do ------------------------------------------------------------------------------------------------------------


def anything_to_claim(session: Session, present: str) -> bool:
    """Whether there is a run that an executor could take: asks without writing."""
    query = select(PlaybookRun.id).where(_claimable(present)).limit(1)
    return session.execute(query).first() is not None or bool(_addressed(session, 1))


def claim(session: Session, owner: str, until: str, present: str, room: int) -> list[Claimed]:
    """Take at most ``room`` runs that nobody has: those with messages first, then the oldest."""
    chosen = _addressed(session, room)
    if len(chosen) < room:
        query = select(PlaybookRun.id).where(_claimable(present)).order_by(PlaybookRun.id).limit(room - len(chosen))
        chosen += [run_id for run_id in session.execute(query.with_for_update(skip_locked=True)).scalars() if run_id not in chosen]
    if not chosen:
        return []
    rows = list(
        session.execute(
            select(PlaybookRun)
            .where(among(session, PlaybookRun.id, chosen))
            .order_by(PlaybookRun.id)
            .with_for_update(skip_locked=True)
        ).scalars()
    )
    rows = [row for row in rows if not row.lease_owner or row.lease_until < present]  # somebody may have been faster
    bodies, found = _bodies(session, rows), []
    for row in rows:
        try:
            claimed = _claimed(session, row, bodies, crashed=bool(row.lease_owner))
        except (LiandunError, msgspec.MsgspecError) as error:  # of another version; it must not keep the others back
            row.state, row.reason, row.ended_at = "failed", f"the run cannot be read: {error}"[:4000], present
            row.lease_owner, row.lease_until, row.wake_at = "", "", None
            close_all(session, row.id)
            continue
        found.append(claimed)
    mine = among(session, PlaybookRun.id, [claimed.run_id for claimed in found])
    session.connection().execute(update(_RUNS).where(mine).values(lease_owner=owner, lease_until=until, wake_at=None))
    session.flush()
    return found


def _claimable(present: str) -> Any:
    expired = and_(PlaybookRun.lease_until > "", PlaybookRun.lease_until < present)
    queued = and_(PlaybookRun.state == "queued", PlaybookRun.lease_until == "")
    return or_(queued, expired, PlaybookRun.wake_at <= present)


def _addressed(session: Session, room: int) -> list[int]:
    """Runs without an executor that somebody has said something to."""
    query = (
        select(PlaybookMessage.run_id)
        .join(PlaybookRun, PlaybookRun.id == PlaybookMessage.run_id)
        .where(PlaybookMessage.taken_at.is_(None), PlaybookRun.lease_owner == "")
        .order_by(PlaybookMessage.id)
        .limit(room)
    )
    return list(dict.fromkeys(session.execute(query).scalars()))


def _bodies(session: Session, rows: Iterable[PlaybookRun]) -> dict[str, bytes]:
    """The documents of these runs by digest, those that are there."""
    wanted: set[str] = set()
    for row in rows:
        with contextlib.suppress(msgspec.MsgspecError):  # of another version; told when that run is read
            wanted.update((row.digest, *_called(row)))
    return documents(session, sorted(wanted))


def _called(row: PlaybookRun) -> list[str]:
    return msgspec.json.decode(row.called, type=list[str])


def _claimed(session: Session, row: PlaybookRun, bodies: Mapping[str, bytes], *, crashed: bool) -> Claimed:
    called = _called(row)
    if missing := [digest for digest in (row.digest, *called) if digest not in bodies]:
        raise LiandunError(f"the playbook {missing[0][:16]} of the run {row.id} is not there")
    new = row.state == "queued" and not crashed  # its journal is empty: nobody has had it yet
    return Claimed(
        run_id=row.id,
        playbook=playbook_of(bodies[row.digest]),
        called=tuple(playbook_of(bodies[digest]) for digest in called),
        variables=msgspec.json.decode(row.variables, type=dict[str, Value]),
        events=() if new else tuple(line.event for line in lines(session, row.id)),
        crashed=crashed,
        state=row.state,
    )


def append(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add events; IntegrityError where another executor has gone on with one of the runs."""
    session.connection().execute(_ADD, list(rows))


def event_row(run_id: int, number: int, event: Event, trace: list[Entry]) -> dict[str, Any]:
    """An event as a row."""
    return {
        "run_id": run_id,
        "number": number,
        "event": msgspec.json.encode(event).decode(),
        "trace": msgspec.json.encode(trace).decode(),
    }


def change(session: Session, owner: str, changes: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Write new states of runs, of those that still belong to ``owner``."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for run_id, values in changes:
        alike.setdefault(tuple(values), []).append({**values, "the_run": run_id, "the_owner": owner})
    for names, rows in alike.items():
        session.connection().execute(_change_of(names), rows)


@lru_cache(maxsize=32)
def _change_of(names: tuple[str, ...]) -> Update:
    mine = and_(_RUNS.c.id == bindparam("the_run"), _RUNS.c.lease_owner == bindparam("the_owner"))
    return update(_RUNS).where(mine).values({name: bindparam(name) for name in names})


def renew(session: Session, owner: str, until: str, run_ids: Sequence[int]) -> set[int]:
    """Prolong the leases of ``run_ids``; returns those that still belong to ``owner``."""
    mine = and_(among(session, PlaybookRun.id, run_ids), PlaybookRun.lease_owner == owner)
    session.connection().execute(update(PlaybookRun).where(mine).values(lease_until=until))
    return set(session.execute(select(PlaybookRun.id).where(mine)).scalars())


def release(session: Session, owner: str) -> None:
    """Give every run of ``owner`` back: its lease ends now, and whoever comes next takes it over."""
    session.connection().execute(
        update(PlaybookRun).where(PlaybookRun.lease_owner == owner).values(lease_until=clock.shift(clock.now(), -1))
    )


def messages_for(session: Session, run_ids: Sequence[int]) -> list[tuple[int, int, Message, str]]:
    """Messages that were not read yet: id, run, message, who."""
    query = (
        select(PlaybookMessage)
        .where(PlaybookMessage.taken_at.is_(None), among(session, PlaybookMessage.run_id, run_ids))
        .order_by(PlaybookMessage.id)
        .limit(500)
    )
    return [(row.id, row.run_id, _MESSAGE.decode(row.body), row.created_by) for row in session.execute(query).scalars()]


def take_messages(session: Session, message_ids: Sequence[int], present: str) -> None:
    """These have been read."""
    session.connection().execute(
        update(PlaybookMessage).where(among(session, PlaybookMessage.id, message_ids)).values(taken_at=present)
    )


# -- reading ----------------------------------------------------------------------------------------------------------------------


def lines(session: Session, run_id: int, after: int = 0, limit: int = 1_000_000) -> list[Line]:
    """The journal of a run from event ``after`` + 1 on."""
    query = (
        select(PlaybookEvent.number, PlaybookEvent.event, PlaybookEvent.trace)
        .where(PlaybookEvent.run_id == run_id, PlaybookEvent.number > after)
        .order_by(PlaybookEvent.number)
        .limit(limit)
    )
    return [Line(number, _EVENT.decode(event), _TRACE.decode(trace)) for number, event, trace in session.execute(query)]


class State(msgspec.Struct, frozen=True):
    """How a run stands."""

    state: str
    reason: str


def state_of(session: Session, run_id: int) -> State:
    """How a run stands. Raises NotFound."""
    row = session.execute(select(PlaybookRun.state, PlaybookRun.reason).where(PlaybookRun.id == run_id)).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return State(*row)


def load(session: Session, run_id: int) -> Claimed:
    """A run with its journal, for looking at it (``machine_of`` says what it waits for). Raises NotFound."""
    row = session.get(PlaybookRun, run_id)
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return _claimed(session, row, _bodies(session, [row]), crashed=False)


def prune(session: Session, before: str, limit: int = 1_000) -> int:
    """Delete at most ``limit`` runs that ended before ``before`` (@timestamp text), with their journals; returns how many."""
    query = (
        select(PlaybookRun.id)
        .where(PlaybookRun.state.in_(ENDED), PlaybookRun.ended_at < before, PlaybookRun.lease_owner == "")
        .order_by(PlaybookRun.id)
        .limit(limit)
    )
    ids = list(session.execute(query).scalars())
    for table in (PlaybookEvent, PlaybookMessage, PlaybookQuestion):
        session.execute(delete(table).where(among(session, table.run_id, ids)))
    session.execute(delete(PlaybookRun).where(among(session, PlaybookRun.id, ids)))
    return len(ids)
