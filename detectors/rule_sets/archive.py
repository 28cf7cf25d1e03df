"""Reading rule files out of folders and archives that somebody else made.

Nothing is ever written by the archive: members are read into memory one by one, links and special files are refused, and an archive
that grows beyond the limits (a "bomb") is given up with a message that names the limit. What a name may hold is settled here too,
so that whatever comes out can be written and shown: no control or bidi characters, parts and the whole of bounded length.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

import msgspec

from kernel.errors import RuleError

ENGINES = {".yml": "sigma", ".yaml": "sigma", ".yar": "yara", ".yara": "yara", ".rules": "suricata"}
"""File name ending → engine."""

ARCHIVE_ENDINGS = (".tar.gz", ".tgz", ".tar", ".zip")
_LICENCES = ("license", "licence", "copying", "notice")
_PART_BYTES, _NAME_BYTES = 200, 1024  # Linux: 255 and 4096, with the data directory in front
_UNSHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories: control, format (bidi), surrogate (bytes that are no UTF-8), line and paragraph separator."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Python unpacks the other methods without a bound: 1 MiB of bzip2 becomes gigabytes in one step, before anybody can count them."""
_TAR_DAMAGE = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, IndexError, OverflowError, RecursionError, MemoryError)
_ZIP_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, IndexError, OverflowError, MemoryError),
)


class Limits(msgspec.Struct, frozen=True):
    """members: entries of an archive or folder; file_bytes: one unpacked file; total_bytes: all unpacked;
    ratio: unpacked size by packed size, looked at from ``ratio_from`` unpacked bytes on."""

    members: int = 50_000
    file_bytes: int = 64 << 20
    total_bytes: int = 512 << 20
    ratio: int = 120
    ratio_from: int = 8 << 20


class RuleFile(msgspec.Struct, frozen=True):
    """One file worth keeping: ``engine`` is sigma, yara, suricata, licence or decision (what an operator changes of a set)."""

    name: str
    engine: str
    content: bytes


def read_rule_files(source: Path, limits: Limits | None = None) -> Iterator[RuleFile]:
    """Rule files (and licence texts) of a single file (also packed: .rules.gz), folder or archive (.tar.gz, .tgz, .tar, .zip).

    Raises RuleError where the source can't be read, holds an unsafe member or goes beyond a limit.
    """
    limits = limits or Limits()
    found = _looked_at(source)
    name = source.name.lower()
    if stat.S_ISDIR(found.st_mode):
        yield from _folder(source, limits)
    elif not stat.S_ISREG(found.st_mode):
        raise RuleError(f"{source}: neither a folder nor a plain file")
    elif name.endswith(".zip"):
        yield from _zip(source, limits, found.st_size)
    elif name.endswith(ARCHIVE_ENDINGS):
        yield from _tar(source, limits, found.st_size)
    elif name.endswith(".gz"):
        yield _packed(source, limits, found.st_size)
    else:
        yield _single(source, limits)


def _looked_at(source: Path) -> os.stat_result:
    try:
        return source.stat()
    except FileNotFoundError as error:
        raise RuleError(f"{source}: no such file or folder") from error
    except (OSError, ValueError) as error:
        raise RuleError(f"{source}: cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__


def kind_of(name: str) -> str:
    """sigma, yara, suricata, licence, or "" for what is not kept."""
    path = PurePosixPath(name)
    if path.stem.lower().startswith(_LICENCES) and path.suffix.lower() in ("", ".md", ".txt"):
        return "licence"
    return ENGINES.get(path.suffix.lower(), "")


def _single(source: Path, limits: Limits) -> RuleFile:
    engine = kind_of(source.name)
    if engine in ("", "licence"):
        raise RuleError(
            f"{source}: not a rule file or archive by its name", f"known endings: {', '.join([*ENGINES, *ARCHIVE_ENDINGS])}"
        )
    return RuleFile(_safe_name(source, source.name), engine, _Budget(source, limits, 0).read(source, source.name))


def _packed(source: Path, limits: Limits, size: int) -> RuleFile:
    """One rule file under gzip."""
    name = source.name[:-3]
    engine = kind_of(name)
    if engine in ("", "licence"):
        raise RuleError(
            f"{source}: not a packed rule file by its name", f"known endings: {', '.join(f'{one}.gz' for one in ENGINES)}"
        )
    budget = _Budget(source, limits, size)
    try:
        with gzip.open(source, "rb") as stream:
            return RuleFile(_safe_name(source, name), engine, budget.take(stream, name))
    except (zlib.error, EOFError, OSError) as error:
        raise RuleError(f"{source}: damaged gzip file: {_reason(error)}") from error


def _folder(source: Path, limits: Limits) -> Iterator[RuleFile]:
    budget = _Budget(source, limits, 0)
    for folder, names, files in os.walk(source, onerror=_give_up, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder) / name
            budget.member()
            engine = kind_of(name)
            if not engine:
                continue
            inner = _safe_name(source, path.relative_to(source).as_posix())
            if path.is_symlink() or not path.is_file():
                raise RuleError(f"{source}: {inner} is a link or a special file; only plain files are taken")
            yield RuleFile(inner, engine, budget.read(path, inner))


def _give_up(error: OSError) -> None:
    raise RuleError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _zip(source: Path, limits: Limits, size: int) -> Iterator[RuleFile]:
    budget = _Budget(source, limits, size)
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                budget.member()
                name = _safe_name(source, member.filename)
                if member.is_dir():
                    continue
                if (member.external_attr >> 16) & 0o170000 == 0o120000:
                    raise RuleError(f"{source}: member {name} is a symbolic link; only plain files are taken")
                if not (engine := kind_of(name)):
                    continue
                if member.flag_bits & 0x1:
                    raise RuleError(f"{source}: member {name} is encrypted")
                if member.compress_type not in _METHODS:
                    raise RuleError(
                        f"{source}: member {name} is packed by method {member.compress_type} (12 is bzip2, 14 is LZMA)",
                        "pack it with deflate (8), as zip does by itself",
                    )
                with archive.open(member) as stream:
                    yield RuleFile(name, engine, budget.take(stream, name))
    except _ZIP_DAMAGE as error:
        raise RuleError(f"{source}: damaged or unknown zip archive: {_reason(error)}") from error


def _tar(source: Path, limits: Limits, size: int) -> Iterator[RuleFile]:
    unpacked, taken = _Budget(source, limits, size), _Budget(source, limits, size)
    try:
        with source.open("rb") as packed:
            raw: io.BufferedIOBase = packed
            if packed.peek(2)[:2] == b"\x1f\x8b":
                raw = gzip.GzipFile(fileobj=packed, mode="rb")
            with tarfile.open(fileobj=_Metered(raw, unpacked), mode="r|") as archive:
                for member in archive:
                    unpacked.member()
                    name = _safe_name(source, member.name)
                    if member.isdir():
                        continue
                    if member.issparse():
                        raise RuleError(f"{source}: member {name} has holes (a sparse file); only plain files are taken")
                    if not member.isfile():
                        raise RuleError(f"{source}: member {name} is a link or a special file; only plain files are taken")
                    engine = kind_of(name)
                    stream = archive.extractfile(member) if engine else None
                    if stream is not None:
                        yield RuleFile(name, engine, taken.take(stream, name))
    except _TAR_DAMAGE as error:
        raise RuleError(f"{source}: damaged or unknown tar archive: {_reason(error)}") from error


def _safe_name(source: Path, name: str) -> str:
    """The name of a member with plain slashes. Raises RuleError where it must not be written below a folder, or shown."""
    plain = name.replace("\\", "/")
    path = PurePosixPath(plain)
    if path.is_absolute() or ".." in path.parts or plain[1:2] == ":":
        raise RuleError(f"{source}: member {name!r} points outside of the archive; refused")
    if any(unicodedata.category(letter) in _UNSHOWN for letter in plain):
        raise RuleError(f"{source}: member {name!r} has control characters, or bytes that are no UTF-8, in its name; refused")
    if len(plain.encode()) > _NAME_BYTES or any(len(part.encode()) > _PART_BYTES for part in path.parts):
        raise RuleError(
            f"{source}: member {plain[:60]!r}… has too long a name; refused",
            f"{_NAME_BYTES} bytes at most, {_PART_BYTES} between two slashes",
        )
    return path.as_posix()


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Budget:
    """Counts what has been unpacked against the limits."""

    def __init__(self, source: Path, limits: Limits, packed: int) -> None:
        self._source, self._limits, self._packed = source, limits, packed
        self._members = 0
        self._bytes = 0

    def member(self) -> None:
        self._members += 1
        if self._members > self._limits.members:
            raise RuleError(f"{self._source}: more than {self._limits.members} members (limit)")

    def spend(self, size: int) -> None:
        """Count ``size`` unpacked bytes."""
        self._bytes += size
        limits = self._limits
        if self._bytes > limits.total_bytes:
            raise RuleError(f"{self._source}: more than {limits.total_bytes >> 20} MiB unpacked (limit)")
        if self._packed and self._bytes > limits.ratio_from and self._bytes > self._packed * limits.ratio:
            raise RuleError(f"{self._source}: unpacks to more than {limits.ratio} times its size (limit); looks like a bomb")

    def take(self, stream: _Readable, name: str) -> bytes:
        """Content of one member, counted in pieces while it is read, up to the limit of a file."""
        pieces: list[bytes] = []
        size = 0
        while piece := stream.read(1 << 20):
            size += len(piece)
            self.spend(len(piece))
            if size > self._limits.file_bytes:
                raise RuleError(f"{self._source}: {name} is larger than {self._limits.file_bytes >> 20} MiB (limit)")
            pieces.append(piece)
        return b"".join(pieces)

    def read(self, path: Path, name: str) -> bytes:
        try:
            with path.open("rb") as stream:
                return self.take(stream, name)
        except OSError as error:
            raise RuleError(f"{path}: cannot be read: {error.strerror}") from error


class _Metered(io.RawIOBase):
    """A stream whose every byte is counted, also those of members and headers that nobody reads (a tar's padding, PAX headers)."""

    def __init__(self, inner: io.BufferedIOBase, budget: _Budget) -> None:
        self._inner, self._budget = inner, budget

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._inner.read(size if 0 <= size <= 1 << 20 else 1 << 20)
        self._budget.spend(len(piece))
        return piece
