"""The plain modes of SM4 (GB/T 17964-2021): ECB, CBC with PKCS#7 padding, CTR, CFB, OFB. None of them notices a change.

They run in the OpenSSL of the ``cryptography`` wheel, which releases the GIL. Keys and blocks have 16 bytes.
"""

from __future__ import annotations

from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.modes import Mode

from crypto.errors import BackendError, CryptoError, DecryptionError

KEY_SIZE = BLOCK_SIZE = 16


def encrypt_cbc(key: bytes, iv: bytes, plaintext: bytes, padded: bool = True) -> bytes:
    """CBC; ``padded=False`` takes whole blocks as they are."""
    if padded:
        padder = padding.PKCS7(8 * BLOCK_SIZE).padder()
        plaintext = padder.update(plaintext) + padder.finalize()
    return _whole_blocks(_cipher(key, modes.CBC(_block(iv))).encryptor(), plaintext)


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes, padded: bool = True) -> bytes:
    """Inverse. Raises DecryptionError for a wrong padding: never tell it to a remote sender, who could decrypt by asking."""
    plaintext = _whole_blocks(_cipher(key, modes.CBC(_block(iv))).decryptor(), ciphertext)
    if not padded:
        return plaintext
    unpadder = padding.PKCS7(8 * BLOCK_SIZE).unpadder()
    try:
        return unpadder.update(plaintext) + unpadder.finalize()
    except ValueError as error:
        raise DecryptionError("the SM4-CBC ciphertext does not open: another key, or it was changed") from error


def encrypt_ecb(key: bytes, plaintext: bytes) -> bytes:
    """ECB of whole blocks; equal blocks stay equal, so only for other formats and for tests."""
    return _whole_blocks(_cipher(key, modes.ECB()).encryptor(), plaintext)  # noqa: S305


def decrypt_ecb(key: bytes, ciphertext: bytes) -> bytes:
    return _whole_blocks(_cipher(key, modes.ECB()).decryptor(), ciphertext)  # noqa: S305


def crypt_ctr(key: bytes, counter: bytes, octets: bytes) -> bytes:
    """CTR, both ways; ``counter`` is the first 16-byte counter block, never used twice with a key."""
    return _cipher(key, modes.CTR(_block(counter))).encryptor().update(octets)


def crypt_ofb(key: bytes, iv: bytes, octets: bytes) -> bytes:
    """OFB, both ways."""
    return _cipher(key, modes.OFB(_block(iv))).encryptor().update(octets)


def encrypt_cfb(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """CFB with 128-bit feedback."""
    return _cipher(key, modes.CFB(_block(iv))).encryptor().update(plaintext)


def decrypt_cfb(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    return _cipher(key, modes.CFB(_block(iv))).decryptor().update(ciphertext)


def _cipher(key: bytes, mode: Mode) -> Cipher[None]:
    if len(key) != KEY_SIZE:
        raise CryptoError("an SM4 key has 16 bytes")
    try:
        return cast("Cipher[None]", Cipher(algorithms.SM4(key), mode))  # the stubs tell modes with a tag from those without
    except UnsupportedAlgorithm as error:
        raise BackendError("the installed cryptography has no SM4; install version 50 or later") from error


def _block(iv: bytes) -> bytes:
    if len(iv) != BLOCK_SIZE:
        raise CryptoError("the initial vector of SM4 has 16 bytes")
    return iv


def _whole_blocks(context: CipherContext, octets: bytes) -> bytes:
    if len(octets) % BLOCK_SIZE:
        raise CryptoError("this mode of SM4 takes whole blocks of 16 bytes")
    return context.update(octets) + context.finalize()
