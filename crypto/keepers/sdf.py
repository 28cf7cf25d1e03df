"""A cryptographic device through its SDF interface (GM/T 0018) keeps the master key wrapped.

    keeper = DeviceKeeper(Path("/usr/lib/libswsds.so"), kek=1)

The device makes a session key, which leaves it only encrypted under the device's key-encryption key number ``kek``
(SDF_GenerateKeyWithKEK); under that session key the device encrypts the master key (SDF_Encrypt, SM4-CBC). Both ciphertexts lie in
the key file. The first edition of GM/T 0018 has no authenticated mode, so integrity is checked here: the second block that is
encrypted with the key is the first half of SM3 over generation and key.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from pathlib import Path

from crypto.errors import SecretError
from crypto.keepers.sdf_library import BLOCK, SGD_SM4_CBC, SGD_SM4_ECB, SdfLibrary
from crypto.sm3 import sm3

_PREFIX = "sdf-sm4-cbc:"
WRAPPINGS = {"sm4-ecb": SGD_SM4_ECB, "sm4-cbc": SGD_SM4_CBC}
"""How a device encrypts session keys under its key-encryption key; GM/T 0018 says ECB, some libraries take only CBC."""


class DeviceKeeper:
    """The keeper behind one key-encryption key of one device."""

    name = "sdf"

    def __init__(self, library: Path, *, kek: int = 1, wrapping: str = "sm4-ecb") -> None:
        """
        library   the vendor's shared library
        kek       number of the key-encryption key in the device, made with the vendor's tool
        wrapping  a name of WRAPPINGS
        """
        self._path, self._kek, self._wrapping = library, kek, WRAPPINGS[wrapping]

    def protect(self, key: bytes, generation: int) -> str:
        vector = secrets.token_bytes(BLOCK)
        with SdfLibrary(self._path).session() as session, session.new_key(self._wrapping, self._kek) as (wrapping, wrapped):
            sealed = wrapping.encrypt(vector, key + _check(key, generation))
        return f"{_PREFIX}{base64.b64encode(wrapped).decode()}:{base64.b64encode(vector + sealed).decode()}"

    def reveal(self, kept: str, generation: int) -> bytes:
        first, _, second = kept.removeprefix(_PREFIX).partition(":")
        try:
            wrapped, blob = (base64.b64decode(part, validate=True) for part in (first, second))
        except ValueError:
            wrapped = blob = b""
        if not kept.startswith(_PREFIX) or not wrapped or len(blob) != 3 * BLOCK:
            raise SecretError("the wrapped master key is damaged: bring the key file back from a backup")
        with SdfLibrary(self._path).session() as session, session.imported_key(self._wrapping, self._kek, wrapped) as wrapping:
            opened = wrapping.decrypt(blob[:BLOCK], blob[BLOCK:])
        key = opened[:BLOCK]
        if not hmac.compare_digest(opened[BLOCK:], _check(key, generation)):
            raise SecretError(
                f"the wrapped master key does not open in the device behind {self._path}: it was changed, or another key wrapped it"
            )
        return key

    def examine(self) -> str:
        probe = secrets.token_bytes(BLOCK)
        if self.reveal(self.protect(probe, 0), 0) != probe:
            raise SecretError(f"the device behind {self._path} does not give back what it wrapped")
        return f"SDF device behind {self._path} (GM/T 0018), key-encryption key {self._kek}"


def _check(key: bytes, generation: int) -> bytes:
    return sm3(b"liandun master key %d:" % generation + key)[:BLOCK]
