"""Files that people hand in: those of a folder, or of a ZIP, within limits. Nothing is written, no link is followed."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from kernel.errors import LiandunError

MOST_FILES, MOST_OCTETS, MOST_TOGETHER = 200, 64 << 20, 256 << 20


def files_of(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents. Raises LiandunError: it cannot be read, is encrypted, or too large."""
    together = 0
    try:
        for number, (name, octets) in enumerate(_in_folder(path) if path.is_dir() else _in_zip(path)):
            together += len(octets)
            if number >= MOST_FILES or len(octets) > MOST_OCTETS or together > MOST_TOGETHER:
                limits = f"{MOST_FILES} files, {MOST_OCTETS >> 20} MiB each, {MOST_TOGETHER >> 20} MiB together"
                raise LiandunError(f"{path.name} is too large", f"limits: {limits}")
            yield name, octets
    except (OSError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError) as error:
        raise LiandunError(f"{path.name} cannot be read: {error}") from error


def _in_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for one in sorted(path.iterdir()):
        if stat.S_ISREG(one.lstat().st_mode):
            with one.open("rb") as opened:
                yield one.name, opened.read(MOST_OCTETS + 1)


def _in_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                with archive.open(entry) as opened:
                    yield entry.filename, opened.read(MOST_OCTETS + 1)
