"""What a writer changes in the manifest, inside a transaction (:meth:`kernel.store.lake.manifest.Manifest.transaction`)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

import msgspec
import orjson

from kernel.store.contract import Quarantined
from kernel.store.lake.manifest import COLUMNS, GENESIS, Segment, link


def add_segment(db: sqlite3.Connection, segment: Segment) -> None:
    """Insert a live segment."""
    db.execute(
        f"INSERT INTO segments ({COLUMNS}) VALUES ({', '.join('?' * 16)})",  # noqa: S608
        (
            segment.sequence,
            segment.path,
            segment.day,
            segment.first,
            segment.last,
            segment.rows,
            segment.bytes,
            segment.sm3,
            msgspec.json.encode(
                {"multi": sorted(segment.layout.multi), "spill": sorted(segment.layout.spill)},
            ).decode(),
            orjson.dumps(segment.days).decode(),
            orjson.dumps(segment.datasets).decode(),
            segment.format,
            segment.index.offset,
            segment.index.length,
            orjson.dumps(segment.ages).decode(),
            segment.widest,
        ),
    )
    db.execute(
        "INSERT INTO meta VALUES ('sequence', ?1) ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), ?1)",
        (segment.sequence,),
    )


def bury_segments(db: sqlite3.Connection, segments: Sequence[Segment]) -> bool:
    """Mark segments dead; False when one of them was dead already (then the caller must roll back)."""
    now = time.time()
    changed = 0
    for segment in segments:
        changed += db.execute("UPDATE segments SET died = ? WHERE sequence = ? AND died IS NULL", (now, segment.sequence)).rowcount
    return changed == len(segments)


def append_chain(db: sqlite3.Connection, kind: str, added: Sequence[Segment], removed: Sequence[Segment], note: str = "") -> None:
    """Record a change of the set of segments: kind commit | compact | retain."""
    row = db.execute("SELECT position, digest FROM chain ORDER BY position DESC LIMIT 1").fetchone()
    if row is None:
        row = (0, GENESIS)
    body = orjson.dumps(
        {
            "kind": kind,
            "time": time.time(),
            "added": [_record(segment) for segment in added],
            "removed": [_record(segment) for segment in removed],
            "note": note,
        }
    ).decode()
    db.execute("INSERT INTO chain VALUES (?, ?, ?)", (row[0] + 1, body, link(row[1], body)))


def prune_chain(db: sqlite3.Connection, before: float) -> None:
    """Forget chain entries made before a moment (seconds since the epoch); the digest they led to stays as the new beginning."""
    low, high = db.execute("SELECT coalesce(min(position), 0), coalesce(max(position), 0) FROM chain").fetchone()
    first = low
    while low < high:  # entries stand in the order of time
        middle = (low + high) // 2
        made = db.execute("SELECT json_extract(body, '$.time') FROM chain WHERE position = ?", (middle,)).fetchone()
        low, high = (middle + 1, high) if made and made[0] < before else (low, middle)
    if low == first:
        return
    anchor = db.execute("SELECT digest FROM chain WHERE position = ?", (low - 1,)).fetchone()[0]
    db.execute("INSERT OR REPLACE INTO meta VALUES ('chain_anchor', ?)", (anchor,))
    db.execute("DELETE FROM chain WHERE position < ?", (low,))


def _record(segment: Segment) -> dict[str, object]:
    return {"path": segment.path, "sm3": segment.sm3, "rows": segment.rows, "first": segment.first, "last": segment.last}


def set_consumer(db: sqlite3.Connection, name: str, position: int, state: bytes | None) -> None:
    """Move a consumer."""
    db.execute("INSERT OR REPLACE INTO consumers VALUES (?, ?, ?)", (name, position, state))


def add_counters(db: sqlite3.Connection, increments: dict[str, int]) -> None:
    """Add to the durable counters."""
    db.executemany(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        list(increments.items()),
    )


def add_quarantined(db: sqlite3.Connection, records: Sequence[Quarantined]) -> None:
    """Keep records aside; one that is there already is left as it is."""
    db.executemany(
        "INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?, ?)",
        [(r.id, r.time, r.source, r.origin, r.reason.encode("utf-8", "backslashreplace").decode(), r.raw) for r in records],
    )
