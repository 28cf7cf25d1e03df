"""Is the lake what was written? Recomputes the chain and the SM3 of every live segment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from kernel.store.lake.manifest import GENESIS, Manifest, Segment, link
from kernel.store.lake.segment import file_digest
from kernel.store.lake.skipindex import IndexDamagedError, read_index
from kernel.store.lake.writer import LOST


class Verification(msgspec.Struct):
    """``problems``: oldest first, each naming its segment; empty = sound. ``head`` is the digest to anchor elsewhere.

    lost  files in ``lost/`` that the manifest did not know when a writer started: no problem, but to be looked at
    """

    segments: int
    events: int
    entries: int
    head: str
    problems: list[str]
    lost: list[str] = []

    @property
    def sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


class _Body(msgspec.Struct):
    kind: str
    added: list[_Record]
    removed: list[_Record]


class _Record(msgspec.Struct):
    path: str
    sm3: str
    rows: int


def verify(root: Path, manifest: Manifest, progress: Callable[[int, int], None] = lambda done, total: None) -> Verification:
    """Check the chain, then every live segment (its skip index is part of its file) against it, oldest first.

    progress  is told the bytes checked and the bytes in all
    """
    entries = manifest.chain()
    previous = manifest.anchor()
    expected: dict[str, _Record] = {}
    problems: list[str] = []
    for number, entry in enumerate(entries):
        body = msgspec.json.decode(entry.body, type=_Body)
        if link(previous, entry.body) != entry.digest:
            names = ", ".join(record.path for record in (*body.added, *body.removed)) or body.kind
            problems.append(f"chain entry {entry.position} does not follow from the one before it (it concerns {names})")
        if number and entry.position != entries[number - 1].position + 1:
            problems.append(f"chain entry {entries[number - 1].position + 1} is missing")
        previous = entry.digest
        for record in body.added:
            expected[record.path] = record
        for record in body.removed:
            expected.pop(record.path, None)
    live = sorted(manifest.live(), key=lambda segment: segment.sequence)
    pruned = manifest.anchor() != GENESIS
    total = sum(segment.bytes for segment in live)
    done = 0
    for segment in live:
        progress(done, total)
        done += segment.bytes
        problem = _segment_problem(root, segment, expected.pop(segment.path, None), pruned)
        if problem:
            problems.append(problem)
    progress(total, total)
    problems += [f"segment {path} was recorded but is gone from the manifest" for path in expected]
    lost = sorted(path.relative_to(root).as_posix() for path in root.glob(f"{LOST}/*"))
    return Verification(len(live), sum(segment.rows for segment in live), len(entries), previous, problems, lost)


def _segment_problem(root: Path, segment: Segment, record: _Record | None, pruned: bool) -> str:
    if record is None and not pruned:
        return f"segment {segment.path} was never recorded in the chain"
    if record is not None and record.sm3 != segment.sm3:
        return f"segment {segment.path}: the manifest's digest is not the one in the chain"
    try:
        digest = file_digest(root / segment.path)
    except FileNotFoundError:
        return f"segment {segment.path} is missing ({segment.rows} events from {segment.first} to {segment.last})"
    except OSError as error:
        return f"segment {segment.path} cannot be read: {error.strerror}"
    if digest != segment.sm3:
        where = _where_changed(root / segment.path, segment)
        return f"segment {segment.path} was changed{where}: SM3 is {digest}, written was {segment.sm3}"
    return ""


def _where_changed(path: Path, segment: Segment) -> str:
    """Whether the skip index is hit: then the segment is still searched, without it."""
    if segment.index.length == 0:
        return ""
    try:
        read_index(path, segment.index)
    except (IndexDamagedError, OSError):
        return " (its skip index too)"
    return " (not its skip index)"
