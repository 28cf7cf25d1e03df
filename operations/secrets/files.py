"""Sealed values in files: signing keys of the audit trail, passwords in the configuration file and in the environment."""

from __future__ import annotations

import os
import re
import secrets
from collections import Counter
from pathlib import Path
from typing import Protocol

from crypto.errors import SecretError
from crypto.private_file import read_private, remove_leftovers, sync_folder, write_private
from crypto.secret import MARK, MasterKey, generation_of
from operations.audit.head_file import HeadFile
from operations.audit.keys import KeyStore, key_context
from operations.secrets.schema import UNKNOWN, Found, Resealed, Stuck, Tell

_SEALED = re.compile(re.escape(MARK) + r"v[0-9]+:[A-Za-z0-9+/=:]+")


class FilePlace(Protocol):
    """Files that hold sealed values."""

    place: str

    def count(self) -> Found:
        """By generation."""

    def reseal(self, key: MasterKey, tell: Tell) -> Resealed:
        """Seal again what older generations have sealed."""


class AuditKeys:
    """The private keys of the audit trail, ``<data>/secret/audit-<id>.key``."""

    place = "signing keys of the audit trail"

    def __init__(self, store: KeyStore, head_file: HeadFile) -> None:
        self._store, self._head_file = store, head_file

    def count(self) -> Found:
        found: Counter[int] = Counter()
        for _, path in self._store.paths():
            try:
                found[generation_of(read_private(path).decode("ascii"))] += 1
            except FileNotFoundError:
                continue  # replaced in this moment
            except (OSError, SecretError, UnicodeDecodeError):
                found[UNKNOWN] += 1
        return Found(self.place, dict(sorted(found.items())))

    def reseal(self, key: MasterKey, tell: Tell) -> Resealed:
        outcome = Resealed()
        with self._head_file.locked():  # nobody signs, makes or erases a key meanwhile
            for name, path in self._store.paths():
                remove_leftovers(path)  # of a rotation that was killed
                try:
                    sealed = read_private(path).decode("ascii").strip()
                    if generation_of(sealed) == key.generation:
                        continue
                    write_private(path, (key.reseal(sealed, key_context(name)) + "\n").encode())
                except (OSError, SecretError, UnicodeDecodeError) as error:
                    outcome.stuck.append(Stuck(f"{self.place}: {path.name}", str(error)))
                else:
                    outcome.done += 1
                    tell(self.place, 1)
        return outcome


class Settings:
    """Sealed texts of the configuration file, which keeps its owner, mode, comments and order; and those of the environment, which
    only its owner can change.
    """

    place = "configuration"

    def __init__(self, file: Path | None, environment: dict[str, str], context: str) -> None:
        """
        file         the configuration file
        environment  name → sealed text
        context      what they are bound to
        """
        self._file, self._environment, self._context = file, environment, context

    def count(self) -> Found:
        texts = [*_SEALED.findall(self._read()), *self._environment.values()]
        return Found(self.place, dict(sorted(Counter(map(generation_of, texts)).items())))

    def reseal(self, key: MasterKey, tell: Tell) -> Resealed:
        outcome = Resealed()
        for name, sealed in self._environment.items():
            if generation_of(sealed) != key.generation:
                outcome.stuck.append(Stuck(f"environment: {name}", "seal it again (./liandun store seal) and set it anew"))
        if self._file is not None:
            remove_leftovers(self._file.resolve())
        content = self._read()
        changed = content
        for sealed in sorted(set(_SEALED.findall(content))):
            if generation_of(sealed) == key.generation:
                continue
            try:
                changed = changed.replace(sealed, key.reseal(sealed, self._context))
            except SecretError as error:
                outcome.stuck.append(Stuck(f"{self._file}", str(error)))
            else:
                outcome.done += 1
        if self._file is not None and changed != content:
            try:
                _replace(self._file.resolve(), changed)
            except OSError as error:
                reason = f"cannot be written ({error.strerror}): run as its owner, or seal again (./liandun store seal)"
                return Resealed(0, [*outcome.stuck, Stuck(f"{self._file}", reason)])
            tell(self.place, outcome.done)
        return outcome

    def _read(self) -> str:
        if self._file is None:
            return ""
        try:
            return self._file.read_text("utf-8")
        except FileNotFoundError:
            return ""


def _replace(path: Path, content: str) -> None:
    """As a whole, with the owner and mode of before."""
    before = path.stat()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), before.st_mode & 0o777)
            file.write(content.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
