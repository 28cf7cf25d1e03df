"""A published file as its readers see it: read anew when it was replaced, and one that cannot be read changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

log = logging.getLogger("liandun.published")
T = TypeVar("T")


class ReplacedFile(Generic[T]):
    """Calling it gives what the newest readable file says, ``first`` while there was none.

    read  raises OSError, msgspec.DecodeError or ValueError for a file that cannot be used: what was before stays in force
    what  the file's name in the log
    """

    def __init__(self, path: Path, read: Callable[[Path], T], first: T, what: str) -> None:
        self._path, self._read, self._what = path, read, what
        self._seen: tuple[int, int] | None = None
        self.present = first

    def __call__(self) -> T:
        """What is in force now."""
        try:
            status = self._path.stat()
        except OSError:
            return self.present
        seen = (status.st_mtime_ns, status.st_ino)
        if seen != self._seen:
            self._seen = seen
            try:
                self.present = self._read(self._path)
            except (OSError, msgspec.DecodeError, ValueError) as error:
                log.error("%s %s cannot be read, what was before stays in force: %s", self._what, self._path, error)
        return self.present
