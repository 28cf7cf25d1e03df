"""The embedded event store: immutable Parquet segments, a SQLite manifest, DuckDB to ask.

::

    <root>/manifest.sqlite     which segments exist, consumers, counters, quarantine, hash chain
    <root>/hot/N.parquet       one file per commit, any days
    <root>/days/D/N.parquet    compacted
    <root>/lost/               segments that the manifest did not know
    <root>/writer.lock         held by the one writing process
    <root>/recent.ids          event.id values of the latest commits, see .recent
    <root>/reserve             room on the disk for retention

Any number of processes may read while one writes; they see whole commits only.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kernel.errors import StoreError
from kernel.event import Event
from kernel.query import Query
from kernel.store.contract import Bucket, Commit, FieldStatistics, Page, Quarantined, TimeRange
from kernel.store.lake import aggregate, compaction, field_statistics, recent, reserve, retention, writer
from kernel.store.lake.manifest import Manifest
from kernel.store.lake.reader import PATIENCE_SECONDS, Reader, ReplacedError
from kernel.store.lake.segment import DiskFullError
from kernel.store.lake.session import Session
from kernel.store.lake.verify import Verification, verify

_Answer = TypeVar("_Answer")
MAX_LIMIT = 100_000


class Lake:
    """Implements :class:`kernel.store.contract.EventStore`. Open one with :meth:`open`; safe to use from several threads."""

    def __init__(self, root: Path, *, writable: bool, demo: bool, patience: float) -> None:
        self.root = root
        self.writable = writable
        self.demo = demo
        self._mutex = threading.RLock()  # commits, one at a time
        self._upkeep = threading.Lock()  # compaction and retention, one at a time
        self._open_lock = threading.Lock()
        self._manifest: Manifest | None = None
        self._session = Session(root)
        self._reader = Reader(root, self._session, patience)
        self._lock: writer.WriterLock | None = None
        self._recent = recent.RecentIds()
        self._saved_at = -1  # position of the chain as of which they are written down
        self._damaged: set[int] = set()  # sequences that compaction leaves alone
        if writable:
            self._start_writing()

    @classmethod
    def open(cls, path: Path, *, writable: bool, demo: bool = False, patience: float = PATIENCE_SECONDS) -> Lake:
        """Open the lake in a folder; a writer makes it where there is none, a reader sees an empty one.

        demo      allows a retention shorter than the law asks
        patience  seconds after which one statement of a question is given up with QueryError

        Raises StoreError when another process writes already.
        """
        return cls(Path(path).absolute(), writable=writable, demo=demo, patience=patience)

    def _start_writing(self) -> None:
        try:
            for folder in (self.root, self.root / "hot", self.root / "days", self.root / "tmp"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make {self.root}: {error.strerror}", "check the data folder") from error
        self._lock = writer.WriterLock(self.root)
        try:
            self._manifest = Manifest(self.root / "manifest.sqlite", writable=True)
            writer.clear_leftovers(self.root, self._manifest)
            compaction.purge(self.root, self._manifest)
            self._recent = recent.remember(self._manifest, self._session, self.root)
            reserve.keep(self.root)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close files and free the writer's lock."""
        self._session.close()
        if self._manifest is not None:
            self._manifest.close()
            self._manifest = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _known(self) -> Manifest | None:
        """The manifest, or None while no writer has made one."""
        with self._open_lock:
            if self._manifest is None and (self.root / "manifest.sqlite").exists():
                self._manifest = Manifest(self.root / "manifest.sqlite", writable=False)
            return self._manifest

    def _writer(self) -> Manifest:
        if not self.writable or self._manifest is None:
            raise StoreError(f"{self.root} is open for reading only", "open it with writable=True")
        return self._manifest

    def _ask(self, question: Callable[[Manifest], _Answer], nothing: _Answer) -> _Answer:
        manifest = self._known()
        if manifest is None:
            return nothing
        for _ in range(4):
            try:
                return question(manifest)
            except ReplacedError:
                continue
        raise StoreError("segments vanish faster than they can be read", "run ./liandun store verify")

    # writing

    def commit(self, batch: Commit) -> None:
        """Store one batch atomically: when this returns it is on disk; when it raises StoreError nothing of it is stored."""
        manifest = self._writer()
        with self._mutex:
            writer.commit(self.root, manifest, self._recent, batch)

    def compact(self, *, everything: bool = False) -> int:
        """Merge small segments (cheap when nothing is due: call it once a minute); returns how many were replaced."""
        manifest = self._writer()
        with self._upkeep:
            compaction.purge(self.root, manifest)  # first: it may be the room that compaction needs
            replaced = compaction.compact(self.root, manifest, self._damaged, self._save_recent, everything=everything)
            reserve.keep(self.root)
        return replaced

    def _save_recent(self) -> None:
        """Before segments are merged, see .recent."""
        manifest = self._writer()
        with self._mutex:
            position, digest = manifest.head()
            ids = self._recent.copy()
        if position != self._saved_at:
            ids.save(self.root, position, digest)
            self._saved_at = position

    def purge(self, *, grace: float = compaction.GRACE_SECONDS) -> int:
        """Delete files of segments replaced at least ``grace`` seconds ago; returns how many."""
        manifest = self._writer()
        with self._upkeep:
            return compaction.purge(self.root, manifest, grace=grace)

    def retain(self, days: int, now: str) -> int:
        """Drop days older than ``days`` (see .ages); returns the number of events dropped. StoreError below 180, see .retention."""
        manifest = self._writer()
        with self._upkeep:
            try:
                return retention.retain(self.root, manifest, self._session, self._save_recent, days, now, demo=self.demo)
            except DiskFullError:
                with self._mutex:  # no commit takes the room
                    if not reserve.release(self.root):
                        raise
                    return retention.retain(self.root, manifest, self._session, self._save_recent, days, now, demo=self.demo)

    # reading

    def consumer(self, name: str) -> tuple[int, bytes | None]:
        """Position and state of the last commit of a consumer; ``(0, None)`` for a new one."""
        manifest = self._known()
        return manifest.consumer(name) if manifest else (0, None)

    def counters(self) -> dict[str, int]:
        """The durable counters."""
        return self._ask(lambda manifest: manifest.counters(), {})

    def search(
        self,
        query: Query,
        when: TimeRange,
        *,
        limit: int = 100,
        cursor: str = "",
        fields: Sequence[str] | None = None,
        count: bool = False,
    ) -> Page:
        """Newest first by (@timestamp, event.id), or as ``| sort`` says (then without further pages)."""
        limit = min(max(limit, 1), MAX_LIMIT)

        def question(manifest: Manifest) -> Page:
            page = self._reader.search(manifest, query, when, limit=limit, cursor=cursor, fields=fields)
            if count:  # a first page that is not full says it all
                alone = not cursor and len(page.events) < limit
                page.total = len(page.events) if alone else self._reader.count(manifest, query, when)
            page.damaged = sorted(self._reader.damaged)
            return page

        return self._ask(question, Page([], total=0 if count else None))

    def scan(
        self, query: Query, when: TimeRange, *, fields: Sequence[str], damaged: set[str] | None = None
    ) -> Iterator[list[Event]]:
        """All hits for an export, in the order of storage; segments that could not be read are added to ``damaged``.

        Each row group is read once, so it is many times faster than turning pages. Raises StoreError when compaction removes
        what is being read (it waits five minutes before it does): then the export has to begin again.
        """
        manifest = self._known()
        if manifest is None:
            return
        try:
            yield from self._reader.scan(manifest, query, when, fields)
        except ReplacedError as error:
            raise StoreError("segments were replaced while they were read", "export again, a shorter time at once") from error
        if damaged is not None:
            damaged.update(self._reader.damaged)

    def get(self, event_id: str, at: str = "") -> Event | None:
        """The whole event; with ``at`` (its @timestamp, where known) only what happened then is looked at, which is quick."""
        return self._ask(lambda manifest: self._reader.get(manifest, event_id, at), None)

    def count(self, query: Query, when: TimeRange) -> int:
        """Number of hits."""
        return self._ask(lambda manifest: self._reader.count(manifest, query, when), 0)

    def histogram(self, query: Query, when: TimeRange, *, buckets: int = 60, interval: int = 0) -> list[Bucket]:
        """``buckets`` equal slices, or slices of ``interval`` seconds aligned to the epoch."""
        return self._ask(lambda manifest: aggregate.histogram(self._reader, manifest, query, when, max(1, buckets), interval), [])

    def field_statistics(self, query: Query, when: TimeRange, field: str) -> FieldStatistics:
        """Counts and numbers of one field among the hits."""
        nothing = FieldStatistics(0, 0, 0)
        return self._ask(lambda manifest: field_statistics.of(self._reader, manifest, query, when, field), nothing)

    def top(self, query: Query, when: TimeRange, field: str, *, limit: int = 10) -> list[Bucket]:
        """Most frequent values of a field, most frequent first."""
        return self._ask(lambda manifest: aggregate.top(self._reader, manifest, query, when, field, limit), [])

    def quarantine(self, *, limit: int = 100, before: str = "") -> list[Quarantined]:
        """Newest first; ``before`` is the id of the last one seen."""
        return self._ask(lambda manifest: manifest.quarantined(limit, before), [])

    def statistics(self) -> dict[str, Any]:
        """events, bytes, index_bytes, segments, unindexed, earliest, latest, by_dataset, quarantined, damaged."""

        def question(manifest: Manifest) -> dict[str, Any]:
            live = manifest.live()
            datasets: Counter[str] = Counter()
            for segment in live:
                datasets.update(segment.datasets)
            return {
                "events": sum(segment.rows for segment in live),
                "bytes": sum(segment.bytes for segment in live),
                "index_bytes": sum(segment.index.length for segment in live),
                "unindexed": sum(segment.index.length == 0 for segment in live),
                "segments": len(live),
                "earliest": min((segment.first for segment in live), default=""),
                "latest": max((segment.last for segment in live), default=""),
                "by_dataset": dict(datasets.most_common()),
                "quarantined": manifest.quarantine_size(),
                "damaged": dict(self._reader.damaged),
            }

        nothing = {
            "events": 0,
            "bytes": 0,
            "index_bytes": 0,
            "unindexed": 0,
            "segments": 0,
            "earliest": "",
            "latest": "",
            "by_dataset": {},
            "quarantined": 0,
            "damaged": {},
        }
        return self._ask(question, nothing)

    def verify(self, progress: Callable[[int, int], None] = lambda done, total: None) -> Verification:
        """Recompute the SM3 of every segment and the chain; ``progress`` is told bytes done and bytes in all."""
        return self._ask(lambda manifest: verify(self.root, manifest, progress), Verification(0, 0, 0, "", []))
