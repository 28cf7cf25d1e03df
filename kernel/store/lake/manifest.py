"""The manifest: a SQLite database (WAL, synchronous=FULL) that alone decides which segments exist.

Every change of the set of segments is one entry of a hash chain: ``digest = SM3(previous digest || body)``, body = JSON with the
SM3 of each segment added or removed. So a segment that was changed, swapped or removed behind the store's back is found by
:mod:`.verify`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import orjson

from crypto.sm3 import sm3
from kernel.errors import StoreError
from kernel.store.contract import Quarantined, TimeRange
from kernel.store.lake.columns import FORMAT, Layout
from kernel.store.lake.segment import DiskFullError
from kernel.store.lake.skipindex import Place

GENESIS = "0" * 64
VERSION = 2
_READABLE = {"1", "2"}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segments (
    sequence INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, day TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, sm3 TEXT NOT NULL, layout TEXT NOT NULL, days TEXT NOT NULL,
    datasets TEXT NOT NULL, died REAL, format INTEGER NOT NULL DEFAULT 1,
    index_offset INTEGER NOT NULL DEFAULT 0, index_length INTEGER NOT NULL DEFAULT 0, ages TEXT NOT NULL DEFAULT '{}',
    widest INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS segments_live ON segments (last, first) WHERE died IS NULL;
CREATE TABLE IF NOT EXISTS chain (position INTEGER PRIMARY KEY, body TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS consumers (name TEXT PRIMARY KEY, position INTEGER NOT NULL, state BLOB);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS quarantine (
    id TEXT PRIMARY KEY, time TEXT NOT NULL, source TEXT NOT NULL, origin TEXT NOT NULL, reason TEXT NOT NULL, raw BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS quarantine_time ON quarantine (time, id);
"""


_ADDED = {
    "format": ("INTEGER", "1"),
    "index_offset": ("INTEGER", "0"),
    "index_length": ("INTEGER", "0"),
    "ages": ("TEXT", "'{}'"),
    "widest": ("INTEGER", "0"),
}
"""Columns of ``segments`` that an older manifest does not have: type, and what they are then. An older program may write on."""


class Segment(msgspec.Struct, frozen=True):
    """A row of the manifest. ``day`` is "" for a segment of several days; ``first``/``last`` are its @timestamp texts.

    days    number of events by day of @timestamp
    ages    number of events by the day that counts for retention (:mod:`.ages`); empty: not known, an older program wrote it
    widest  bytes a row (values as Arrow holds them) in the row group where that is most; 0: not known
    format  says which columns the file has, see :mod:`.columns`
    index   where its skip index stands
    """

    sequence: int
    path: str
    day: str
    first: str
    last: str
    rows: int
    bytes: int
    sm3: str
    layout: Layout
    days: dict[str, int]
    datasets: dict[str, int]
    format: int = FORMAT
    index: Place = Place()
    ages: dict[str, int] = {}
    widest: int = 0


class ChainEntry(msgspec.Struct, frozen=True):
    """One link: ``body`` is the exact JSON text that was hashed."""

    position: int
    body: str
    digest: str


def link(previous: str, body: str) -> str:
    """Digest of the next chain entry, hex."""
    return sm3(bytes.fromhex(previous) + body.encode()).hex()


COLUMNS = (
    "sequence, path, day, first, last, rows, bytes, sm3, layout, days, datasets, format, index_offset, index_length, ages, widest"
)


class Manifest:
    """One SQLite connection, used under a lock by the threads of this process."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._sequence = 0
        self._columns = ""
        try:
            if writable:
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_SCHEMA)
                self._bring_up_to_date()
            else:
                self._db = sqlite3.connect(
                    f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, timeout=30
                )
            version = self.meta("version")
        except sqlite3.Error as error:
            raise self._error(error) from error
        if version not in _READABLE:
            raise StoreError(
                f"{path} has format {version}, this program knows {' and '.join(sorted(_READABLE))}",
                "use the program that wrote it, or migrate",
            )

    def _bring_up_to_date(self) -> None:
        """An older manifest gets the columns it lacks; its segments stay as they are."""
        with self.transaction() as db:
            present = {str(row[1]) for row in db.execute("PRAGMA table_info(segments)")}
            for column, (kind, default) in _ADDED.items():
                if column not in present:
                    db.execute(f"ALTER TABLE segments ADD COLUMN {column} {kind} NOT NULL DEFAULT {default}")
            db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?)", (str(VERSION),))
            db.execute("UPDATE meta SET value = ? WHERE key = 'version' AND value = '1'", (str(VERSION),))

    def _selected(self) -> str:
        """The columns of a segment as SQL, also over a manifest that no writer has brought up to date yet."""
        if self._columns != COLUMNS:
            present = {str(row[1]) for row in self._rows("PRAGMA table_info(segments)")}
            self._columns = ", ".join(name if name in present else _ADDED[name][1] for name in COLUMNS.split(", "))
        return self._columns

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._db.close()

    def _error(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        if "full" in text:
            return DiskFullError(
                f"disk full: cannot write {self.path.name} in {self.path.parent}", "free space; nothing of this batch was stored"
            )
        return StoreError(
            f"the manifest {self.path} cannot be used: {text}", "restore it from a backup, or run ./liandun store verify"
        )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside becomes durable together, or not at all. Raises StoreError."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise self._error(error) from error

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with self._lock:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise self._error(error) from error

    # reading

    def meta(self, key: str) -> str | None:
        """A fact about the store, or None."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def live(self, when: TimeRange | None = None) -> list[Segment]:
        """The segments that may hold events of a time range, latest first."""
        where = "died IS NULL"
        values: list[str] = []
        if when and when.start:
            where, values = where + " AND last >= ?", [*values, when.start]
        if when and when.end:
            where, values = where + " AND first < ?", [*values, when.end]
        rows = self._rows(f"SELECT {self._selected()} FROM segments WHERE {where} ORDER BY last DESC, sequence DESC", values)  # noqa: S608
        return [_segment(row) for row in rows]

    def dead(self, before: float) -> list[Segment]:
        """Segments replaced or dropped before a moment (seconds since the epoch)."""
        rows = self._rows(f"SELECT {self._selected()} FROM segments WHERE died < ?", (before,))  # noqa: S608
        return [_segment(row) for row in rows]

    def paths(self) -> set[str]:
        """All paths the manifest knows, live and dead."""
        return {str(row[0]) for row in self._rows("SELECT path FROM segments")}

    def reserve_sequence(self) -> int:
        """A number for a new segment, used once (only the one writing process takes numbers)."""
        with self._lock:
            if self._sequence == 0:
                self._sequence = int(self.meta("sequence") or 0)
            self._sequence += 1
            return self._sequence

    def consumer(self, name: str) -> tuple[int, bytes | None]:
        """Position and state of a consumer; ``(0, None)`` for a new one."""
        rows = self._rows("SELECT position, state FROM consumers WHERE name = ?", (name,))
        if not rows:
            return 0, None
        position, state = rows[0]
        return int(str(position)), state if isinstance(state, bytes) else None

    def counters(self) -> dict[str, int]:
        """The durable counters."""
        return {str(name): int(str(value)) for name, value in self._rows("SELECT name, value FROM counters ORDER BY name")}

    def quarantined(self, limit: int, before: str) -> list[Quarantined]:
        """Newest first; ``before`` is the id of the last one seen, or "" to begin."""
        rows = self._rows(
            "SELECT id, time, source, origin, reason, raw FROM quarantine"
            " WHERE ? = '' OR (time, id) < (SELECT time, id FROM quarantine WHERE id = ?) ORDER BY time DESC, id DESC LIMIT ?",
            (before, before, limit),
        )
        return [Quarantined(*row) for row in rows]  # type: ignore[arg-type]

    def quarantine_size(self) -> int:
        """Number of records in quarantine."""
        return int(str(self._rows("SELECT count(*) FROM quarantine")[0][0]))

    def chain(self) -> list[ChainEntry]:
        """The whole chain, oldest first."""
        return [
            ChainEntry(int(str(position)), str(body), str(digest))
            for position, body, digest in self._rows("SELECT position, body, digest FROM chain ORDER BY position")
        ]

    def committed(self, position: int, most: int) -> list[str]:
        """Paths of the last ``most`` commits after a position of the chain, oldest first. They may have been merged since."""
        rows = self._rows(
            "SELECT json_extract(body, '$.added[0].path') FROM chain"
            " WHERE position > ? AND json_extract(body, '$.kind') = 'commit' ORDER BY position DESC LIMIT ?",
            (position, most),
        )
        return [str(row[0]) for row in reversed(rows)]

    def had(self, position: int, digest: str) -> bool:
        """Whether this was the head of the chain once, as far as the chain is still kept."""
        rows = self._rows("SELECT digest FROM chain WHERE position = ?", (position,))
        if rows:
            return rows[0][0] == digest
        return position <= self.head()[0] and (position == 0 or self.anchor() != GENESIS)

    def head(self) -> tuple[int, str]:
        """Position and digest of the newest chain entry: to be anchored elsewhere, for example in the audit log."""
        rows = self._rows("SELECT position, digest FROM chain ORDER BY position DESC LIMIT 1")
        return (int(str(rows[0][0])), str(rows[0][1])) if rows else (0, self.anchor())

    def anchor(self) -> str:
        """Digest before the first chain entry that is still kept."""
        return self.meta("chain_anchor") or GENESIS


def _segment(row: tuple[object, ...]) -> Segment:
    sequence, path, day, first, last, rows, size, digest, layout, days, datasets, format_, offset, length, ages, widest = row
    return Segment(
        int(str(sequence)),
        str(path),
        str(day),
        str(first),
        str(last),
        int(str(rows)),
        int(str(size)),
        str(digest),
        msgspec.json.decode(str(layout), type=Layout),
        orjson.loads(str(days)),
        orjson.loads(str(datasets)),
        int(str(format_)),
        Place(int(str(offset)), int(str(length))),
        orjson.loads(str(ages)),
        int(str(widest)),
    )
