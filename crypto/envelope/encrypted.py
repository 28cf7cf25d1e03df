"""EncryptedData (GB/T 35275-2017 clause 11): content under an SM4 key that both sides have already (from an exchange, say)."""

from __future__ import annotations

from crypto.der import encode_integer, encode_sequence
from crypto.envelope.enveloped import ContentCipher, encrypt_content, read_encrypted
from crypto.envelope.syntax import ENCRYPTED, as_der, content_info, read_content_info
from crypto.errors import InvalidKeyError
from crypto.sm4 import KEY_SIZE

_WHAT = "encrypted message"


def encrypt_data(content: bytes, key: bytes, cipher: ContentCipher = "sm4-gcm") -> bytes:
    """EncryptedData in DER; ``key`` has 16 bytes and is used for fewer than 2**32 messages (random nonces of SM4-GCM)."""
    return content_info(ENCRYPTED, encode_sequence(encode_integer(1), encrypt_content(content, cipher, _checked(key))))


def open_encrypted(octets: bytes, key: bytes, *, ber: bool = True) -> bytes:
    """The content. Raises EncodingError, DecryptionError (SM4-CBC notices changes only by chance)."""
    body = read_content_info(as_der(octets, _WHAT, ber), ENCRYPTED, _WHAT)
    encrypted = read_encrypted(body, _WHAT, ber)
    body.end()
    return encrypted.open(_checked(key))


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise InvalidKeyError(f"an SM4 key has {KEY_SIZE} bytes")
    return key
