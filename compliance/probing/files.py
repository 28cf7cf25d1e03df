"""Files that are handed in for daily probes: found below one folder, copied, and read as what they are.

    with handed_in(folder, "core/sw-1-*.cfg") as found:     # the newest one whose name fits
        ...

Others may write into the folder. So no link is followed, on no step of the way; only plain files are opened; what was written
within the last minute, or while it was copied, may not be whole and is not taken; and readers get a copy of our own, which nobody
changes meanwhile.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from compliance.importers.contract import MOST_OCTETS, Tool
from compliance.importers.taking import take
from compliance.probes.contract import Source
from compliance.probes.facts import TAKEN, Part
from compliance.probes.reading.cloud_files import CloudExport
from compliance.probes.reading.database_export import DatabaseExport
from compliance.probes.reading.device_file import device_file
from compliance.probes.reading.folder import MOST_FILES, MOST_TOGETHER
from compliance.probes.reading.redis_file import RedisFile
from compliance.probes.reading.tomcat_files import TomcatFiles
from compliance.probes.reading.windows_files import WindowsExport
from compliance.probes.result import Result
from compliance.probes.target import Target
from compliance.probing.models import FILES, REPORTS
from compliance.probing.places import problem_of_place
from compliance.probing.schema import TargetRecord
from kernel.errors import LiandunError
from kernel.event import timestamp
from kernel.programs.time_left import TimeLeft

SETTLED = 60
"""Seconds after which a file counts as written to its end."""
MOST_NAMES = 100_000
_CHUNK = 1 << 20
FOLDERS = frozenset({"windows-export", "tomcat-conf", "cloud-export"})
"""Ways where a folder stands for its files; a ZIP does, too."""


class Found(msgspec.Struct, frozen=True):
    """A copy of a file or a folder of files. ``at``: when it was written; of a folder, its oldest file."""

    path: Path
    name: str
    at: str


Find = Callable[[], AbstractContextManager[Found]]
READERS: Mapping[str, Callable[[Found], Target]] = {
    "huawei-config": lambda found: device_file(found.path, "huawei"),
    "h3c-config": lambda found: device_file(found.path, "h3c"),
    "cisco-config": lambda found: device_file(found.path, "cisco"),
    "windows-export": lambda found: WindowsExport(found.name, found.path),
    "mysql-export": lambda found: DatabaseExport(found.name, found.path, "mysql"),
    "dm-export": lambda found: DatabaseExport(found.name, found.path, "dm"),
    "tomcat-conf": lambda found: TomcatFiles(found.name, found.path),
    "cloud-export": lambda found: CloudExport(found.name, found.path),
    "redis-conf": lambda found: RedisFile(found.name, found.path),
}


class FileTarget(msgspec.Struct, frozen=True):
    """A file that probes judge; what they say is of the moment when it was written. ``days``: an older one is not judged."""

    name: str
    way: str
    find: Find
    days: int

    @property
    def sources(self) -> tuple[Source, ...]:
        return (FILES[self.way],)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        """Raises LiandunError: none is there, it is too old, or it is not what it should be."""
        with self.find() as found:
            _check_age(found, self.days)
            return {**READERS[self.way](found).read(parts, time_left), TAKEN: Part(found.at)}


class ReportFile(msgspec.Struct, frozen=True):
    """A report of another tool. ``host``: whose results, "" where it is about one host."""

    name: str
    tool: Tool
    host: str
    find: Find
    days: int

    def results(self) -> list[Result]:
        """Those that speak to items. Raises LiandunError."""
        with self.find() as found:
            _check_age(found, self.days)
            results, _ = take(self.tool, found.path.read_bytes(), self.host or None, at=found.at)
        if not results:
            raise LiandunError(f"{found.name} says nothing that speaks to an item")
        return results


def file_way(target: TargetRecord, find: Find, days: int) -> FileTarget | ReportFile:
    """The way into a target that is a file."""
    if target.way in REPORTS:
        return ReportFile(target.shown, REPORTS[target.way], target.host, find, days)
    return FileTarget(target.shown, target.way, find, days)


@contextmanager
def handed_in(folder: Path | None, place: str, *, folders: bool = False) -> Iterator[Found]:
    """The newest file (or folder) at ``place`` that is written to its end. Raises LiandunError."""
    if folder is None:
        raise LiandunError("no files are taken from this machine", "set [compliance] folder")
    if problem := problem_of_place(place):
        raise LiandunError(problem)
    *steps, pattern = place.split("/")
    with tempfile.TemporaryDirectory() as own:  # mode 0700
        try:
            with _entered(folder, steps) as parent:
                name = _newest(parent, pattern, folders)
                at = _copied(parent, name, Path(own) / name)
        except OSError as error:
            raise LiandunError(f"{place}: {error.strerror or error}") from error
        yield Found(Path(own) / name, name, at)


@contextmanager
def written(name: str, content: bytes, at: str) -> Iterator[Found]:
    """A file that was brought, as one that was found."""
    with tempfile.TemporaryDirectory() as own:
        path = Path(own) / name
        path.write_bytes(content)
        yield Found(path, name, at)


@contextmanager
def _entered(folder: Path, steps: list[str]) -> Iterator[int]:
    """The descriptor of the folder below, each step without following links. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for step in steps:
            inner = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _newest(parent: int, pattern: str, folders: bool) -> str:
    """Raises LiandunError where nothing is there, or only what may still be being written."""
    wanted = (stat.S_IFREG, stat.S_IFDIR) if folders else (stat.S_IFREG,)
    found = []
    with os.scandir(parent) as entries:
        for number, entry in enumerate(entries):
            if number >= MOST_NAMES:
                raise LiandunError(f"the folder has more than {MOST_NAMES:,} names", "move old files away")
            if fnmatchcase(entry.name, pattern) and not entry.name.startswith(".") and entry.name.isprintable():
                try:
                    told = os.stat(entry.name, dir_fd=parent, follow_symlinks=False)
                except FileNotFoundError:  # moved away meanwhile
                    continue
                if stat.S_IFMT(told.st_mode) in wanted:
                    found.append((told.st_mtime, entry.name))
    if not found:
        raise LiandunError(f"there is no file {pattern}")
    settled = [one for one in found if one[0] <= time.time() - SETTLED]
    if not settled:
        raise LiandunError(f"{max(found)[1]} was written within the last minute: it may not be whole yet")
    return max(settled)[1]


def _copied(parent: int, name: str, target: Path) -> str:
    """Copy a file, or the files of a folder; returns when it was written. Raises OSError, LiandunError."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return _moment(_copy(descriptor, target, MOST_OCTETS))
        target.mkdir()
        moments: list[float] = []
        left = MOST_TOGETHER
        for inner in sorted(os.listdir(descriptor)):
            if (
                inner.startswith(".")
                or not inner.isprintable()
                or not stat.S_ISREG(os.stat(inner, dir_fd=descriptor, follow_symlinks=False).st_mode)
            ):
                continue
            if len(moments) >= MOST_FILES:
                raise LiandunError(f"{name} has more than {MOST_FILES} files (limit)")
            opened = os.open(inner, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
            try:
                moments.append(_copy(opened, target / inner, left))
            finally:
                os.close(opened)
            left -= (target / inner).stat().st_size
    finally:
        os.close(descriptor)
    if not moments:
        raise LiandunError(f"{name} holds no file")
    return _moment(min(moments))


def _copy(descriptor: int, target: Path, most: int) -> float:
    """Returns when the file was written, in seconds of the epoch.

    Raises LiandunError where it is larger than ``most`` octets, or was written within the last minute, or while it was copied.
    """
    told = os.fstat(descriptor)
    if not stat.S_ISREG(told.st_mode):
        raise LiandunError(f"{target.name} is no plain file")
    if told.st_size > most:
        raise LiandunError(f"{target.name} is too large", f"limit: {most >> 20} MiB")
    if told.st_mtime > time.time() - SETTLED:
        raise LiandunError(f"{target.name} was written within the last minute: it may not be whole yet")
    left = told.st_size
    with os.fdopen(os.dup(descriptor), "rb") as source, target.open("xb") as copy:
        while left and (octets := source.read(min(left, _CHUNK))):  # what grows meanwhile does not fill our disk
            copy.write(octets)
            left -= len(octets)
    after = os.fstat(descriptor)
    if left or (after.st_size, after.st_mtime_ns) != (told.st_size, told.st_mtime_ns):
        raise LiandunError(f"{target.name} was written while it was read")
    return told.st_mtime


def _moment(seconds: float) -> str:
    """Never later than now, whatever the clock of who wrote it said."""
    return timestamp(datetime.fromtimestamp(min(max(seconds, 0), time.time()), UTC))


def _check_age(found: Found, days: int) -> None:
    age = datetime.now(UTC) - datetime.fromisoformat(found.at)
    if age.days >= days:
        raise LiandunError(f"{found.name} is of {found.at[:10]}, {days} days old or more", "hand in a newer one")
