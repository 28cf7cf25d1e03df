"""Rule texts from files, folders and archives. Nothing of an archive is written to disk.

Limits against archive bombs: 50,000 members, 2 MiB a rule file, 256 MiB unpacked in all. A link, device or absolute name in an
archive is passed over: only regular members are read, and their names are only ever shown.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kernel.errors import RuleError

MAX_MEMBERS = 50_000
MAX_RULE_BYTES = 2 * 1024 * 1024
MAX_TOTAL_BYTES = 256 * 1024 * 1024
RULE_SUFFIXES = (".yml", ".yaml")
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")


class RuleFile(msgspec.Struct):
    """One rule file: ``name`` as shown to people (``archive.tar.gz!path`` in an archive); ``problem`` where it cannot be read."""

    name: str
    content: bytes = b""
    problem: str = ""


def read_rule_files(paths: Sequence[Path]) -> Iterator[RuleFile]:
    """All rule files under ``paths`` (files, folders, archives), in a fixed order. What cannot be read comes with its problem."""
    for path in paths:
        if path.is_dir():
            for child in sorted(path.rglob("*")):
                if child.is_file() and child.name.lower().endswith(RULE_SUFFIXES + ARCHIVE_SUFFIXES):
                    yield from _read(child)
        elif path.exists():
            yield from _read(path)
        else:
            yield RuleFile(str(path), problem="no such file or folder")


def _read(path: Path) -> Iterator[RuleFile]:
    lowered = path.name.lower()
    try:
        if lowered.endswith(".zip"):
            yield from _zip(path)
        elif lowered.endswith(ARCHIVE_SUFFIXES):
            yield from _tar(path)
        else:
            size = path.stat().st_size
            if size > MAX_RULE_BYTES:
                yield RuleFile(str(path), problem=f"rule file of {size} bytes is larger than {MAX_RULE_BYTES}")
            else:
                yield RuleFile(str(path), path.read_bytes())
    except (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        yield RuleFile(str(path), problem=f"cannot be read: {error}")
    except RuleError as error:
        yield RuleFile(str(path), problem=str(error))


class _Budget:
    def __init__(self) -> None:
        self.members = 0
        self.total = 0

    def member(self) -> None:
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise RuleError(f"archive has more than {MAX_MEMBERS} members; the rest is not read")

    def spend(self, size: int) -> None:
        self.total += size
        if self.total > MAX_TOTAL_BYTES:
            raise RuleError(f"archive unpacks to more than {MAX_TOTAL_BYTES} bytes; the rest is not read")


class _Metered(io.RawIOBase):
    """The unpacked bytes of a compressed tar, counted as they come, so that skipping over members is metered too."""

    def __init__(self, raw: io.BufferedIOBase, budget: _Budget) -> None:
        self._raw, self._budget = raw, budget

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._raw.read(size)
        self._budget.spend(len(block))
        return block


def _tar(path: Path) -> Iterator[RuleFile]:
    budget = _Budget()
    with path.open("rb") as file:
        stream: io.RawIOBase | io.BufferedIOBase = file
        if file.peek(2)[:2] == b"\x1f\x8b":
            stream = _Metered(_Gunzip(file), budget)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                budget.member()
                if not member.isfile() or not member.name.lower().endswith(RULE_SUFFIXES):
                    continue
                name = f"{path}!{member.name}"
                if member.size > MAX_RULE_BYTES:
                    yield RuleFile(name, problem=f"rule file of {member.size} bytes is larger than {MAX_RULE_BYTES}")
                    continue
                extracted = archive.extractfile(member)
                if extracted is not None:
                    yield RuleFile(name, extracted.read(MAX_RULE_BYTES))


class _Gunzip(io.BufferedIOBase):
    """A gzip stream unpacked piece by piece (a bomb never has more than one piece in memory)."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file = file
        self._unpacker = zlib.decompressobj(wbits=31)

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = 65536 if size is None or size < 0 else size
        pieces: list[bytes] = []
        while wanted > 0:
            packed = self._unpacker.unconsumed_tail or self._file.read(65536)
            if not packed:
                break
            piece = self._unpacker.decompress(packed, wanted)
            pieces.append(piece)
            wanted -= len(piece)
            if self._unpacker.eof:
                rest = self._unpacker.unused_data
                self._unpacker = zlib.decompressobj(wbits=31)
                if not rest.strip(b"\0"):
                    break
                pieces.append(self._unpacker.decompress(rest, max(wanted, 1)))
                wanted -= len(pieces[-1])
        return b"".join(pieces)


def _zip(path: Path) -> Iterator[RuleFile]:
    budget = _Budget()
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            budget.member()
            if member.is_dir() or not member.filename.lower().endswith(RULE_SUFFIXES):
                continue
            name = f"{path}!{member.filename}"
            with archive.open(member) as file:  # the size in the directory may lie, so what is read decides
                content = file.read(MAX_RULE_BYTES + 1)
            budget.spend(len(content))
            if len(content) > MAX_RULE_BYTES:
                yield RuleFile(name, problem=f"rule file is larger than {MAX_RULE_BYTES} bytes")
            else:
                yield RuleFile(name, content)
