"""Commits: events, quarantined records, and last the state document that makes them count.

Invariants, in this order (they make a kill at any moment harmless):

1. Every document carries ``sequence`` = number of the commit it belongs to, one more than that of the last finished commit.
2. ``_id`` is made of ``event.id``: an event that is delivered again is refused by the server (409), also after a rollover
   (:mod:`.generations`).
3. The state document is looked at first and written last, with ``if_seq_no``: two writers cannot both finish a commit.
4. A commit that did not finish leaves documents of a sequence that nobody looks at. They are deleted before the next commit. One
   that arrives even later is recognised by its sequence and counts as stored, not as a duplicate.
5. When the answer to the state document is lost, the digest of the batch tells whether the commit was finished.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from collections.abc import Sequence
from typing import Any

import orjson

from kernel.ecs_fields import FIELD_TYPES
from kernel.errors import StoreError
from kernel.event import Event
from kernel.store.contract import Commit, Quarantined
from kernel.store.elasticsearch import bulk, state
from kernel.store.elasticsearch.bulk import Operation, Outcome
from kernel.store.elasticsearch.document import Document, document_id, encode, encode_bare
from kernel.store.elasticsearch.fields import MOST_DYNAMIC, OWN, SEQUENCE, Layout
from kernel.store.elasticsearch.generations import Generations, chunks
from kernel.store.elasticsearch.mapping import Names
from kernel.store.elasticsearch.server import Server, refused_by_rights
from kernel.store.elasticsearch.state import State

log = logging.getLogger(__name__)

DUPLICATES = "store.duplicates"
"""Durable counter of events dropped because their event.id was stored already."""

CONFLICT = 409
REFUSED = 400
"""A document that does not fit the mapping."""

_PAGE = 5_000


class Writer:
    """The one writer of a store; not safe in several threads at once (the store serialises)."""

    def __init__(self, server: Server, names: Names, generations: Generations) -> None:
        self._server = server
        self._names = names
        self._generations = generations
        self._token = secrets.token_hex(8)
        self._claimed = False
        self._uncertain = True  # what stands on the server may be more than the last finished commit
        self._pending = ""
        self._state = State()
        self._dynamic: set[str] = set()
        self._dynamic_of = ""

    def commit(self, batch: Commit) -> None:
        """Raises StoreError; then nothing of the batch shows, and it can be committed again."""
        digest = _digest(batch)
        if not self._uncertain and state.version(self._server, self._names) != self._state.version:
            self._uncertain = True  # somebody else has written: settle says who
        if self._uncertain and self._settle(digest):
            return
        before = self._state
        if batch.consumer:
            position = before.positions.get(batch.consumer, 0)
            if batch.position < position or (batch.events and batch.position == position):
                raise StoreError(
                    f"{batch.consumer} stands at {position} already, it cannot commit {batch.position}", "read the position again"
                )
        unique = _unique(batch.events)
        self._learn_dynamic()
        documents = [encode(event, self._may_be_native) for event in unique.values()]
        self._pending, self._uncertain = digest, True
        layout, known = self._store_events(documents, unique, before.sequence + 1)
        self._store_quarantined(batch.quarantined, before.sequence + 1)
        counters = dict(batch.counters)
        if duplicates := len(batch.events) - len(unique) + known:
            counters[DUPLICATES] = counters.get(DUPLICATES, 0) + duplicates
        after = _following(before, batch, counters, layout)
        after.writer, after.commit = self._token, digest
        state.save(self._server, self._names, after)
        self._state, self._claimed, self._uncertain = after, True, False

    def _settle(self, digest: str) -> bool:
        """Read where the store stands and clear what an unfinished commit left; True when this very batch was finished."""
        current = state.load(self._server, self._names, saved=True).state
        if self._claimed and current.writer != self._token:
            raise StoreError(
                "another process writes to this store by now", "one writer per store: stop that one, then restart this one"
            )
        self._state = current
        if current.writer == self._token and current.commit == digest == self._pending:
            self._claimed, self._uncertain = True, False
            return True
        for index in (self._names.events, self._names.quarantine):
            field = SEQUENCE if index == self._names.events else "sequence"
            cleared = delete_matching(self._server, index, {"range": {field: {"gt": current.sequence}}})
            if cleared:
                log.warning("%d documents of a commit that was never finished removed from %s", cleared, index)
        self._uncertain = False
        return False

    # events

    def _store_events(self, documents: list[Document], unique: dict[str, Event], sequence: int) -> tuple[Layout, int]:
        """Returns what the layout gains, and how many of the events were stored before this commit."""
        by_id = {document.identifier: document for document in documents}
        earlier = self._generations.sequences(list(by_id), self._generations.recent_before())
        fresh = [document for identifier, document in by_id.items() if identifier not in earlier]
        known = sum(1 for number in earlier.values() if number != sequence)
        outcomes = bulk.run(self._server, [self._create(document, sequence) for document in fresh])
        for arrival in (True, False):
            refused = [outcome for outcome in outcomes if outcome.status == REFUSED]
            if not refused:
                break
            log.warning("%d events kept aside from the mapping, first: %s", len(refused), refused[0].reason[:200])
            bare = [encode_bare(unique[by_id[outcome.operation.identifier].event_id], arrival=arrival) for outcome in refused]
            by_id |= {document.identifier: document for document in bare}
            outcomes = [o for o in outcomes if o not in refused]
            outcomes += bulk.run(self._server, [self._create(document, sequence) for document in bare])
        _all_stored("event", outcomes)
        known += self._of_other_commits([o for o in outcomes if o.status == CONFLICT], sequence)
        known += self._twice_across_rollover([o for o in outcomes if o.status != CONFLICT])
        layout = Layout()
        for outcome in outcomes:
            layout |= by_id[outcome.operation.identifier].layout
        return layout, known

    def _create(self, document: Document, sequence: int) -> Operation:
        return Operation("create", self._names.events, document.identifier, document.encoded(sequence))

    def _of_other_commits(self, conflicts: Sequence[Outcome], sequence: int) -> int:
        """How many of the ids that exist already belong to earlier commits; the others an earlier try of this one has written."""
        found = 0
        for part in chunks(conflicts, _PAGE):
            wanted = [{"_index": self._index_of(outcome), "_id": outcome.operation.identifier} for outcome in part]
            found += sum(1 for number in self._sequences(wanted) if number != sequence)
        return found

    def _sequences(self, wanted: list[dict[str, str]]) -> list[int]:
        answer = self._server.ask(lambda client: client.mget(docs=wanted, source_includes=[SEQUENCE]))
        return [int(document["_source"].get(SEQUENCE, 0)) for document in answer["docs"] if document.get("found")]

    def _index_of(self, outcome: Outcome) -> str:
        return outcome.index if outcome.index.startswith(".ds-") else self._generations.written()

    def _twice_across_rollover(self, created: Sequence[Outcome]) -> int:
        """Somebody else rolled the stream over: look up ids that went to the new index in those before, and take doubles out."""
        new = {outcome.index for outcome in created if not self._generations.knows(outcome.index)}
        if not new:
            return 0
        self._generations.all(fresh=True)
        doubled: list[Operation] = []
        for index in new:
            there = [outcome.operation.identifier for outcome in created if outcome.index == index]
            known = self._generations.sequences(there, self._generations.recent_before(index))
            doubled += [Operation("delete", index, identifier) for identifier in sorted(known)]
        bulk.run(self._server, doubled)
        return len(doubled)

    def _learn_dynamic(self) -> None:
        """Which names have a mapping of their own in the index that is written."""
        index = self._generations.written()
        if index == self._dynamic_of:
            return
        self._dynamic = set()
        if index:
            answer = self._server.ask(lambda client: client.indices.get_mapping(index=index))
            properties = answer[index]["mappings"].get("properties", {})
            self._dynamic = {name for name in properties if name not in FIELD_TYPES and not name.startswith(OWN)}
        self._dynamic_of = index

    def _may_be_native(self, field: str) -> bool:
        if field in FIELD_TYPES or field in self._dynamic:
            return True
        if len(self._dynamic) >= MOST_DYNAMIC:
            return False
        self._dynamic.add(field)
        return True

    # the rest

    def _store_quarantined(self, records: Sequence[Quarantined], sequence: int) -> None:
        """A record that is there already is left as it is."""
        operations = [
            Operation("create", self._names.quarantine, document_id(record.id), _quarantined(record, sequence))
            for record in records
        ]
        _all_stored("quarantined record", bulk.run(self._server, operations))


def _all_stored(what: str, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.status in (401, 403):
            raise refused_by_rights(outcome.reason)
        if outcome.status not in (200, 201, CONFLICT):
            raise StoreError(f"{what} {outcome.operation.identifier} cannot be stored: {outcome.reason[:300]}")


def _unique(events: Sequence[Event]) -> dict[str, Event]:
    unique: dict[str, Event] = {}
    for event in events:
        identifier = event.get("event.id")
        if not isinstance(identifier, str):
            raise StoreError(f"an event without event.id text cannot be stored: {str(event)[:200]}")
        unique.setdefault(identifier, event)
    return unique


def _following(before: State, batch: Commit, counters: dict[str, int], layout: Layout) -> State:
    after = State(
        sequence=before.sequence + 1,
        positions=dict(before.positions),
        saved=dict(before.saved),
        counters=dict(before.counters),
        layout=before.layout | layout,
        version=before.version,
    )
    if batch.consumer:
        after.positions[batch.consumer] = batch.position
        after.saved.pop(batch.consumer, None)
        if batch.state is not None:
            after.saved[batch.consumer] = state.pack(batch.state)
    for name, number in counters.items():
        after.counters[name] = after.counters.get(name, 0) + number
    return after


def _quarantined(record: Quarantined, sequence: int) -> bytes:
    return orjson.dumps(
        {
            "id": record.id,
            "time": record.time,
            "source": record.source,
            "origin": record.origin,
            "reason": record.reason.encode("utf-8", "backslashreplace").decode(),
            "raw": base64.b64encode(record.raw).decode(),
            "sequence": sequence,
        }
    )


def _digest(batch: Commit) -> str:
    digest = hashlib.sha256(f"{batch.consumer}\0{batch.position}\0{len(batch.events)}\0{len(batch.quarantined)}".encode())
    for event in batch.events:
        digest.update(str(event.get("event.id")).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def delete_matching(server: Server, index: str, query: dict[str, Any], *, most: int = 1 << 62) -> int:
    """Delete what matches, page by page (works where the server has no by-query calls); returns how many."""
    server.ask(lambda client: client.indices.refresh(index=index, ignore_unavailable=True, allow_no_indices=True))
    deleted = 0
    while deleted < most:
        body = {
            "query": {"bool": {"filter": [query]}},
            "_source": False,
            "size": _PAGE,
            "sort": ["_doc"],
            "track_total_hits": False,
        }
        hits = server.search(body, index)["hits"]["hits"]
        if not hits:
            break
        outcomes = bulk.run(server, [Operation("delete", hit["_index"], hit["_id"]) for hit in hits])
        failed = [outcome for outcome in outcomes if outcome.status not in (200, 404)]
        if failed:
            raise StoreError(f"{failed[0].operation.identifier} cannot be deleted: {failed[0].reason[:200]}")
        deleted += len(hits)
        server.ask(lambda client: client.indices.refresh(index=index, ignore_unavailable=True, allow_no_indices=True))
    return deleted
