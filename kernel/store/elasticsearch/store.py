"""The event store on an Elasticsearch cluster. See docs/event-store.md.

::

    liandun-events-<namespace>       data stream: one document per event
    liandun-quarantine-<namespace>   records that could not be understood
    liandun-state-<namespace>        two documents: where the last commit ended, what retention dropped
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Literal

import elasticsearch
import msgspec

from crypto.secret import MasterKey
from kernel.config import StoreElasticsearch
from kernel.errors import StoreError
from kernel.event import Event, timestamp_from_micros
from kernel.query import Query
from kernel.query.tree import And, Exists, Match
from kernel.store.contract import Bucket, Commit, FieldStatistics, Page, Quarantined, TimeRange
from kernel.store.elasticsearch import aggregate, field_statistics, install, quarantine, retention, sorting, state
from kernel.store.elasticsearch.document import document_id
from kernel.store.elasticsearch.fields import AS_WRITTEN, MOMENT
from kernel.store.elasticsearch.generations import Generations
from kernel.store.elasticsearch.mapping import Names
from kernel.store.elasticsearch.reader import Question, Reader, after_cursor, only
from kernel.store.elasticsearch.server import Capabilities, Server
from kernel.store.elasticsearch.writer import Writer
from kernel.store.lake.columns import LIST_FIELDS

MAX_LIMIT = 100_000
PATIENCE_SECONDS = 60.0
_MOST_DATASETS = 1_000


class Examination(msgspec.Struct, frozen=True):
    """What ``liandun doctor`` tells: ``health`` is green, yellow, red or "" (not allowed to ask)."""

    server: str
    health: str
    nodes: int
    templates: Literal["", "current", "other"]


class ElasticsearchStore:
    """Implements :class:`kernel.store.contract.EventStore`; safe to use from several threads.

    writable    the one process that commits; others read
    master_key  gives the key that opens sealed secrets of the settings
    demo        allows a retention shorter than the law asks
    patience    seconds after which a question is given up with QueryError

    Nothing is asked of the server before the first call.
    """

    def __init__(
        self,
        settings: StoreElasticsearch,
        *,
        writable: bool,
        master_key: Callable[[], MasterKey] | None = None,
        demo: bool = False,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.settings = settings
        self.writable = writable
        self.demo = demo
        self.names = Names(settings.prefix, settings.namespace)
        self.server = Server(settings, master_key=master_key, patience=patience)
        self._generations = Generations(self.server, self.names)
        self._reader = Reader(self.server, self.names)
        self._writer = Writer(self.server, self.names, self._generations)
        self._mutex = threading.Lock()  # commits, rollover and retention, one at a time
        self._capabilities: Capabilities | None = None

    def close(self) -> None:
        """Close the connections."""
        self.server.close()

    def examine(self) -> Examination:
        """Ask the server about itself, for ``liandun doctor``. Raises StoreError where it cannot be used."""
        capabilities = self.server.capabilities()
        health = self.server.cluster_health()
        found = install.installed(self.server, self.names)
        current = install.policy_of(self.names, self.settings, found) is not None
        templates: Literal["", "current", "other"] = "current" if current else "other" if found else ""
        return Examination(str(capabilities), str(health.get("status", "")), int(health.get("number_of_nodes", 1)), templates)

    # writing

    def _ready(self) -> Capabilities:
        if not self.writable:
            raise StoreError(f"{self.names.events} is open for reading only", "open it with writable=True")
        if self._capabilities is None:
            self._capabilities = install.install(self.server, self.names, self.settings, self._generations)
        return self._capabilities

    def commit(self, batch: Commit) -> None:
        """Store one batch: when this returns it is on the disks of the cluster; when it raises StoreError nothing of it shows."""
        with self._mutex:
            self._ready()
            try:
                self._writer.commit(batch)
            finally:
                self._reader.forget()

    def compact(self, *, everything: bool = False) -> int:
        """Upkeep: begin a new backing index when one is due (``everything``: now), unless the server's ILM does. Returns 0 or 1."""
        with self._mutex:
            capabilities = self._ready()
            if everything:
                return int(bool(self._generations.all()) and install.roll_over(self.server, self.names))
            if capabilities.lifecycle:
                return 0
            return int(install.roll_over_if_due(self.server, self.names, self._generations))

    def retain(self, days: int, now: str) -> int:
        """Drop whole days older than ``days``; returns the number of events dropped. StoreError below 180."""
        with self._mutex:
            self._ready()
            return retention.retain(self.server, self.names, self._reader, self._generations, days, now, demo=self.demo)

    # reading

    def consumer(self, name: str) -> tuple[int, bytes | None]:
        """Position and state of the last commit of a consumer; ``(0, None)`` for a new one."""
        current = state.load(self.server, self.names, saved=True).state
        saved = current.saved.get(name)
        return current.positions.get(name, 0), state.unpack(saved) if saved is not None else None

    def counters(self) -> dict[str, int]:
        """The durable counters."""
        return dict(state.load(self.server, self.names, saved=False).state.counters)

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
        names = tuple(fields) if fields is not None else query.fields or LIST_FIELDS
        after = after_cursor(cursor)

        def act(question: Question) -> Page:
            sort = query.sort
            if sort is not None and not (sort.field == "@timestamp" and sort.descending):
                events = sorting.in_order(self._reader, question, sort, limit, names)
                page = Page([only(event, names) for event in events])
            else:
                hits = self._reader.hits(question, fields=names, after=after, page=min(limit, _FIRST_PAGE))
                events = [hit.event for hit in islice(hits, limit)]
                full = len(events) == limit
                following = f"{events[-1]['@timestamp']}~{events[-1]['event.id']}" if full else ""
                page = Page([only(event, names) for event in events], following)
            page.damaged = sorted(self._reader.damaged)
            if count:
                page.total = self._reader.count(question)
            return page

        return self._reader.asked(query, when, act)

    def get(self, event_id: str, at: str = "") -> Event | None:
        """The whole event; ids are looked up in every backing index at once, so ``at`` makes it no quicker."""
        event = self._reader.get(document_id(event_id), self._reader.snapshot())
        return event if event is None or not at or event.get("@timestamp") == at else None

    def count(self, query: Query, when: TimeRange) -> int:
        """Number of hits."""
        return self._reader.asked(query, when, self._reader.count)

    def histogram(self, query: Query, when: TimeRange, *, buckets: int = 60, interval: int = 0) -> list[Bucket]:
        """``buckets`` equal slices, or slices of ``interval`` seconds aligned to the epoch."""
        return self._reader.asked(
            query, when, lambda question: aggregate.histogram(self._reader, question, when, max(1, buckets), interval)
        )

    def field_statistics(self, query: Query, when: TimeRange, field: str) -> FieldStatistics:
        """Counts and numbers of one field among the hits."""
        having = Query(query.text, And((query.root, Match(field, Exists()))))
        found = FieldStatistics(self.count(query, when), self.count(having, when), 0)
        if found.present:
            self._reader.asked(having, when, lambda question: field_statistics.fill(self._reader, question, field, found))
        return found

    def top(self, query: Query, when: TimeRange, field: str, *, limit: int = 10) -> list[Bucket]:
        """Most frequent values of a field, most frequent first."""
        return self._reader.asked(query, when, lambda question: aggregate.top(self._reader, question, field, limit))

    def quarantine(self, *, limit: int = 100, before: str = "") -> list[Quarantined]:
        """Newest first; ``before`` is the id of the last one seen."""
        return quarantine.newest(self.server, self.names, self._reader.snapshot().state.sequence, limit, before)

    def statistics(self) -> dict[str, Any]:
        """events, bytes, segments, earliest, latest, by_dataset, quarantined, damaged."""
        snapshot = self._reader.snapshot()
        visible = self._reader.in_sight(snapshot, TimeRange())
        answer = self._reader.run(
            {
                "query": {"bool": {"filter": [visible]}},
                "size": 0,
                "track_total_hits": True,
                "aggs": {
                    "first": {"min": {"field": MOMENT}},
                    "last": {"max": {"field": MOMENT}},
                    "datasets": {"terms": {"field": "event.dataset" + AS_WRITTEN, "size": _MOST_DATASETS}},
                },
            }
        )
        found = answer.get("aggregations", {})
        events = int(answer["hits"].get("total", {"value": 0})["value"])
        first, last = found.get("first", {}).get("value"), found.get("last", {}).get("value")
        size, segments = self._size()
        return {
            "events": events,
            "bytes": size,
            "segments": segments,
            "earliest": timestamp_from_micros(int(first)) if first is not None else "",
            "latest": timestamp_from_micros(int(last)) if last is not None else "",
            "by_dataset": _datasets(found.get("datasets", {}).get("buckets", ()), events),
            "quarantined": quarantine.number(self.server, self.names, snapshot.state.sequence),
            "damaged": dict(self._reader.damaged),
        }

    def _size(self) -> tuple[int, int]:
        """Bytes on disk (copies included) and number of Lucene segments."""

        def question(client: elasticsearch.Elasticsearch) -> Any:
            try:
                return client.indices.stats(index=self.names.events, metric="store,segments")
            except (elasticsearch.NotFoundError, elasticsearch.AuthorizationException):
                return {}

        total = self.server.ask(question).get("_all", {}).get("total", {})
        return int(total.get("store", {}).get("size_in_bytes", 0)), int(total.get("segments", {}).get("count", 0))


_FIRST_PAGE = 1_000


def _datasets(buckets: Sequence[dict[str, Any]], events: int) -> dict[str, int]:
    """As the lake tells them: events without a printable dataset under ``(none)``."""
    counted = {str(bucket["key"]): int(bucket["doc_count"]) for bucket in buckets if str(bucket["key"]).isprintable()}
    if rest := events - sum(counted.values()):
        counted["(none)"] = rest
    return dict(sorted(counted.items(), key=lambda entry: -entry[1]))
