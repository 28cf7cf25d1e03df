"""Encrypted private keys: EncryptedPrivateKeyInfo with PBES2 (RFC 8018), the domestic profile (GM/T 0091-2020) and the ordinary
ones.

Written: ``pbes2-sm3`` (PBKDF2-HMAC-SM3, SM4-CBC: read by GmSSL and gmsm; OpenSSL up to 4.0 lacks the PRF),
``pbes2-sm4`` (PBKDF2-HMAC-SHA-256, SM4-CBC: read by OpenSSL 3) and ``pbes2-sha256`` (PBKDF2-HMAC-SHA-256, AES-256-CBC: read by
all). Read: these, and SHA-1, SHA-384, SHA-512 as PRF, AES-128 and AES-192. CBC carries no check value, so a wrong password shows
only by the padding or by what comes out not being a key; either way it is a WrongPasswordError.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Literal, get_args

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto.der import NULL, Reader, encode, encode_integer, encode_object_id, encode_octets, encode_sequence
from crypto.derive import pbkdf2_sm3
from crypto.errors import CryptoError, EncodingError, WrongPasswordError
from crypto.sm4.modes import decrypt_cbc, encrypt_cbc

KeyScheme = Literal["pbes2-sm3", "pbes2-sm4", "pbes2-sha256"]

ITERATIONS = 200_000
"""Written; about a quarter of a second a guess."""
_MOST_ITERATIONS = 20_000_000
"""Read; a file that asks for more is meant to keep us busy."""

_PBES2, _PBKDF2 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12"
_HMAC_SM3, _HMAC_SHA1, _HMAC_SHA256 = "1.2.156.10197.1.401.2", "1.2.840.113549.2.7", "1.2.840.113549.2.9"
_SM4_CBC, _AES_256_CBC = "1.2.156.10197.1.104.2", "2.16.840.1.101.3.4.1.42"
_BLOCK = 16

_PRFS: dict[str, str] = {
    _HMAC_SM3: "sm3",
    _HMAC_SHA1: "sha1",
    _HMAC_SHA256: "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_KEY_BYTES = {_SM4_CBC: 16, "2.16.840.1.101.3.4.1.2": 16, "2.16.840.1.101.3.4.1.22": 24, _AES_256_CBC: 32}
_WRITTEN: dict[KeyScheme, tuple[str, str]] = {
    "pbes2-sm3": (_HMAC_SM3, _SM4_CBC),
    "pbes2-sm4": (_HMAC_SHA256, _SM4_CBC),
    "pbes2-sha256": (_HMAC_SHA256, _AES_256_CBC),
}


def encrypt_pbes2(plain: bytes, password: bytes | str, scheme: KeyScheme = "pbes2-sm3") -> bytes:
    """EncryptedPrivateKeyInfo around a PKCS#8 key."""
    if scheme not in get_args(KeyScheme):
        raise CryptoError(f"unknown key encryption {scheme!r}; there are {', '.join(get_args(KeyScheme))}")
    if not password:
        raise CryptoError("an empty password protects nothing")
    prf, cipher = _WRITTEN[scheme]
    salt, iv = secrets.token_bytes(16), secrets.token_bytes(_BLOCK)
    key = _derive(prf, password, salt, ITERATIONS, _KEY_BYTES[cipher])
    pbkdf2 = encode_sequence(
        encode_octets(salt),
        encode_integer(ITERATIONS),
        encode_integer(_KEY_BYTES[cipher]),
        encode_sequence(encode_object_id(prf), encode(NULL, b"")),
    )
    parameters = encode_sequence(
        encode_sequence(encode_object_id(_PBKDF2), pbkdf2),
        encode_sequence(encode_object_id(cipher), encode_octets(iv)),
    )
    return encode_sequence(
        encode_sequence(encode_object_id(_PBES2), parameters), encode_octets(_cipher(cipher, key, iv).encrypt(plain))
    )


def decrypt_pbes2(octets: bytes, password: bytes | str) -> bytes:
    """The PKCS#8 key inside. Raises EncodingError for what is not PBES2 as above, WrongPasswordError otherwise."""
    outer = Reader(octets, "encrypted private key")
    info = outer.sequence()
    outer.end()
    algorithm = info.sequence()
    ciphertext = info.read(0x04)
    info.end()
    if algorithm.object_id() != _PBES2:
        raise EncodingError("encrypted private key: not PBES2; convert it with: openssl pkcs8 -topk8 -v2 sm4-cbc")
    parameters = algorithm.sequence()
    algorithm.end()
    prf, salt, iterations, asked_bytes = _read_pbkdf2(parameters.sequence())
    cipher, iv = _read_cipher(parameters.sequence())
    parameters.end()
    size = _KEY_BYTES[cipher]
    if asked_bytes not in (None, size):
        raise EncodingError("encrypted private key: the key length does not fit the cipher")
    plain = _cipher(cipher, _derive(prf, password, salt, iterations, size), iv).decrypt(ciphertext)
    try:
        Reader(plain, "private key").sequence()
    except EncodingError as error:
        raise WrongPasswordError("the private key does not open with this password") from error
    return plain


def _read_pbkdf2(function: Reader) -> tuple[str, bytes, int, int | None]:
    if function.object_id() != _PBKDF2:
        raise EncodingError("encrypted private key: its key is not derived by PBKDF2")
    inner = function.sequence()
    function.end()
    salt, iterations, size, prf = inner.read(0x04), inner.integer(), None, _HMAC_SHA1
    if inner.peek() == 0x02:
        size = inner.integer()
    if inner.peek() == 0x30:
        algorithm = inner.sequence()
        prf = algorithm.object_id()
        if algorithm.peek() == NULL:
            algorithm.read(NULL)
        algorithm.end()
    inner.end()
    if prf not in _PRFS:
        raise EncodingError(f"encrypted private key: unknown pseudo-random function {prf}")
    if not 1 <= iterations <= _MOST_ITERATIONS:
        raise EncodingError(f"encrypted private key: {iterations} iterations are not read (at most {_MOST_ITERATIONS})")
    return prf, salt, iterations, size


def _read_cipher(algorithm: Reader) -> tuple[str, bytes]:
    name = algorithm.object_id()
    if name not in _KEY_BYTES:
        raise EncodingError(f"encrypted private key: unknown cipher {name}")
    iv = algorithm.read(0x04)
    algorithm.end()
    if len(iv) != _BLOCK:
        raise EncodingError("encrypted private key: the initial vector has not 16 bytes")
    return name, iv


def _derive(prf: str, password: bytes | str, salt: bytes, iterations: int, size: int) -> bytes:
    octets = password.encode() if isinstance(password, str) else password
    if prf == _HMAC_SM3:
        return pbkdf2_sm3(octets, salt, iterations, size)
    return hashlib.pbkdf2_hmac(_PRFS[prf], octets, salt, iterations, dklen=size)


class _Cbc:
    """One of the two ciphers in CBC with PKCS#7 padding, with key and iv set."""

    def __init__(self, encrypt: Callable[[bytes], bytes], decrypt: Callable[[bytes], bytes]) -> None:
        self.encrypt, self._decrypt = encrypt, decrypt

    def decrypt(self, ciphertext: bytes) -> bytes:
        try:
            return self._decrypt(ciphertext)
        except ValueError as error:
            raise WrongPasswordError("the private key does not open with this password") from error


def _cipher(name: str, key: bytes, iv: bytes) -> _Cbc:
    if name == _SM4_CBC:
        return _Cbc(lambda plain: encrypt_cbc(key, iv, plain), lambda octets: decrypt_cbc(key, iv, octets))
    aes = Cipher(algorithms.AES(key), modes.CBC(iv))

    def encrypt(plain: bytes) -> bytes:
        pad, run = padding.PKCS7(128).padder(), aes.encryptor()
        return run.update(pad.update(plain) + pad.finalize()) + run.finalize()

    def decrypt(octets: bytes) -> bytes:
        unpad, run = padding.PKCS7(128).unpadder(), aes.decryptor()
        return unpad.update(run.update(octets) + run.finalize()) + unpad.finalize()

    return _Cbc(encrypt, decrypt)
