"""Verdicts of a whole run read and written by statements over many rows: a run has tens of thousands of them.

The unit of work of the ORM costs several times what the database does, so rows are plain records here until they are written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from compliance.assessment.models import VerdictRow, VerdictStep
from kernel.db.among import among

_FEW = 50
"""Items that are worth naming in the statement."""
_CHUNK = 500
_Key = tuple[str, int]
_Line = dict[str, Any]


class Standing(msgspec.Struct):
    """What counts for an item on an object (VerdictRow). ``touched``: it has to be written; ``made``: there is no row of it yet."""

    item: str
    object_id: int
    standard: str
    security_class: str
    verdict: str = ""
    source: str = ""
    judged_by: str = ""
    reason: str = ""
    evidence: str = ""
    reproduce: str = ""
    detail: str = ""
    at: str = ""
    checked_at: str = ""
    probed: str = ""
    probed_at: str = ""
    version: int = 0
    made: bool = False
    touched: bool = False


_COLUMNS = Standing.__struct_fields__[:-2]
_FIXED = frozenset({"item", "object_id", "standard", "security_class"})


def standings(session: Session, system_id: int, objects: Sequence[int], items: Collection[str]) -> dict[_Key, Standing]:
    """Those of a system that there are for ``items`` on ``objects`` (0 = the system as a whole); perhaps of other items, too."""
    session.flush()
    known = select(*(getattr(VerdictRow, name) for name in _COLUMNS))
    known = known.where(VerdictRow.system_id == system_id, among(session, VerdictRow.object_id, objects))
    if len(items) <= _FEW:
        known = known.where(VerdictRow.item.in_(sorted(items)))
    return {(row[0], row[1]): Standing(*row) for row in session.execute(known)}


def last_line(session: Session, row: VerdictRow) -> VerdictStep | None:
    """The newest line of the history in which a probe said what it said last."""
    query = select(VerdictStep).where(
        VerdictStep.system_id == row.system_id, VerdictStep.item == row.item, VerdictStep.object_id == row.object_id,
        VerdictStep.source == "probe", VerdictStep.verdict == row.probed,
    )  # fmt: skip
    return session.execute(query.order_by(VerdictStep.at.desc(), VerdictStep.id.desc()).limit(1)).scalars().first()


def unwritten(session: Session, system_id: int, steps: Sequence[_Line]) -> list[_Line]:
    """Those that the history does not have yet: an old report that is read again says nothing new."""
    moments, there = sorted({step["at"] for step in steps}), set[tuple[str, int, str, str]]()
    for start in range(0, len(moments), _CHUNK):
        columns = select(VerdictStep.item, VerdictStep.object_id, VerdictStep.verdict, VerdictStep.at)
        mine = (VerdictStep.system_id == system_id, VerdictStep.source == "probe")
        found = session.execute(columns.where(*mine, VerdictStep.at.in_(moments[start : start + _CHUNK])))
        there |= {(row[0], row[1], row[2], row[3]) for row in found}
    new: list[_Line] = []
    for step in steps:
        key = (step["item"], step["object_id"], step["verdict"], step["at"])
        if key not in there:
            there.add(key)
            new.append(step)
    return new


def write(session: Session, system_id: int, rows: Iterable[Standing], steps: Sequence[Mapping[str, Any]]) -> None:
    """What was touched, and lines of the history. Rows that the session holds are read again when they are asked for."""
    touched = [row for row in rows if row.touched]
    where: dict[str, Any] = {"system_id": system_id}
    made = [where | {name: getattr(row, name) for name in _COLUMNS} for row in touched if row.made]
    moved = [where | {name: getattr(row, name) for name in _COLUMNS} for row in touched if not row.made]
    if made:
        session.execute(insert(VerdictRow), made)
    if moved:
        session.execute(update(VerdictRow), moved)
    if steps:
        session.execute(insert(VerdictStep), [{**where, **step} for step in steps])
    for held in list(session.identity_map.values()):
        if isinstance(held, VerdictRow):
            session.expire(held)
