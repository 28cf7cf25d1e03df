"""The key that signs heads of the audit trail: its own, SM2 (GB/T 32918), kept outside of the database and sealed.

The private key lies in ``<data>/secret/audit-<id>.key``: PEM sealed under the master key (crypto.secret). The public keys are in
the table ``audit_keys`` and, beside the heads, in the head file. Each key is endorsed by the one before it, the first by itself:

    liandun audit key v1 \\n log id \\n number \\n key id \\n from size \\n time \\n id of the endorsing key \\n

A key id is the first 128 bits of SM3 over the DER of the public key (SubjectPublicKeyInfo), hex; the log id is the id of the first
key. Key n signs the heads of trees larger than its ``from_size`` and not larger than that of key n + 1. A key that was replaced is
erased, so that old heads cannot be made afterwards.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path

from crypto.merkle import HASH_SIZE
from crypto.private_file import sync_folder, write_private
from crypto.secret import MasterKey, SecretError
from crypto.sm2 import PrivateKey, PublicKey
from crypto.sm3 import sm3
from kernel.errors import LiandunError
from operations.audit.schema import PublicKeyRecord

ID_BYTES = HASH_SIZE // 2


class KeyProblem(LiandunError):
    """The signing key cannot be used: lost, sealed under another master key, or not the one of the public history."""


def key_id(public: PublicKey) -> str:
    """The id of a public key."""
    return sm3(public.to_der())[:ID_BYTES].hex()


def statement(log: str, number: int, key: str, from_size: int, time: str, by: str) -> bytes:
    """What the endorsing key signs."""
    return "".join(f"{part}\n" for part in ("liandun audit key v1", log, number, key, from_size, time, by)).encode()


def record(
    private: PrivateKey, endorser: PrivateKey, history: Sequence[PublicKeyRecord], from_size: int, time: str
) -> PublicKeyRecord:
    """The public record of a new key, endorsed."""
    public, by = private.public, key_id(endorser.public)
    new, number = key_id(public), len(history) + 1
    log = history[0].id if history else new
    signature = endorser.sign(statement(log, number, new, from_size, time, by))
    return PublicKeyRecord(number, new, public.to_pem(), time, from_size, by, base64.b64encode(signature).decode())


def signed(public: PublicKey, message: bytes, signature: str) -> bool:
    """True where ``signature`` (base64 of DER) is one of ``public`` over ``message``."""
    try:
        der = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return public.verify(message, der)


class Keyring:
    """The public keys of a trail, in their order, each endorsed by the one before."""

    def __init__(self, history: Sequence[PublicKeyRecord]) -> None:
        """Raises KeyProblem where a key is not what it says or not endorsed by the key before it."""
        self.history = list(history)
        self.log = history[0].id if history else ""
        self._public: dict[str, PublicKey] = {}
        before: PublicKeyRecord | None = None
        for number, key in enumerate(history, 1):
            self._public[key.id] = _public(key)
            self._check(key, number, before)
            before = key

    def _check(self, key: PublicKeyRecord, number: int, before: PublicKeyRecord | None) -> None:
        by = key.id if before is None else before.id
        told = statement(self.log, number, key.id, key.from_size, key.time, by)
        if key.number != number or key.endorsed_by != by or not signed(self._public[by], told, key.endorsement):
            raise KeyProblem(f"audit key {number} ({key.id}) is not endorsed by the key before it")
        if key.from_size < (before.from_size if before else 0):
            raise KeyProblem(f"audit key {number} ({key.id}) begins before the key it replaced")

    def signer_of(self, size: int) -> str:
        """The id of the key that signs a head of a tree with ``size`` entries ("" where there is none yet)."""
        return next((key.id for key in reversed(self.history) if key.from_size < size), "")

    def signed(self, key: str, message: bytes, signature: str) -> bool:
        """True where the key of that id is one of ours and signed ``message``."""
        return key in self._public and signed(self._public[key], message, signature)


class KeyStore:
    """The folder of the sealed private keys."""

    def __init__(self, folder: Path, master: MasterKey) -> None:
        self._folder = folder
        self._master = master

    def path(self, key: str) -> Path:
        return self._folder / f"audit-{key}.key"

    def save(self, private: PrivateKey) -> str:
        """Seal and keep a new key; returns its id. It is on disk when this returns."""
        key = key_id(private.public)
        sealed = self._master.seal(private.to_pem().encode(), context=key_context(key))
        write_private(self.path(key), (sealed + "\n").encode())
        return key

    def paths(self) -> list[tuple[str, Path]]:
        """Id and file of every private key that is here."""
        return [(path.stem.removeprefix("audit-"), path) for path in sorted(self._folder.glob("audit-*.key"))]

    def load(self, key: str) -> PrivateKey:
        """The private key of that id. Raises KeyProblem."""
        path = self.path(key)
        try:
            pem = self._master.unseal(path.read_text("ascii").strip(), context=key_context(key))
        except FileNotFoundError as error:
            raise KeyProblem(
                f"the signing key of the audit trail is lost: {path}", "bring it back from the backup of the data directory"
            ) from error
        except (OSError, SecretError, UnicodeDecodeError) as error:
            raise KeyProblem(f"the signing key of the audit trail cannot be opened: {path}: {error}") from error
        private = PrivateKey.from_pem(pem.decode())
        if key_id(private.public) != key:
            raise KeyProblem(f"{path} holds another key than its name says")
        return private

    def erase(self, key: str) -> None:
        """Forget a key that was replaced."""
        self.path(key).unlink(missing_ok=True)
        sync_folder(self._folder)


def key_context(key: str) -> str:
    """What a sealed signing key is bound to."""
    return f"audit-key:{key}"


def _public(key: PublicKeyRecord) -> PublicKey:
    try:
        public = PublicKey.from_pem(key.public)
    except ValueError as error:
        raise KeyProblem(f"audit key {key.number} cannot be read: {error}") from error
    if key_id(public) != key.id:
        raise KeyProblem(f"audit key {key.number} is not the one its id {key.id} names")
    return public
