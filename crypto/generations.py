"""The key file: the generations of the master key, each as its keeper protects it (crypto.keepers).

    file = KeyFile(Path("/var/lib/liandun/secret/master.key"), lambda: FILE_ONLY)
    with file.locked():
        contents = file.add(file.read())       # a new generation, the active one from now on
    file.reveal(contents.generation(2))        # its 16 bytes

The file is JSON, mode 0600, always replaced as a whole. The active generation, which has the highest number, seals; older ones
open what they have sealed until nothing refers to them (operations.secrets). Files of earlier versions hold only the 32 hex digits
of generation 1; the first change rewrites them. ``check`` is derived from the key (HKDF-SM3): a damaged or exchanged key is told
before anything is sealed with it. It says nothing about the key.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from crypto.derive import hkdf_sm3
from crypto.errors import SecretError
from crypto.keepers import FILE_ONLY, NAMES, Keepers
from crypto.private_file import only_one, read_private, remove_leftovers, write_private

KEY_SIZE = 16
_FORMAT = "liandun master key 1"
_HEX = re.compile(rb"[0-9a-fA-F]{32}")
_PATIENCE = 60.0


class Generation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One master key. ``kept`` is its text as the keeper gave it; ``made`` UTC (ISO 8601), "" where it is not known."""

    number: int
    keeper: str
    kept: str
    check: str = ""
    made: str = ""

    def __repr__(self) -> str:
        return f"Generation({self.number}, {self.keeper})"


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All generations, oldest first; the last one is active."""

    format: str
    generations: list[Generation]

    @property
    def active(self) -> Generation:
        return self.generations[-1]

    def generation(self, number: int) -> Generation | None:
        return next((one for one in self.generations if one.number == number), None)


class KeyFile:
    """The file at ``path``; ``keepers`` gives the keepers as configured at that moment. Methods raise SecretError."""

    def __init__(self, path: Path, keepers: Callable[[], Keepers] = lambda: FILE_ONLY) -> None:
        self.path = path
        self._keepers = keepers

    @property
    def chosen(self) -> str:
        """Name of the keeper that protects new generations."""
        return self._keepers().chosen

    def locked(self, patience: float = 0.0) -> AbstractContextManager[None]:
        """Only one process at a time changes keys; needed around :meth:`add`, :meth:`move` and :meth:`keep`."""
        busy = "another command is changing the master key or copying it (rotate, move, backup): wait until it is done"
        return only_one(self.path.with_name("master.lock"), patience, busy)

    def mark(self) -> tuple[int, ...]:
        """Differs after each change of the file; cheap. () where there is no file."""
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size

    def read(self) -> Contents:
        """What the file holds. Raises SecretError where there is none."""
        try:
            return parse(read_private(self.path))
        except FileNotFoundError as error:
            raise SecretError(f"there is no key file {self.path}: bring it back from the backup of the master key") from error
        except SecretError as error:
            raise SecretError(str(error).replace("the key file is", f"the key file {self.path} is")) from error

    def make_if_none(self) -> None:
        """Where there is no file, make one with a first generation by the chosen keeper."""
        if os.path.lexists(self.path):
            return
        with self.locked(_PATIENCE):
            if not os.path.lexists(self.path):
                first = Contents(_FORMAT, [self._protected(1, secrets.token_bytes(KEY_SIZE), self._keepers().chosen)])
                write_private(self.path, _text(first), new=True)

    def reveal(self, generation: Generation) -> bytes:
        """The key. Raises SecretError where the keeper does not give it, or gives another one."""
        key = self._keepers().named(generation.keeper).reveal(generation.kept, generation.number)
        if len(key) != KEY_SIZE:
            raise SecretError(f"the key file {self.path} is damaged: generation {generation.number} has not 16 bytes")
        if generation.check and not hmac.compare_digest(check_of(key, generation.number), generation.check):
            raise SecretError(
                f"the key file {self.path} is damaged: generation {generation.number} is not the key that was put there"
            )
        return key

    def add(self, contents: Contents) -> Contents:
        """A new random generation by the chosen keeper, written before this returns."""
        number = contents.active.number + 1
        fresh = self._protected(number, secrets.token_bytes(KEY_SIZE), self._keepers().chosen)
        return self._write([*contents.generations, fresh])

    def move(self, contents: Contents, keeper: str) -> Contents:
        """All generations protected by ``keeper``. The keys stay the same, so nothing that is sealed changes."""
        moved = [
            one if one.keeper == keeper else self._protected(one.number, self.reveal(one), keeper, one.made)
            for one in contents.generations
        ]
        return self._write(moved)

    def keep(self, contents: Contents, wanted: Callable[[Generation], bool]) -> Contents:
        """Forget all generations but the active one and those that are ``wanted``."""
        return self._write([one for one in contents.generations if one is contents.active or wanted(one)])

    def _protected(self, number: int, key: bytes, keeper: str, made: str = "") -> Generation:
        """Never relied upon before the keeper has given it back."""
        chosen = self._keepers().named(keeper)
        kept = chosen.protect(key, number)
        if not hmac.compare_digest(chosen.reveal(kept, number), key):
            raise SecretError(f"the keeper {keeper} does not give back the key that it was given; nothing was changed")
        return Generation(number, keeper, kept, check_of(key, number), made or datetime.now(UTC).isoformat(timespec="seconds"))

    def _write(self, generations: list[Generation]) -> Contents:
        contents = Contents(_FORMAT, generations)
        remove_leftovers(self.path)
        write_private(self.path, _text(contents))
        return contents


def parse(content: bytes) -> Contents:
    """The contents of a key file. Raises SecretError for anything but what KeyFile or an earlier version has written."""
    content = content.strip()
    if _HEX.fullmatch(content):
        return Contents(_FORMAT, [Generation(1, "file", content.decode().lower())])
    if not content.startswith(b"{"):
        raise SecretError("the key file is damaged: 32 hex digits are expected, or JSON")
    try:
        contents = msgspec.json.decode(content, type=Contents)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise SecretError("the key file is damaged: it cannot be read as JSON with generations") from None
    numbers = [one.number for one in contents.generations]
    if contents.format != _FORMAT:
        raise SecretError("the key file is of another version of Liandun")
    known = all(one.keeper in NAMES for one in contents.generations)
    if not numbers or numbers[0] < 1 or numbers != sorted(set(numbers)) or not known:
        raise SecretError("the key file is damaged: its generations are not in order")
    return contents


def opened(file: KeyFile, contents: Contents) -> bytes:
    """A key file with the same generations, kept by nothing but the file: for a backup that needs no device."""
    generations = [
        Generation(one.number, "file", key.hex(), check_of(key, one.number), one.made)
        for one in contents.generations
        for key in (file.reveal(one),)
    ]
    return _text(Contents(_FORMAT, generations))


def _text(contents: Contents) -> bytes:
    return msgspec.json.format(msgspec.json.encode(contents), indent=1) + b"\n"


def check_of(key: bytes, number: int) -> str:
    """What ``check`` of a generation has to be."""
    return hkdf_sm3(key, b"", b"liandun master key check %d" % number, 16).hex()
