"""Secrets at rest: sealed with SM4-GCM (GB/T 32907-2016; GCM after GB/T 36624-2018) under a master key kept outside the database.

    key = MasterKey.load(Path("/var/lib/liandun/master.key"))    # made at first use, mode 0600
    sealed = key.seal(b"whsec…", context="webhook:7")
    key.unseal(sealed, context="webhook:7")

``context`` is authenticated: a sealed value moved to another row does not open. Whoever has the database without the key file
learns nothing; losing the key file loses the secrets, so back it up apart.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from crypto.errors import CryptoError, DecryptionError
from crypto.sm4.gcm import NONCE_SIZE, TAG_SIZE, decrypt_gcm, encrypt_gcm

_PREFIX = "sm4-gcm:v1:"


class SecretError(CryptoError):
    """A secret or the master key cannot be used; the message says why, never what it holds."""


class MasterKey:
    """A 128-bit SM4 key. Its text form never appears in repr or logs."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 16:
            raise SecretError("a master key has 16 bytes")
        self._key = key

    @classmethod
    def load(cls, path: Path) -> MasterKey:
        """Read the key file; make it (random, mode 0600) where there is none yet. Refuses a file that others may read."""
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            pass
        except OSError as error:
            raise SecretError(f"the key file {path} cannot be made: {error.strerror}") from error
        else:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(16) + "\n")
                file.flush()
                os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise SecretError(f"the key file {path} is readable by others (mode {mode:04o}); run: chmod 600 {path}")
        try:
            return cls(bytes.fromhex(path.read_text("ascii").strip()))
        except (OSError, ValueError) as error:
            raise SecretError(f"the key file {path} is damaged: 32 hex digits are expected") from error

    def seal(self, plaintext: bytes, context: str) -> str:
        """Text that only this key opens, and only for the same ``context``."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        sealed = encrypt_gcm(self._key, nonce, plaintext, context.encode())
        ciphertext, tag = sealed[:-TAG_SIZE], sealed[-TAG_SIZE:]
        return _PREFIX + base64.b64encode(nonce + tag + ciphertext).decode()

    def unseal(self, sealed: str, context: str) -> bytes:
        """Inverse of :meth:`seal`. Raises SecretError for another key, another context, or damage."""
        try:
            blob = base64.b64decode(sealed.removeprefix(_PREFIX), validate=True) if sealed.startswith(_PREFIX) else b""
        except ValueError:
            blob = b""
        if len(blob) < NONCE_SIZE + TAG_SIZE:
            raise SecretError("this is not a sealed secret")
        nonce, tag, ciphertext = blob[:NONCE_SIZE], blob[NONCE_SIZE : NONCE_SIZE + TAG_SIZE], blob[NONCE_SIZE + TAG_SIZE :]
        try:
            return decrypt_gcm(self._key, nonce, ciphertext + tag, context.encode())
        except DecryptionError as error:
            raise SecretError("the secret does not open: wrong master key, or it was changed") from error
