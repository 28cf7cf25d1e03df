"""SM4-GCM by the OpenSSL inside of the ``cryptography`` wheel."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto.errors import BackendError

NONCE_SIZES = range(8, 129)
"""Bytes that the wheel takes."""


class WheelGcm:
    """The interface of ``gcm.GcmEngine``."""

    name = "cryptography"

    def encrypt(self, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
        try:
            encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        except UnsupportedAlgorithm as error:
            raise BackendError("the installed cryptography has no SM4-GCM; install version 50 or later") from error
        encryptor.authenticate_additional_data(aad)
        ciphertext = encryptor.update(plaintext)
        encryptor.finalize()
        return ciphertext, encryptor.tag

    def decrypt(self, key: bytes, nonce: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes | None:
        decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag, min_tag_length=len(tag))).decryptor()
        decryptor.authenticate_additional_data(aad)
        plaintext = decryptor.update(ciphertext)
        try:
            decryptor.finalize()
        except InvalidTag:
            return None
        return plaintext
