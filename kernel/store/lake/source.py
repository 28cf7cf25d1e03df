"""Segments, or the row groups or rows of them that may hold a hit, as a table in SQL."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from kernel.query.tree import FREE_TEXT_FIELDS, And, Node
from kernel.store.lake.columns import Layout, lacking, quoted
from kernel.store.lake.manifest import Segment
from kernel.store.lake.needs import ANYTHING, Need, need_of
from kernel.store.lake.packing import named, selection
from kernel.store.lake.picks import Picks, Plan
from kernel.store.lake.session import parquet
from kernel.store.lake.skipindex import Index, IndexDamagedError, read_index, surviving

log = logging.getLogger(__name__)

_FREE_TEXT = frozenset(FREE_TEXT_FIELDS)
_REMEMBERED = 100_000
"""Paths of checked indexes kept in mind."""


class Part(msgspec.Struct, frozen=True):
    """A segment to be read: whole (``ranges`` None), or only some ranges (first, last) of its row numbers, or some ``picked`` rows.

    left  what of the query's condition has to be asked of these rows: None is all of it, And() nothing
    """

    segment: Segment
    rows: int
    ranges: tuple[tuple[int, int], ...] | None = None
    picked: tuple[int, ...] = ()
    left: Node | None = None


def whole(segments: Iterable[Segment]) -> list[Part]:
    """All of some segments."""
    return [Part(segment, segment.rows) for segment in segments]


def layout_of(segments: Iterable[Segment]) -> Layout:
    """What holds for all of them together. What an older segment has no column for lies in its ``rest``."""
    layout = Layout()
    for segment in segments:
        layout = layout | Layout(segment.layout.multi, segment.layout.spill | lacking(segment.format))
    return layout


def table(root: Path, parts: Sequence[Part], statement: str = "", where: Callable[[Part], str] = lambda part: "TRUE") -> str:
    """The parts as a table in SQL, with the columns of today's schema, or those that a statement names.

    where  the condition of a part, in SQL
    """
    together: dict[tuple[int, str], list[Path]] = defaultdict(list)
    selects: list[str] = []
    shown = ", ".join(map(quoted, named(statement)))

    def select(format_: int, paths: Sequence[Path], rows: str, condition: str) -> None:
        columns = selection(format_, named(statement and statement + condition))
        selects.append(f"SELECT {shown} FROM (SELECT {columns} FROM {parquet(*paths)}{rows}) WHERE {condition}")  # noqa: S608

    for part in parts:
        path, condition = root / part.segment.path, where(part)
        if part.picked:
            select(part.segment.format, [path], f" WHERE file_row_number IN ({', '.join(map(str, part.picked))})", condition)
        elif part.ranges is None:
            together[part.segment.format, condition].append(path)
        else:
            rows = " OR ".join(f"file_row_number BETWEEN {first} AND {last}" for first, last in part.ranges)
            select(part.segment.format, [path], f" WHERE {rows}", condition)
    for (format_, condition), paths in together.items():
        select(format_, paths, "", condition)
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
        plan = Plan(condition)
        for segment in segments:
            layout = layout_of([segment])
            need = needs.get(layout)
            if need is None:
                need = needs[layout] = ANYTHING if condition == And() else need_of(condition, layout)
            index = self._index(segment) if need != ANYTHING else None
            if index is None:
                yield Part(segment, segment.rows)
                continue
            ranges = surviving(index.filters, need)
            listed = plan.leads and not layout.spill & _FREE_TEXT and ranges
            picks = plan.picks(index.runs, ranges) if listed and index.runs else None
            if picks is not None:
                yield from _picked(segment, picks)
                continue
            rows = sum(last - first + 1 for first, last in ranges)
            if rows == segment.rows:
                yield Part(segment, segment.rows)
            elif ranges:
                yield Part(segment, rows, tuple(ranges))

    def _index(self, segment: Segment) -> Index | None:
        """None where the segment has no index, or one that cannot be read: then the segment is read instead.

        Nothing stays mapped: a mapping would keep the space of a file that compaction or retention has removed.
        """
        if segment.index.length == 0 or segment.path in self._broken:
            return None
        try:
            index = read_index(self.root / segment.path, segment.index, check=segment.path not in self._sound)
            if sum(part.rows for part in index.filters) != segment.rows:
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
        return index


def _picked(segment: Segment, picks: Picks) -> Iterator[Part]:
    if picks.sure:
        yield Part(segment, len(picks.sure), picked=picks.sure, left=picks.left)
    if picks.unsure:
        yield Part(segment, len(picks.unsure), picked=picks.unsure)
    if picks.ranges:
        yield Part(segment, sum(last - first + 1 for first, last in picks.ranges), picks.ranges)
