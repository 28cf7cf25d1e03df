"""Keepers of the master key: what protects it where it lies.

    keepers = Keepers("pkcs11", {"file": FileKeeper(), "pkcs11": TokenKeeper(…)})
    kept = keepers.named("pkcs11").protect(key, generation=2)     # text for the key file (crypto.keyring)
    keepers.named("pkcs11").reveal(kept, generation=2)            # the key again; SecretError where that cannot be

A keeper keeps nothing itself: the text that it gives lies in the key file, and only the keeper makes a key of it again. SM4 runs in
the process (SoftHSM and most tokens offer no SM4 through PKCS#11), so the key is in the process's memory, not in its files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from crypto.errors import SecretError

NAMES = ("file", "pkcs11", "sdf")


class Keeper(Protocol):
    """One way of protecting a master key (16 bytes) of a numbered generation. All methods raise SecretError."""

    @property
    def name(self) -> str:
        """One of NAMES, as written beside each generation in the key file."""

    def protect(self, key: bytes, generation: int) -> str:
        """Text (no white space) that only this keeper opens. May make the wrapping key in the device where there is none yet."""

    def reveal(self, kept: str, generation: int) -> bytes:
        """Inverse of protect. Never makes anything in a device."""

    def examine(self) -> str:
        """Try the device; who protects, in words for people. Changes nothing."""


class FileKeeper:
    """The key lies in the file as hex digits; the file's owner and mode (crypto.private_file) are all that protects it."""

    name = "file"

    def protect(self, key: bytes, generation: int) -> str:
        return key.hex()

    def reveal(self, kept: str, generation: int) -> bytes:
        try:
            return bytes.fromhex(kept)
        except ValueError as error:
            raise SecretError("the key file is damaged: 32 hex digits are expected") from error

    def examine(self) -> str:
        return "the key file itself, mode 0600"


@dataclass(frozen=True)
class Keepers:
    """``known`` keepers by name; the ``chosen`` one protects new generations."""

    chosen: str
    known: Mapping[str, Keeper]

    def named(self, name: str) -> Keeper:
        """Raises SecretError for a keeper that is not configured."""
        if name not in self.known:
            raise SecretError(f"the master key is kept by {name}, which is not configured: see [secrets.{name}] in docs/secrets.md")
        return self.known[name]


FILE_ONLY = Keepers("file", {"file": FileKeeper()})
