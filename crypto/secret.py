"""Secrets at rest: sealed with SM4-GCM (GB/T 32907-2016; GCM after GB/T 36624-2018) under a master key kept outside the database.

    key = MasterKey.load(Path("/var/lib/liandun/secret/master.key"))    # made at first use, mode 0600
    sealed = key.seal(b"whsec…", context="webhook:7")                   # sm4-gcm:v2:GENERATION:BASE64
    key.unseal(sealed, context="webhook:7")

``context`` is authenticated: a sealed value moved to another row does not open. Whoever has the database without the key file
learns nothing; losing the key file loses the secrets, so back it up apart. Each sealed value names the generation of the master key
that opens it (``sm4-gcm:v1:BASE64``, of earlier versions, is generation 1). A MasterKey that was loaded follows its file: what
another process rotates (operations.secrets) is in use at the next seal, without a restart.
"""

from __future__ import annotations

import base64
import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

from crypto.errors import DecryptionError, SecretError
from crypto.generations import KEY_SIZE, Generation, KeyFile, check_of
from crypto.keepers import FILE_ONLY, Keepers
from crypto.sm4.gcm import NONCE_SIZE, TAG_SIZE, decrypt_gcm, encrypt_gcm

__all__ = ["MARK", "MasterKey", "SecretError", "generation_of", "prefix_of"]

MARK = "sm4-gcm:"
"""How every sealed value begins."""

_PREFIX = re.compile(r"sm4-gcm:(?:v1|v2:([1-9][0-9]{0,8})):")


def prefix_of(generation: int) -> str:
    """How values begin that this generation seals now."""
    return f"{MARK}v2:{generation}:"


def generation_of(sealed: str) -> int:
    """The generation that opens a sealed value; 0 where it is none."""
    found = _PREFIX.match(sealed)
    return int(found[1] or 1) if found else 0


class MasterKey:
    """The master key in all its generations, 128-bit SM4 keys. Their text form never appears in repr or logs."""

    def __init__(self, key: bytes, generation: int = 1) -> None:
        """One generation that nobody rotates. The platform uses :meth:`load`."""
        if len(key) != KEY_SIZE:
            raise SecretError("a master key has 16 bytes")
        self._keys = {generation: key}
        self._active = generation
        self._known: dict[int, Generation] = {}
        self._file: KeyFile | None = None
        self._mark: tuple[int, ...] = ()
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path, keepers: Callable[[], Keepers] = lambda: FILE_ONLY) -> MasterKey:
        """Read the key file, and make it where there is none yet. Raises SecretError: a file that others may read, a keeper that
        does not give the active generation, damage.
        """
        file = KeyFile(path, keepers)
        file.make_if_none()
        mark = file.mark()  # before reading: what is changed in between is read again
        contents = file.read()
        active = contents.active
        key = cls(file.reveal(active), active.number)
        key._known, key._file, key._mark = {one.number: one for one in contents.generations}, file, mark
        return key

    @property
    def generation(self) -> int:
        """The active generation, as the file has it now."""
        self._follow()
        return self._active

    def seal(self, plaintext: bytes, context: str) -> str:
        """Text that only the active generation of this key opens, and only for the same ``context``.

        Raises SecretError where the key file was changed and cannot be followed: a generation that may be gone seals nothing.
        """
        self._follow()
        generation = self._active
        nonce = secrets.token_bytes(NONCE_SIZE)
        sealed = encrypt_gcm(self._keys[generation], nonce, plaintext, context.encode())
        ciphertext, tag = sealed[:-TAG_SIZE], sealed[-TAG_SIZE:]
        return prefix_of(generation) + base64.b64encode(nonce + tag + ciphertext).decode()

    def unseal(self, sealed: str, context: str) -> bytes:
        """Inverse of :meth:`seal`. Raises SecretError for another key, another context, or damage."""
        prefix = _PREFIX.match(sealed)
        try:
            blob = base64.b64decode(sealed[prefix.end() :], validate=True) if prefix else b""
        except ValueError:
            blob = b""
        if len(blob) < NONCE_SIZE + TAG_SIZE:
            raise SecretError("this is not a sealed secret")
        key = self._key(generation_of(sealed))
        nonce, tag, ciphertext = blob[:NONCE_SIZE], blob[NONCE_SIZE : NONCE_SIZE + TAG_SIZE], blob[NONCE_SIZE + TAG_SIZE :]
        try:
            return decrypt_gcm(key, nonce, ciphertext + tag, context.encode())
        except DecryptionError as error:
            raise SecretError("the secret does not open: wrong master key, or it was changed") from error

    def reseal(self, sealed: str, context: str) -> str:
        """The same secret under the active generation."""
        return self.seal(self.unseal(sealed, context), context)

    def _key(self, generation: int) -> bytes:
        """Older generations are asked of their keeper when something needs them."""
        if generation in self._keys:
            return self._keys[generation]
        self._follow()
        with self._lock:
            if generation in self._keys:
                return self._keys[generation]
            if self._file is None or generation not in self._known:
                raise SecretError(
                    f"the secret was sealed under generation {generation} of the master key, which is not here: "
                    "seal it again, or bring back the key file of that time"
                )
            self._keys[generation] = self._file.reveal(self._known[generation])
            return self._keys[generation]

    def _follow(self) -> None:
        """Take over what the key file says, if it was changed. Keys in memory are not asked of the keeper again: a key that was
        moved needs no restart, and a value that was read before its generation went still opens.
        """
        if self._file is None or (mark := self._file.mark()) == self._mark:
            return
        with self._lock:
            contents = self._file.read()
            for one in contents.generations:
                if one.number in self._keys and one.check not in ("", check_of(self._keys[one.number], one.number)):
                    del self._keys[one.number]  # another file was put there, as from a backup
            active = contents.active
            if active.number not in self._keys:
                self._keys[active.number] = self._file.reveal(active)
            self._known = {one.number: one for one in contents.generations}
            self._active, self._mark = active.number, mark
