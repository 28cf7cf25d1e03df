"""Searching: which events are in sight, pages, and reading candidates where the server cannot decide alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import elasticsearch
import msgspec

from kernel.errors import QueryError
from kernel.event import Event
from kernel.query import Query, matches
from kernel.query.tree import FREE_TEXT_FIELDS, And, Match, Node, Not, Or
from kernel.store.contract import TimeRange
from kernel.store.elasticsearch import state
from kernel.store.elasticsearch.bounds import Bounds, Dsl, both, without
from kernel.store.elasticsearch.condition import Condition
from kernel.store.elasticsearch.document import decode, key_of, micros
from kernel.store.elasticsearch.fields import ASIDE, KEY, MOMENT, SEQUENCE
from kernel.store.elasticsearch.mapping import Names
from kernel.store.elasticsearch.server import Server, TooComplexError
from kernel.store.elasticsearch.state import Snapshot

MOST_READ = 200_000
"""Events that one question may read to decide what the server cannot."""

_PAGE = 2_000
_SNAPSHOT_SECONDS = 1.0
_SURE = "sure"
NEWEST_FIRST: list[Dsl] = [{MOMENT: {"order": "desc"}}, {KEY: {"order": "desc"}}]

_Answer = TypeVar("_Answer")


class Hit(msgspec.Struct):
    """An event that was found. ``place`` is where it stands in the order (search_after)."""

    event: Event
    place: list[Any]
    sure: bool


class Question(msgspec.Struct):
    """A query over a time range at one moment: ``bounds`` hold what matches, already within what is in sight."""

    query: Query
    bounds: Bounds
    snapshot: Snapshot

    @property
    def unsure(self) -> Dsl:
        """What has to be read to be counted."""
        return both([self.bounds.maybe, without(self.bounds.surely)])


class Reader:
    """Answers from the data stream; safe in many threads and many processes at once."""

    def __init__(self, server: Server, names: Names) -> None:
        self.server = server
        self.names = names
        self.damaged: dict[str, str] = {}
        """Shards that did not answer last time, with the reason."""
        self._lock = threading.Lock()
        self._snapshot = Snapshot()
        self._taken = float("-inf")
        self._may_refresh = True

    # what is in sight

    def snapshot(self) -> Snapshot:
        """The last finished commit. Asked at most once a second; :meth:`forget` makes a commit of this process visible at once."""
        with self._lock:
            if time.monotonic() - self._taken < _SNAPSHOT_SECONDS:
                return self._snapshot
            fresh = state.load(self.server, self.names, saved=False)
            if fresh.state.sequence != self._snapshot.state.sequence:
                self._refresh()
            self._snapshot, self._taken = fresh, time.monotonic()
            return fresh

    def forget(self) -> None:
        """After a commit: look anew."""
        with self._lock:
            self._taken = float("-inf")

    def _refresh(self) -> None:
        """Without the privilege (``maintenance``) the server does it by itself within a second."""
        if not self._may_refresh:
            return
        both_indices = [self.names.events, self.names.quarantine]

        def question(client: elasticsearch.Elasticsearch) -> None:
            try:
                client.indices.refresh(index=both_indices, ignore_unavailable=True, allow_no_indices=True)
            except elasticsearch.AuthorizationException:
                self._may_refresh = False

        self.server.ask(question)

    def in_sight(self, snapshot: Snapshot, when: TimeRange) -> Dsl:
        """Events of finished commits within a time range, without those that retention dropped."""
        parts: list[Dsl] = [{"range": {SEQUENCE: {"lte": snapshot.state.sequence}}}]
        ends = {}
        if when.start:
            ends["gte"] = moment(when.start)
        if when.end:
            ends["lt"] = moment(when.end)
        if ends:
            parts.append({"range": {MOMENT: ends}})
        retained = snapshot.retained
        if retained.sequence and ("gte" not in ends or ends["gte"] < retained.before):
            parts.append(without(state.dropped(retained)))
        return both(parts)

    def asked(self, query: Query, when: TimeRange, act: Callable[[Question], _Answer]) -> _Answer:
        """Compile and ask; once more in a simpler way where the server finds a pattern too complex."""
        snapshot = self.snapshot()
        visible = self.in_sight(snapshot, when)

        def question(simple: bool) -> Question:
            inner = Condition(snapshot.state.layout, simple=simple).bounds(query.root)
            maybe = both([visible, inner.maybe])
            surely = maybe if inner.exact else both([visible, inner.surely])
            return Question(query, Bounds(surely, maybe), snapshot)

        try:
            return act(question(simple=False))
        except TooComplexError:
            pass
        try:
            return act(question(simple=True))
        except TooComplexError as error:
            raise QueryError(f"the store cannot run this query: {error}", "simplify it") from error

    def run(self, body: dict[str, Any], index: str = "") -> dict[str, Any]:
        """One search over the events, or one backing ``index`` of them; remembers shards that did not answer."""
        answer = self.server.search(body, index or self.names.events)
        failures = answer["_shards"].get("failures", ())
        self.damaged = {
            f"{failure.get('index')}[{failure.get('shard')}]": str(failure.get("reason", {}).get("reason", "no answer"))[:200]
            for failure in failures
        }
        if answer["_shards"].get("failed") and not failures:
            self.damaged = {self.names.events: f"{answer['_shards']['failed']} shards do not answer"}
        return answer

    # hits

    def hits(
        self,
        question: Question,
        *,
        fields: Sequence[str],
        order: Sequence[Dsl] = NEWEST_FIRST,
        after: list[Any] | None = None,
        page: int = _PAGE,
    ) -> Iterator[Hit]:
        """Matching events in an order, verified where needed. Raises QueryError when too many had to be read in vain."""
        bounds = question.bounds
        started = time.monotonic()
        rejected = 0
        while True:
            found = self._page(bounds.maybe, None if bounds.exact else bounds.surely, question.query, fields, order, after, page)
            for hit in found:
                after = hit.place
                if hit.sure or matches(question.query, hit.event):
                    yield hit
                else:
                    rejected += 1
            if len(found) < page:
                return
            if rejected > MOST_READ or (rejected and time.monotonic() - started > self.server.patience):
                raise self.too_many(rejected)
            page = min(page * 2, _PAGE) if rejected == 0 else _PAGE

    def _page(
        self,
        maybe: Dsl,
        surely: Dsl | None,
        query: Query,
        fields: Sequence[str],
        order: Sequence[Dsl],
        after: list[Any] | None,
        size: int,
    ) -> list[Hit]:
        condition: Dsl = {"filter": [maybe]}
        if surely is not None:
            condition["should"] = [{"bool": {"filter": [surely], "_name": _SURE}}]
        body: dict[str, Any] = {
            "query": {"bool": condition},
            "size": size,
            "sort": list(order),
            "track_total_hits": False,
            "_source": _source(fields if surely is None else [*fields, *fields_of(query.root)]),
        }
        if after is not None:
            body["search_after"] = after
        return [
            Hit(decode(hit["_source"]), hit["sort"], surely is None or _SURE in hit.get("matched_queries", ()))
            for hit in self.run(body)["hits"]["hits"]
        ]

    def read(self, question: Question, which: Dsl, fields: Sequence[str]) -> Iterator[Event]:
        """All events of ``which`` that the query matches, asked of the matcher. Raises QueryError beyond ``MOST_READ``."""
        number = self.number(which)
        if number > MOST_READ:
            raise self.too_many(number)
        if number:
            narrowed = Question(question.query, Bounds({"match_none": {}}, which), question.snapshot)
            for hit in self.hits(narrowed, fields=fields):
                yield hit.event

    def too_many(self, number: int) -> QueryError:
        return QueryError(
            f"{number} events would have to be read one by one to answer this, at most {MOST_READ} are",
            "ask for a shorter time range, or add a condition that the server can decide (docs/event-store.md)",
        )

    def number(self, which: Dsl) -> int:
        """How many documents match, without reading them."""
        answer = self.run({"query": {"bool": {"filter": [which]}}, "size": 0, "track_total_hits": True})
        return int(answer["hits"].get("total", {"value": 0})["value"])

    def count(self, question: Question) -> int:
        """How many events match."""
        if question.bounds.exact:
            return self.number(question.bounds.maybe)
        sure = self.number(question.bounds.surely)
        return sure + sum(1 for _ in self.read(question, question.unsure, ()))

    def get(self, identifier: str, snapshot: Snapshot) -> Event | None:
        """The whole event of a document."""
        which = both([self.in_sight(snapshot, TimeRange()), {"terms": {"_id": [identifier]}}])
        body = {"query": {"bool": {"filter": [which]}}, "size": 1, "sort": NEWEST_FIRST, "track_total_hits": False}
        hits = self.run(body)["hits"]["hits"]
        return decode(hits[0]["_source"]) if hits else None


def fields_of(node: Node) -> list[str]:
    """Fields that a condition looks at."""
    if isinstance(node, Match):
        return [node.field] if node.field else list(FREE_TEXT_FIELDS)
    if isinstance(node, Not):
        return fields_of(node.part)
    assert isinstance(node, (And, Or))
    return [field for part in node.parts for field in fields_of(part)]


def _source(fields: Sequence[str]) -> Any:
    if "*" in fields:
        return True
    return ["@timestamp", "event.id", ASIDE, *sorted({field for field in fields if "*" not in field})]


def only(event: Event, names: Sequence[str]) -> Event:
    """The fields that were asked for."""
    if "*" in names:
        return event
    wanted = {"@timestamp", "event.id", *names}
    return {name: value for name, value in event.items() if name in wanted}


def after_cursor(cursor: str) -> list[Any] | None:
    """Where a page begins. Cursors look like those of the lake: ``<@timestamp>~<event.id>``."""
    if not cursor:
        return None
    time_text, mark, identifier = cursor.partition("~")
    at = micros(time_text)
    if not mark or at is None:
        raise QueryError("the page mark is not valid", "start again from the first page")
    return [at, key_of(identifier)]


def moment(text: str) -> int:
    """Microseconds of an @timestamp text. Raises QueryError."""
    try:
        delta = datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except ValueError as error:
        raise QueryError(f"{text[:40]!r} is no time", "write 2026-11-23T04:40:00.000000Z") from error
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
