"""Segments, or the row groups of them that may hold a hit, as a table in SQL."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from kernel.query.tree import And, Node
from kernel.store.lake.columns import Layout, lacking
from kernel.store.lake.manifest import Segment
from kernel.store.lake.needs import ANYTHING, Need, need_of
from kernel.store.lake.packing import selection
from kernel.store.lake.session import parquet
from kernel.store.lake.skipindex import Filter, IndexDamagedError, read_index, surviving

log = logging.getLogger(__name__)

_REMEMBERED = 100_000
"""Paths of checked indexes kept in mind."""


class Part(msgspec.Struct, frozen=True):
    """A segment to be read: whole (``ranges`` None), or only some ranges (first, last) of its row numbers."""

    segment: Segment
    rows: int
    ranges: tuple[tuple[int, int], ...] | None = None


def whole(segments: Iterable[Segment]) -> list[Part]:
    """All of some segments."""
    return [Part(segment, segment.rows) for segment in segments]


def layout_of(segments: Iterable[Segment]) -> Layout:
    """What holds for all of them together. What an older segment has no column for lies in its ``rest``."""
    layout = Layout()
    for segment in segments:
        layout = layout | Layout(segment.layout.multi, segment.layout.spill | lacking(segment.format))
    return layout


def table(root: Path, parts: Sequence[Part], statement: str = "") -> str:
    """The parts as a table in SQL, with the columns of today's schema, or those that a statement names."""
    together: dict[int, list[Path]] = defaultdict(list)
    selects: list[str] = []
    for part in parts:
        path, columns = root / part.segment.path, selection(part.segment.format, statement)
        if part.ranges is None:
            together[part.segment.format].append(path)
            continue
        rows = " OR ".join(f"file_row_number BETWEEN {first} AND {last}" for first, last in part.ranges)
        selects.append(f"SELECT {columns} FROM {parquet(path)} WHERE {rows}")  # noqa: S608
    for format_, paths in together.items():
        selects.append(f"SELECT {selection(format_, statement)} FROM {parquet(*paths)}")  # noqa: S608
    return "(" + " UNION ALL ".join(selects) + ")"


class Indexes:
    """The skip indexes of the segments: each is checked once by this process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._sound: set[str] = set()
        self._broken: set[str] = set()

    def parts(self, segments: Iterable[Segment], condition: Node) -> Iterator[Part]:
        """What of the segments may hold a hit, in their order."""
        needs: dict[Layout, Need] = {}
        for segment in segments:
            layout = layout_of([segment])
            need = needs.get(layout)
            if need is None:
                need = needs[layout] = ANYTHING if condition == And() else need_of(condition, layout)
            filters = self._filters(segment) if need != ANYTHING else None
            if filters is None:
                yield Part(segment, segment.rows)
                continue
            ranges = surviving(filters, need)
            rows = sum(last - first + 1 for first, last in ranges)
            if rows == segment.rows:
                yield Part(segment, segment.rows)
            elif ranges:
                yield Part(segment, rows, tuple(ranges))

    def _filters(self, segment: Segment) -> list[Filter] | None:
        """None where the segment has no index, or one that cannot be read: then the segment is read instead.

        Nothing stays mapped: a mapping would keep the space of a file that compaction or retention has removed.
        """
        if segment.index.length == 0 or segment.path in self._broken:
            return None
        try:
            filters = read_index(self.root / segment.path, segment.index, check=segment.path not in self._sound)
            if sum(part.rows for part in filters) != segment.rows:
                raise IndexDamagedError("it counts other rows than the manifest")
        except FileNotFoundError:
            return None  # replaced meanwhile, or lost: reading the segment will tell
        except (IndexDamagedError, OSError) as error:
            log.error("the skip index of segment %s cannot be used, the segment is read without it: %s", segment.path, error)
            self._broken.add(segment.path)
            return None
        if len(self._sound) >= _REMEMBERED:
            self._sound.clear()
        self._sound.add(segment.path)
        return filters
