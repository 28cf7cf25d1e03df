"""SM2 keys and what they do: sign, verify (GB/T 32918.2-2016), encrypt, decrypt (GB/T 32918.4-2016).

    key = PrivateKey.generate()
    signature = key.sign(b"message")                    # DER; ident and encoding on request
    key.public.verify(b"message", signature)            # True or False, never an exception for a bad signature
    key.decrypt(key.public.encrypt(b"16 to some KB"))   # for more, seal a key: crypto.stream

Invariants: a private key is in 1..n-2, a public key is a point of the curve and not infinity, both checked before any library
sees them. Key files are in ``keyfile``; the agreement of a common key in ``exchange``.
"""

from __future__ import annotations

import functools
import hmac
import secrets
from typing import NoReturn, Self

from crypto.derive import sm2_kdf
from crypto.errors import CryptoError, DecryptionError, EncodingError, InvalidKeyError
from crypto.sm2 import keyfile
from crypto.sm2.ciphertext import Ciphertext, CiphertextEncoding, check_encoding, decode_ciphertext, encode_ciphertext
from crypto.sm2.curve import SIZE, N, compress_point, decode_point
from crypto.sm2.digest import DEFAULT_IDENT, message_digest
from crypto.sm2.engine import Signer, Verifier, engine
from crypto.sm2.keyfile import KeyScheme
from crypto.sm2.signature import SignatureEncoding, decode_signature, encode_signature
from crypto.sm3 import sm3

_UNREADABLE = "the SM2 ciphertext does not open: another key, or it was changed"


class PublicKey:
    """A point of the curve. Equal keys compare and hash equal."""

    __slots__ = ("__weakref__", "_point", "_verifier")

    def __init__(self, point: bytes) -> None:
        self._point = decode_point(point)
        self._verifier: Verifier | None = None

    @classmethod
    def from_bytes(cls, octets: bytes) -> Self:
        """From 65 bytes ``04 x y`` or 33 bytes ``02|03 x``. Raises InvalidKeyError."""
        return cls(octets)

    @classmethod
    def from_der(cls, spki: bytes) -> Self:
        """From a SubjectPublicKeyInfo (RFC 5480). Raises EncodingError, InvalidKeyError."""
        return cls(keyfile.read_spki(spki))

    @classmethod
    def from_pem(cls, text: str | bytes) -> Self:
        """From ``-----BEGIN PUBLIC KEY-----``."""
        return cls(keyfile.read_spki(keyfile.unarmour_public(text)))

    def to_bytes(self, compressed: bool = False) -> bytes:
        return compress_point(self._point) if compressed else self._point

    def to_der(self) -> bytes:
        return keyfile.write_spki(self._point)

    def to_pem(self) -> str:
        return keyfile.armour("PUBLIC KEY", self.to_der())

    def verify(self, message: bytes, signature: bytes, ident: bytes = DEFAULT_IDENT, encoding: SignatureEncoding = "der") -> bool:
        """True where this key signed ``message`` under ``ident``. Malformed signatures are false, not errors."""
        return self.verify_digest(message_digest(self._point, message, ident), signature, encoding)

    def verify_digest(self, e: bytes, signature: bytes, encoding: SignatureEncoding = "der") -> bool:
        """The same for e = SM3(Z, message), 32 bytes (``digest.message_hasher`` makes it from a stream)."""
        if len(e) != SIZE:
            raise CryptoError("the digest of an SM2 signature has 32 bytes")
        try:
            raw = decode_signature(signature, encoding)
        except EncodingError:
            return False
        if self._verifier is None:
            self._verifier = engine().verifier(self._point)
        return self._verifier.verify(e, encode_signature(raw, "der"))

    def encrypt(self, plaintext: bytes, encoding: CiphertextEncoding = "der") -> bytes:
        """For the holder of the private key only; 97 bytes and more longer than ``plaintext``, which has at least one byte."""
        check_encoding(encoding)
        if not plaintext:
            raise CryptoError("SM2 encrypts at least one byte")
        while True:
            k = _random_scalar(N - 1)
            c1, shared = engine().multiply(k), engine().multiply(k, self._point)
            stream = sm2_kdf(shared[1:], len(plaintext))
            if any(stream):  # clause 6.1, A5: an all-zero key stream would send the plaintext itself
                break
        c3 = sm3(shared[1 : 1 + SIZE] + plaintext + shared[1 + SIZE :])
        return encode_ciphertext(Ciphertext(c1, _xor(plaintext, stream), c3), encoding)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self._point == other._point

    def __hash__(self) -> int:
        return hash(self._point)

    def __repr__(self) -> str:
        return f"PublicKey({self.to_bytes(compressed=True).hex()})"

    def __reduce__(self) -> tuple[type[PublicKey], tuple[bytes]]:
        return PublicKey, (self._point,)


class PrivateKey:
    """A number of 1..n-2. It never appears in repr and is never pickled."""

    def __init__(self, scalar: bytes) -> None:
        if len(scalar) != SIZE:
            raise InvalidKeyError("an SM2 private key has 32 bytes")
        if not 1 <= int.from_bytes(scalar) <= N - 2:
            raise InvalidKeyError("an SM2 private key is a number of 1..n-2")
        self._scalar = bytes(scalar)

    @classmethod
    def generate(cls) -> Self:
        """A new key from the randomness of the operating system."""
        return cls(_random_scalar(N - 2))

    @classmethod
    def from_scalar(cls, scalar: int | bytes) -> Self:
        """From the number itself, or its 32 bytes. Raises InvalidKeyError."""
        if isinstance(scalar, int):
            if not 1 <= scalar <= N - 2:
                raise InvalidKeyError("an SM2 private key is a number of 1..n-2")
            scalar = scalar.to_bytes(SIZE)
        return cls(scalar)

    @classmethod
    def from_der(cls, octets: bytes, password: bytes | str | None = None) -> Self:
        """From PKCS#8 (plain, or PBES2 with ``password``) or SEC 1. A public key inside must belong to it."""
        return cls._checked(*keyfile.read_private(octets, password))

    @classmethod
    def from_pem(cls, text: str | bytes, password: bytes | str | None = None) -> Self:
        """The same from ``PRIVATE KEY``, ``ENCRYPTED PRIVATE KEY`` or ``EC PRIVATE KEY``."""
        return cls._checked(*keyfile.read_private(keyfile.unarmour_private(text), password))

    @classmethod
    def _checked(cls, scalar: bytes, point: bytes | None) -> Self:
        key = cls(scalar)
        if point is not None and PublicKey(point) != key.public:
            raise InvalidKeyError("the public key in the file does not belong to its private key")
        return key

    @functools.cached_property
    def public(self) -> PublicKey:
        return PublicKey(engine().multiply(self._scalar))

    @functools.cached_property
    def _signer(self) -> Signer:
        return engine().signer(self._scalar, self.public.to_bytes())

    def to_bytes(self) -> bytes:
        """The secret number in 32 bytes."""
        return self._scalar

    def to_der(self, password: bytes | str | None = None, scheme: KeyScheme = "pbes2-sm3") -> bytes:
        """PKCS#8; encrypted under ``password`` where there is one (``keyfile.KeyScheme`` says how)."""
        return keyfile.write_private(self._scalar, self.public.to_bytes(), password, scheme)

    def to_pem(self, password: bytes | str | None = None, scheme: KeyScheme = "pbes2-sm3") -> str:
        return keyfile.armour("PRIVATE KEY" if password is None else "ENCRYPTED PRIVATE KEY", self.to_der(password, scheme))

    def sign(self, message: bytes, ident: bytes = DEFAULT_IDENT, encoding: SignatureEncoding = "der") -> bytes:
        """A signature of ``message`` by ``ident`` (at most 8,191 bytes); another one at every call."""
        return self.sign_digest(message_digest(self.public.to_bytes(), message, ident), encoding)

    def sign_digest(self, e: bytes, encoding: SignatureEncoding = "der") -> bytes:
        """The same for e = SM3(Z, message), 32 bytes."""
        if len(e) != SIZE:
            raise CryptoError("the digest of an SM2 signature has 32 bytes")
        signature = self._signer.sign(e)
        return signature if encoding == "der" else encode_signature(decode_signature(signature, "der"), encoding)

    def decrypt(self, ciphertext: bytes, encoding: CiphertextEncoding = "der") -> bytes:
        """The plaintext. Raises DecryptionError for anything that was not encrypted to this key exactly so."""
        try:
            c1, c2, c3 = decode_ciphertext(ciphertext, encoding)
        except EncodingError as error:
            raise DecryptionError(_UNREADABLE) from error
        shared = engine().multiply(self._scalar, c1)
        stream = sm2_kdf(shared[1:], len(c2))
        plaintext = _xor(c2, stream)
        expected = sm3(shared[1 : 1 + SIZE] + plaintext + shared[1 + SIZE :])
        if not hmac.compare_digest(expected, c3) or not any(stream):
            raise DecryptionError(_UNREADABLE)
        return plaintext

    def __repr__(self) -> str:
        return f"PrivateKey(public {self.public.to_bytes(compressed=True).hex()})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not pickled; seal it (crypto.seal)")


def _random_scalar(largest: int) -> bytes:
    return (secrets.randbelow(largest) + 1).to_bytes(SIZE)


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(len(left))
