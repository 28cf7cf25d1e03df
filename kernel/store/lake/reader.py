"""Searching the lake: the segments of the time range from the manifest, newest first, with an early stop."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import orjson

from kernel.errors import QueryError, StoreError
from kernel.event import Event, timestamp
from kernel.query import Query
from kernel.query.tree import And, Node
from kernel.store.contract import Page, TimeRange
from kernel.store.lake.asked import Asked, moment
from kernel.store.lake.columns import CORE, CORE_SET, LIST_FIELDS, LONG_COLUMNS, REST, SEPARATOR, Layout, quoted
from kernel.store.lake.condition import Condition, json_pointer
from kernel.store.lake.manifest import Manifest, Segment
from kernel.store.lake.session import Session
from kernel.store.lake.source import Indexes, Part, table, whole
from kernel.store.stopping import calling
from kernel.store.time_limit import time_left, too_long

log = logging.getLogger(__name__)

_FIRST_CHUNK = 100_000
"""Rows looked through at first, at most."""

_GROWTH = (1, 16)
"""Each further step takes between so many and so many times the rows of all steps before it."""

_SCAN_ROWS = 16_384
"""Rows looked through at a time by a scan: two row groups, read once each."""

_FIRST_LOOK = 5
"""A list looks at so many times its rows first: often the newest segments hold them all."""

PATIENCE_SECONDS = 60.0
"""One statement that takes longer is given up, so that nobody can hold the console's threads with a costly question."""


class ReplacedError(Exception):
    """A segment of the list was replaced by compaction and removed meanwhile: ask again with a fresh list."""


class Reader:
    """Answers queries from immutable segments; safe in many threads and many processes at once."""

    def __init__(self, root: Path, session: Session, patience: float) -> None:
        self.root = root
        self.patience = patience
        self.session = session
        self.indexes = Indexes(root)
        self.damaged: dict[str, str] = {}
        """Segments that could not be read, with the reason; they are left out until the process ends."""

    # running SQL over segments

    def run(self, manifest: Manifest, asked: Asked, sql: str) -> list[tuple[Any, ...]]:
        """``{files}`` in the SQL stands for the hits. A damaged segment is left out and remembered; without any: no rows."""
        sound = [part for part in asked.parts if part.segment.path not in self.damaged]
        while sound:
            try:
                return self._execute(sound, sql, asked)
            except duckdb.OutOfMemoryException as error:
                raise QueryError("the query needs too much memory", "ask for a shorter time range or fewer fields") from error
            except duckdb.InterruptException as error:
                raise too_long(self.patience) from error
            except duckdb.Error as error:
                sick = [part for part in sound if self._is_damaged(manifest, part.segment)]
                if not sick:
                    raise _query_error(error) from error
                sound = [part for part in sound if part not in sick]
        return []

    def _execute(self, parts: Sequence[Part], sql: str, asked: Asked) -> list[tuple[Any, ...]]:
        statement, patience = sql.replace("{files}", table(self.root, parts, sql, asked.where)), time_left(self.patience)
        cursor = self.session.cursor()
        try:
            with calling(cursor.interrupt, patience):  # an interruption must not meet a closed cursor
                rows: list[tuple[Any, ...]] = cursor.execute(statement, _used(statement, asked.parameters)).fetchall()
            return rows
        finally:
            cursor.close()

    def _is_damaged(self, manifest: Manifest, segment: Segment) -> bool:
        if not (self.root / segment.path).exists() and segment.path not in {live.path for live in manifest.live()}:
            raise ReplacedError
        try:
            columns = ", ".join(f"max({quoted(name)})" for name in (*CORE, REST))
            asked = Asked(whole([segment]))
            self._execute(asked.parts, f"SELECT {columns} FROM {{files}}", asked)  # noqa: S608
        except (duckdb.OutOfMemoryException, duckdb.InterruptException) as error:
            raise StoreError("the store is too busy to be checked", "try again") from error
        except duckdb.Error as error:
            self.damaged[segment.path] = str(error).splitlines()[0][:200]
            log.error("segment %s is damaged and left out of searches: %s", segment.path, self.damaged[segment.path])
            return True
        return False

    # public questions

    def search(
        self,
        manifest: Manifest,
        query: Query,
        when: TimeRange,
        *,
        limit: int,
        cursor: str,
        fields: Sequence[str] | None,
    ) -> Page:
        """See :class:`kernel.store.contract.EventStore`."""
        names = tuple(fields) if fields is not None else query.fields or LIST_FIELDS
        sort = query.sort
        if sort is not None and not (sort.field == "@timestamp" and sort.descending):
            return Page(self._sorted(manifest, query, when, limit, names))
        after = _parse_cursor(cursor)
        segments = [s for s in manifest.live(when) if not after or s.first <= after[0]]
        hits: list[Event] = []
        parts = iter(self.indexes.parts(segments, query.root))
        wanted, looked = min(limit * _FIRST_LOOK, _FIRST_CHUNK), 0
        while chunk := _taken(parts, wanted, limit - len(hits)):
            oldest = hits[limit - 1]["@timestamp"] if len(hits) >= limit > 0 else ""
            chunk = [part for part in chunk if part.segment.last >= oldest]
            if not chunk:  # nor will there be newer ones in those that follow
                break
            hits += self._newest(manifest, chunk, query, TimeRange(max(when.start, oldest), when.end), limit, after, names)
            hits.sort(key=lambda event: (event["@timestamp"], event["event.id"]), reverse=True)
            del hits[limit:]
            looked += sum(part.rows for part in chunk)
            wanted = _next_step(looked, len(hits), limit)
        full = len(hits) == limit and limit > 0
        following = f"{hits[-1]['@timestamp']}~{hits[-1]['event.id']}" if full else ""
        return Page([_only(hit, names) for hit in hits], following)

    def scan(self, manifest: Manifest, query: Query, when: TimeRange, names: Sequence[str]) -> Iterator[list[Event]]:
        """All hits, segment by segment (latest first), unordered within one; a few thousand at a time.

        What was looked through and holds none gives an empty list, so that whoever asks may give up.
        """
        for part in self.indexes.parts(manifest.live(when), query.root):
            for piece in _pieces(part):
                events = self._events(manifest, Asked([piece], query.root, when), names)
                yield [_only(event, names) for event in events]

    def _newest(
        self,
        manifest: Manifest,
        parts: Sequence[Part],
        query: Query,
        when: TimeRange,
        limit: int,
        after: tuple[str, str] | None,
        names: Sequence[str],
    ) -> list[Event]:
        asked = Asked(parts, query.root, when)
        later = ""
        if after:
            time, identifier = asked.condition.value(moment(after[0])), asked.condition.value(after[1])
            later = f' WHERE "@timestamp" < {time} OR ("@timestamp" = {time} AND "event.id" < {identifier})'
        return self._events(manifest, asked, names, f'{later} ORDER BY "@timestamp" DESC, "event.id" DESC LIMIT {int(limit)}')

    def _sorted(self, manifest: Manifest, query: Query, when: TimeRange, limit: int, names: Sequence[str]) -> list[Event]:
        """``| sort``: the first ``limit`` in that order; values of mixed kinds sort as text after numbers."""
        sort = query.sort
        assert sort is not None
        parts = list(self.indexes.parts(manifest.live(when), query.root))
        if not parts:
            return []
        asked = Asked(parts, query.root, when)
        direction = "DESC" if sort.descending else "ASC"
        if sort.field in LONG_COLUMNS or sort.field == "@timestamp":
            keys = [f"{quoted(sort.field)} {direction} NULLS LAST"]
        else:
            key = quoted(sort.field) if sort.field in CORE_SET else _rest_text(asked.condition, sort.field)
            if sort.field in CORE_SET & asked.layout.spill:
                key = f"coalesce({key}, {_rest_text(asked.condition, sort.field)})"
            keys = [f"TRY_CAST({key} AS DOUBLE) {direction} NULLS LAST", f"lower({key}) {direction} NULLS LAST"]
        order = f' ORDER BY {", ".join(keys)}, "@timestamp" DESC, "event.id" DESC LIMIT {int(limit)}'
        return [_only(event, names) for event in self._events(manifest, asked, names, order)]

    def _events(self, manifest: Manifest, asked: Asked, names: Sequence[str], tail: str = "") -> list[Event]:
        columns = _columns(names, asked.layout)
        selected = ", ".join(map(quoted, columns))
        rows = self.run(manifest, asked, f"SELECT {selected} FROM {{files}}{tail}")  # noqa: S608
        return [_event(columns, row) for row in rows]

    def get(self, manifest: Manifest, event_id: str, at: str) -> Event | None:
        """The whole event of an id, among those of the time ``at`` where it is given."""
        segments, condition = manifest.live(), '"event.id" = $id'
        if at:  # with the time, Parquet's statistics leave out all row groups but one or two
            segments = [s for s in segments if s.first <= at <= s.last]
            condition += ' AND "@timestamp" = TRY_CAST($at AS TIMESTAMP)'
        parts, looked = iter(whole(segments)), 0
        while chunk := _taken(parts, max(looked * _GROWTH[0], _FIRST_CHUNK)):
            looked += sum(part.rows for part in chunk)
            asked = Asked(chunk)
            asked.parameters.update({"id": event_id, "at": at})
            rows = self._events(manifest, asked, ("*",), f' WHERE {condition} ORDER BY "@timestamp" DESC LIMIT 1')
            if rows:
                return rows[0]
        return None

    def count(self, manifest: Manifest, query: Query, when: TimeRange) -> int:
        """Number of hits."""
        segments = manifest.live(when)
        if query.root == And():
            inside = [s for s in segments if (not when.start or s.first >= when.start) and (not when.end or s.last < when.end)]
            segments = [s for s in segments if s not in inside]
            return sum(s.rows for s in inside) + self.counted(manifest, segments, query.root, when)
        return self.counted(manifest, segments, query.root, when)

    def counted(self, manifest: Manifest, segments: Sequence[Segment], root: Node, when: TimeRange) -> int:
        """Number of hits in some segments."""
        parts = list(self.indexes.parts(segments, root))
        if not parts:
            return 0
        rows = self.run(manifest, Asked(parts, root, when), "SELECT count(*) FROM {files}")
        return int(rows[0][0]) if rows else 0


def _rest_text(condition: Condition, field: str) -> str:
    return f"json_extract_string({REST}, {condition.value(json_pointer(field))})"


def _query_error(error: duckdb.Error) -> Exception:
    text = str(error).splitlines()[0][:300]
    if isinstance(
        error, (duckdb.InvalidInputException, duckdb.BinderException, duckdb.ParserException, duckdb.OutOfRangeException)
    ):
        return QueryError(f"the store cannot run this query: {text}", "simplify it")
    return StoreError(f"the store cannot be read: {text}", "run ./liandun store verify")


def _used(sql: str, parameters: dict[str, object]) -> dict[str, object]:
    """DuckDB refuses parameters that the statement does not name."""
    names = set(re.findall(r"\$(\w+)", sql))
    return {name: value for name, value in parameters.items() if name in names}


def _taken(parts: Iterator[Part], rows: int, hits: int = 0) -> list[Part]:
    """The next parts, until they have ``rows`` rows, or ``hits`` that are sure; empty at the end."""
    taken: list[Part] = []
    for part in parts:
        taken.append(part)
        rows -= part.rows
        hits -= part.rows if part.left == And() else 0
        if rows <= 0 or (hits <= 0 and part.left == And()):
            break
    return taken


def _pieces(part: Part) -> Iterator[Part]:
    """A part in pieces that a scan reads at a time."""
    if part.picked:
        yield part
        return
    for first, last in part.ranges or ((0, part.segment.rows - 1),):
        for start in range(first, last + 1, _SCAN_ROWS):
            yield Part(part.segment, part.rows, ((start, min(last, start + _SCAN_ROWS - 1)),))


def _next_step(looked: int, found: int, limit: int) -> int:
    """Rows that most probably hold what is missing, judged by what was found so far: a statement more costs more than some rows."""
    least, most = (factor * looked for factor in _GROWTH)
    probably = (limit - found) * looked * 3 // (2 * max(found, 1))
    return min(max(probably, least), most)


def _columns(names: Sequence[str], layout: Layout) -> tuple[str, ...]:
    if "*" in names:
        return (*CORE, REST)
    core = [name for name in dict.fromkeys(("@timestamp", "event.id", *names)) if name in CORE_SET]
    needs_rest = any(name not in CORE_SET or name in layout.spill for name in names)
    return (*core, REST) if needs_rest else tuple(core)


def _event(columns: Sequence[str], row: Sequence[Any]) -> Event:
    event: Event = {}
    for name, value in zip(columns, row, strict=True):
        if value is None:
            continue
        if name == "@timestamp":
            event[name] = timestamp(value)
        elif name == REST:
            event.update(orjson.loads(value))
        elif isinstance(value, str) and value.startswith(SEPARATOR):
            event[name] = value[1:].split(SEPARATOR)
        else:
            event[name] = value
    return event


def _only(event: Event, names: Sequence[str]) -> Event:
    if "*" in names:
        return event
    wanted = {"@timestamp", "event.id", *names}
    return {name: value for name, value in event.items() if name in wanted}


def _parse_cursor(cursor: str) -> tuple[str, str] | None:
    if not cursor:
        return None
    time, mark, identifier = cursor.partition("~")
    if not mark or len(time) != 27:
        raise QueryError("the page mark is not valid", "start again from the first page")
    moment(time)
    return time, identifier
