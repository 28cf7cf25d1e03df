"""The bulk call: in pieces of bounded size, with patience for a busy server, item by item."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import orjson

from kernel.errors import StoreError
from kernel.store.elasticsearch.server import Server

MOST_BYTES = 8 << 20
MOST_ITEMS = 5_000
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
_BUSY = (429, 503)
_FILTER = "errors,items.*._index,items.*._id,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by"


class Operation(msgspec.Struct):
    """One line or two of a bulk body. ``identifier`` is the document's ``_id``; ``body`` empty for a deletion."""

    action: str  # create | delete
    index: str
    identifier: str
    body: bytes = b""

    def lines(self) -> list[bytes]:
        head = orjson.dumps({self.action: {"_index": self.index, "_id": self.identifier}})
        return [head, self.body] if self.body else [head]


class Outcome(msgspec.Struct):
    """What became of an operation. ``index`` is the backing index it went to."""

    operation: Operation
    status: int
    index: str
    reason: str = ""


def run(server: Server, operations: Sequence[Operation]) -> list[Outcome]:
    """Perform all; what the server was too busy for is tried again. Raises StoreError when it stays busy or away."""
    done: list[Outcome] = []
    for piece in _pieces(operations):
        waiting = list(piece)
        for pause in (*_PAUSES, None):
            outcomes = _once(server, waiting)
            done += [outcome for outcome in outcomes if outcome.status not in _BUSY]
            refused = [outcome for outcome in outcomes if outcome.status in _BUSY]
            if not refused:
                break
            if pause is None:
                raise StoreError(
                    f"Elasticsearch is too busy to take {len(refused)} documents: {refused[0].reason[:200]}", "it is tried again"
                )
            time.sleep(pause)
            waiting = [outcome.operation for outcome in refused]
    return done


def _once(server: Server, operations: Sequence[Operation]) -> list[Outcome]:
    lines: list[Any] = [line for operation in operations for line in operation.lines()]
    answer = server.ask(lambda client: client.bulk(operations=lines, filter_path=_FILTER))
    outcomes = []
    for operation, item in zip(operations, answer["items"], strict=True):
        (facts,) = item.values()
        outcomes.append(Outcome(operation, int(facts["status"]), str(facts.get("_index", "")), _reason(facts.get("error"))))
    return outcomes


def _reason(error: Any) -> str:
    if not isinstance(error, dict):
        return ""
    cause = error.get("caused_by") or {}
    return f"{error.get('type', '')}: {error.get('reason', '')} {cause.get('reason', '')}".strip()


def _pieces(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    piece: list[Operation] = []
    size = 0
    for operation in operations:
        if piece and (size + len(operation.body) > MOST_BYTES or len(piece) >= MOST_ITEMS):
            yield piece
            piece, size = [], 0
        piece.append(operation)
        size += len(operation.body) + 100
    if piece:
        yield piece
