"""The event.id values of the latest commits: what is delivered again within them is dropped.

In memory while the writer runs. Hot segments tell them again after a restart, as long as they are as they were committed; but a
merge mixes late events with early ones, and the order of commits is lost. So before segments are merged, the ids go to the file
``recent.ids`` with the head of the chain up to which it holds; what was committed after it is still unmerged.

Layout of the file, little-endian::

    "LDNRIDS1"  u32 CRC-32 of all that follows  u64 position  32 bytes digest  u32 old  u32 young  ids  {u32 length, UTF-8} * others

Ids of 32 hex digits are 16 bytes, first the older generation; others stand behind, and count as young.
"""

from __future__ import annotations

import logging
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from kernel.store.lake.manifest import Manifest, Segment
from kernel.store.lake.segment import discard, disk_error, publish
from kernel.store.lake.session import Session, parquet

log = logging.getLogger(__name__)

RECENT_IDS = 200_000
"""event.id values of the latest commits that are remembered, so that a re-delivered event is dropped."""

FILE = "recent.ids"
_MOST_COMMITS = 10_000
_MAGIC = b"LDNRIDS1"
_CHECK = struct.Struct("<I")
_HEAD = struct.Struct("<Q32sII")
_LENGTH = struct.Struct("<I")
_HEX = re.compile(r"[0-9a-f]*", re.ASCII)


class RecentIds:
    """The ids of the last ``RECENT_IDS`` / 2 events at least, in two generations."""

    def __init__(self) -> None:
        self._young: set[str] = set()
        self._old: set[str] = set()

    def copy(self) -> RecentIds:
        """As they are now."""
        copied = RecentIds()
        copied._young, copied._old = set(self._young), set(self._old)
        return copied

    def known(self, identifiers: set[str]) -> set[str]:
        """Those of a set that are remembered."""
        return (self._young & identifiers) | (self._old & identifiers)

    def add(self, identifiers: set[str]) -> None:
        """Remember the ids of a commit; forget the oldest generation when the young one is full."""
        self._young |= identifiers
        if len(self._young) >= RECENT_IDS // 2:
            self._young, self._old = set(), self._young

    def save(self, root: Path, position: int, digest: str) -> None:
        """Write them down as of a head of the chain. Raises StoreError."""
        old, young = _of_digits(self._old), _of_digits(self._young)
        others = [text.encode() for text in (self._old - set(old)) | (self._young - set(young))]
        content = b"".join(
            [
                _HEAD.pack(position, bytes.fromhex(digest), len(old), len(young)),
                bytes.fromhex("".join(old + young)),
                *(_LENGTH.pack(len(text)) + text for text in others),
            ]
        )
        scratch = root / "tmp" / FILE
        try:
            scratch.write_bytes(_MAGIC + _CHECK.pack(zlib.crc32(content)) + content)
        except OSError as error:
            discard(scratch)
            raise disk_error(error, scratch) from error
        publish(scratch, root / FILE)

    def load(self, root: Path) -> tuple[int, str] | None:
        """Remember what was written down; returns the head of the chain then, None when there is nothing of use."""
        try:
            whole = (root / FILE).read_bytes()
        except FileNotFoundError:
            return None
        begin = len(_MAGIC) + _CHECK.size
        content = whole[begin:]
        if whole[:begin] != _MAGIC + _CHECK.pack(zlib.crc32(content)):
            log.error("%s is damaged; what is delivered again now may be stored again", root / FILE)
            return None
        position, digest, old, young = _HEAD.unpack_from(content)
        at = _HEAD.size
        self._old = _ids(content[at : at + 16 * old])
        at += 16 * old
        self._young = _ids(content[at : at + 16 * young]) | set(_texts(content, at + 16 * young))
        return int(position), digest.hex()


def _of_digits(identifiers: set[str]) -> list[str]:
    """Those of 32 hex digits: nearly always all."""
    if set(map(len, identifiers)) <= {32} and _HEX.fullmatch("".join(identifiers)):
        return list(identifiers)
    return [text for text in identifiers if len(text) == 32 and _HEX.fullmatch(text)]


def _ids(content: bytes) -> set[str]:
    digits = content.hex()
    return {digits[at : at + 32] for at in range(0, len(digits), 32)}


def _texts(content: bytes, at: int) -> Iterator[str]:
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        yield content[at + _LENGTH.size : at + _LENGTH.size + length].decode()
        at += _LENGTH.size + length


def remember(manifest: Manifest, session: Session, root: Path) -> RecentIds:
    """What a writer that starts must know: the file, and the commits since."""
    recent = RecentIds()
    head = recent.load(root)
    if head is not None and not manifest.had(*head):
        log.warning("%s is not of this manifest (restored from a backup?) and left alone", root / FILE)
        recent, head = RecentIds(), None
    live = {segment.path: segment for segment in manifest.live()}
    commits = [live[path] for path in manifest.committed(head[0] if head else 0, _MOST_COMMITS) if path in live]
    if head is None:  # nothing was written down yet: what was merged comes first, then the commits, the latest last
        merged = sorted((segment for segment in live.values() if segment not in commits), key=lambda segment: segment.sequence)
        commits = merged + commits
    for segment in _last(commits):
        recent.add(_read(session, root, segment))
    return recent


def _last(segments: list[Segment]) -> list[Segment]:
    """As many of the last ones as are remembered, in their order."""
    rows = 0
    for number, segment in enumerate(reversed(segments), 1):
        rows += segment.rows
        if rows >= RECENT_IDS:
            return segments[-number:]
    return segments


def _read(session: Session, root: Path, segment: Segment) -> set[str]:
    cursor = session.cursor()
    try:
        rows = cursor.execute(f'SELECT "event.id" FROM {parquet(root / segment.path)}').fetchall()  # noqa: S608
    except duckdb.Error as error:  # a damaged segment must not keep the collector from working
        log.error("segment %s cannot be read: %s", segment.path, error)
        return set()
    finally:
        cursor.close()
    return {str(row[0]) for row in rows}
