"""Reading the trail from its start to its end for those who check it: entries and leaves side by side, damage told, not raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, cast, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crypto.merkle import Node
from operations.audit.entry import COLUMNS
from operations.audit.models import AuditEntry, AuditNode

BATCH = 4_000
_FIELDS = (*COLUMNS, "previous", "digest")
_HASH = cast(AuditNode.hash, LargeBinary)  # whatever was put there, as bytes
_ENTRY_COLUMNS = [getattr(AuditEntry, name) for name in _FIELDS]


class Read(NamedTuple):
    """An entry as it stands in the database; ``fields`` None and ``problem`` set where it cannot be read."""

    id: int
    fields: dict[str, Any] | None
    problem: str = ""


def entries(session: Session, after: int) -> Iterator[Read]:
    """Entries with a number above ``after`` in their order. A row that cannot be read is named; where nothing more can be read,
    the last one says so."""
    while True:
        query = select(*_ENTRY_COLUMNS).where(AuditEntry.id > after).order_by(AuditEntry.id).limit(BATCH)
        try:
            rows = session.connection().execute(query).all()
        except (DBAPIError, ValueError):  # ValueError: text that is no UTF-8, from some drivers
            yield from _one_by_one(session, after)
            return
        for row in rows:
            yield Read(row[0], dict(zip(_FIELDS, row, strict=True)))
        if len(rows) < BATCH:
            return
        after = rows[-1][0]


def _one_by_one(session: Session, after: int) -> Iterator[Read]:
    """Around damage: the next number alone, then its row."""
    while True:
        try:
            number = session.connection().execute(select(func.min(AuditEntry.id)).where(AuditEntry.id > after)).scalar()
        except DBAPIError as error:
            yield Read(after + 1, None, f"the database cannot be read from here on: {error.orig}")
            return
        if number is None:
            return
        try:
            row = session.connection().execute(select(*_ENTRY_COLUMNS).where(AuditEntry.id == number)).one()
            yield Read(number, dict(zip(_FIELDS, row, strict=True)))
        except (DBAPIError, ValueError) as error:
            yield Read(number, None, f"it cannot be read: {getattr(error, 'orig', error)}")
        after = number


class Nodes:
    """The stored subtrees of one level, asked for from left to right."""

    def __init__(self, session: Session, level: int, start: int) -> None:
        self._rows = self._read(session, level, start)
        self._next = next(self._rows, None)

    def at(self, place: int) -> bytes | None:
        """The hash stored for ``place``, None where there is none. Places must grow from call to call."""
        while self._next is not None and self._next[0] < place:
            self._next = next(self._rows, None)
        if self._next is None or self._next[0] != place:
            return None
        return self._next[1]

    @staticmethod
    def _read(session: Session, level: int, start: int) -> Iterator[tuple[int, bytes]]:
        while True:
            query = (
                select(AuditNode.place, _HASH)
                .where(AuditNode.level == level, AuditNode.place >= start)
                .order_by(AuditNode.place)
                .limit(BATCH)
            )
            try:
                rows = session.connection().execute(query).all()
            except DBAPIError:  # what cannot be read is missing
                return
            yield from ((place, _bytes(stored)) for place, stored in rows)
            if len(rows) < BATCH:
                return
            start = rows[-1][0] + 1


class StoredTree:
    """All levels of the stored tree, beside a walk that goes from leaf ``start`` to the right."""

    def __init__(self, session: Session, start: int) -> None:
        self._session = session
        self._start = start
        self._levels: dict[int, Nodes] = {}

    def at(self, level: int, place: int) -> bytes | None:
        """The stored hash, None where there is none."""
        if level not in self._levels:
            self._levels[level] = Nodes(self._session, level, place)
        return self._levels[level].at(place)

    def differs(self, node: Node) -> bool:
        """True where another hash, or none, is stored for ``node``."""
        return self.at(node.level, node.place) != node.hash

    def beyond(self, size: int) -> str:
        """A node beyond the tree of ``size`` leaves as text, "" where there is none."""
        rows = self._session.connection().execute(select(AuditNode.level, func.max(AuditNode.place)).group_by(AuditNode.level))
        return next((f"{level}/{place}" for level, place in rows if place >= size >> level), "")


Progress = Callable[[int, int], None]
"""``progress(done, total)`` in entries."""


def _bytes(stored: object) -> bytes:
    return bytes(stored) if isinstance(stored, bytes | bytearray | memoryview) else b""
