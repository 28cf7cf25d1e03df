"""Writing scores: only what is not as it was, in short transactions, with the score of the day beside it."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.risk.models import KINDS, RiskDay, RiskScore
from operations.risk.schema import FACTORS, Factor

LOOK_BACK_DAYS = 7
_CHUNK = 5000
_KEYS = 400
_T = TypeVar("_T")


@dataclass(frozen=True)
class Subject:
    """An asset or a zone with its computed risk (score 0 to 100)."""

    kind: str
    key: str
    name: str
    zone: str
    bureau: str
    asset_kind: str
    score: float
    factors: Mapping[str, Factor]
    open_alerts: int


def store(database: Database, subjects: Sequence[Subject], day: str, now: str, *, whole: bool) -> int:
    """Write what changed; returns how many rows. ``whole``: these are all there are, others are removed."""
    ago = clock.shift(f"{day}T00:00:00.000000Z", -86_400 * LOOK_BACK_DAYS)[:10]
    written = 0
    for kind in KINDS:
        of_kind = [one for one in subjects if one.kind == kind]
        keys = None if whole else [one.key for one in of_kind]
        with database.read() as session:
            known = _known(session, kind, keys)
            before = _baselines(session, kind, ago, keys)
        rows = []
        days = []
        for one in of_kind:
            row = _row(one, before.get(one.key), day, now)
            there = known.pop(one.key, None)
            if there is None or there[0] != row["digest"]:
                rows.append(row)
            if there is None or there[1] != row["score"]:
                days.append({"kind": kind, "key": one.key, "day": day, "opened": row["score"], "score": row["score"]})
        for part in _batches(rows, _CHUNK):
            with database.write() as session:
                _upsert(session, RiskScore, part, ("kind", "key"))
        for part in _batches(days, _CHUNK):
            with database.write() as session:
                _upsert(session, RiskDay, part, ("kind", "key", "day"), keep=("opened",))
        if whole and known:
            _remove(database, kind, known)
        written += len(rows)
    return written


def _row(one: Subject, baseline: tuple[int, str] | None, day: str, now: str) -> dict[str, Any]:
    score = round(one.score * 10)
    base, since = baseline or (score, day)
    reasons = [reason for name in FACTORS for reason in one.factors[name].reasons]
    row: dict[str, Any] = {
        "kind": one.kind,
        "key": one.key,
        "name": one.name[:256],
        "zone": one.zone,
        "bureau": one.bureau[:128],
        "asset_kind": one.asset_kind,
        "score": score,
        **{name: round(one.factors[name].value * 100) for name in FACTORS},
        "vulnerability_known": one.factors["vulnerability"].known,
        "open_alerts": one.open_alerts,
        "baseline": base,
        "since": since,
        "delta": score - base,
        "reasons": msgspec.json.encode(reasons).decode(),
    }
    return row | {"digest": zlib.crc32(msgspec.json.encode(list(row.values()))), "computed_at": now}


def _known(session: Session, kind: str, keys: Sequence[str] | None) -> dict[str, tuple[int, int]]:
    """Key → digest and score as stored."""
    query = select(RiskScore.key, RiskScore.digest, RiskScore.score).where(RiskScore.kind == kind)
    return {row[0]: (row[1], row[2]) for part in _parts(keys) for row in session.execute(_of(query, RiskScore.key, part))}


def _baselines(session: Session, kind: str, ago: str, keys: Sequence[str] | None) -> dict[str, tuple[int, str]]:
    """Key → what the score was on the day ``ago`` (the last one known until then), else the first one that is known."""
    found: dict[str, tuple[int, str]] = {}
    for bound, aggregate in ((RiskDay.day > ago, func.min), (RiskDay.day <= ago, func.max)):
        for part in _parts(keys):
            newest = select(RiskDay.key, aggregate(RiskDay.day).label("day")).where(RiskDay.kind == kind, bound)
            chosen = _of(newest, RiskDay.key, part).group_by(RiskDay.key).subquery()
            query = select(RiskDay.key, RiskDay.day, RiskDay.opened, RiskDay.score).join(
                chosen, (RiskDay.key == chosen.c.key) & (RiskDay.day == chosen.c.day) & (RiskDay.kind == kind)
            )
            for key, day, opened, score in session.execute(query):
                found[key] = (opened, day) if aggregate is func.min else (score, ago)
    return found


def _of(query: Any, column: Any, keys: Sequence[str] | None) -> Any:
    return query if keys is None else query.where(column.in_(keys))


def _parts(keys: Sequence[str] | None) -> Iterable[Sequence[str] | None]:
    return [None] if keys is None else _batches(keys, _KEYS)


def _upsert(
    session: Session,
    table: type[RiskScore] | type[RiskDay],
    rows: Sequence[dict[str, Any]],
    keys: tuple[str, ...],
    keep: Collection[str] = (),
) -> None:
    # Both dialects spell the upsert alike, but each has its own construct.
    build: Any = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = build(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys and name not in keep}
    session.connection().execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed), rows)


def _remove(database: Database, kind: str, keys: Iterable[str]) -> None:
    """What the inventory or the plan has no more. Its days stay: it may come back."""
    for part in _batches(keys, _KEYS):
        with database.write() as session:
            session.execute(delete(RiskScore).where(RiskScore.kind == kind, RiskScore.key.in_(part)))


def _batches(every: Iterable[_T], size: int) -> Iterator[list[_T]]:
    listed = list(every)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]
