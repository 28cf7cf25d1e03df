"""The encryption half of double certificates: its key, made by the authority, goes to the owner sealed to his signing key.

SM2EnvelopedKey of GM/T 0009-2023 clause 7.4 (GM/T 0014's EncryptedPrivateKey)::

    SEQUENCE { algorithm AlgorithmIdentifier, encrypted SM4 key SM2Cipher, public BIT STRING, encrypted private BIT STRING }

The private key is two blocks of SM4-ECB under a key of its own; the structure itself authenticates nothing, so opening it compares
the private with the public key, and the owner compares that with his certificate.
"""

from __future__ import annotations

import secrets

from crypto.der import Reader, encode_bits, encode_object_id, encode_sequence
from crypto.errors import DecryptionError, EncodingError, InvalidKeyError
from crypto.sm2 import PrivateKey, PublicKey
from crypto.sm4 import KEY_SIZE, decrypt_ecb, encrypt_ecb

_SM4, _SM4_ECB = "1.2.156.10197.1.104", "1.2.156.10197.1.104.1"
_WHAT = "enveloped SM2 key"


def envelop_key(key: PrivateKey, owner: PublicKey) -> bytes:
    """DER that only the holder of ``owner``'s private key opens."""
    sealing = secrets.token_bytes(KEY_SIZE)
    return encode_sequence(
        encode_sequence(encode_object_id(_SM4_ECB)),
        owner.encrypt(sealing),
        encode_bits(key.public.to_bytes()),
        encode_bits(encrypt_ecb(sealing, key.to_bytes())),
    )


def open_key(octets: bytes, owner: PrivateKey) -> PrivateKey:
    """The encryption key. Raises EncodingError, DecryptionError."""
    outer = Reader(octets, _WHAT)
    body = outer.sequence()
    outer.end()
    algorithm = body.sequence()
    if algorithm.object_id() not in (_SM4, _SM4_ECB):
        raise EncodingError(f"{_WHAT}: not SM4")
    if algorithm.peek() == 0x05:
        algorithm.read(0x05)
    algorithm.end()
    wrapped = encode_sequence(body.read(0x30))
    point, encrypted = body.bits(), body.bits()
    body.end()
    sealing = owner.decrypt(wrapped)
    if len(sealing) != KEY_SIZE or len(encrypted) not in (32, 64):
        raise EncodingError(f"{_WHAT}: wrong size")
    scalar = decrypt_ecb(sealing, encrypted)
    if any(scalar[:-32]):  # GM/T 0018 pads the number to 512 bits in front
        raise EncodingError(f"{_WHAT}: wrong size")
    try:
        key = PrivateKey(scalar[-32:])
        matches = key.public == PublicKey(point)
    except InvalidKeyError as error:
        raise DecryptionError(f"{_WHAT}: it was changed") from error
    if not matches:
        raise DecryptionError(f"{_WHAT}: it was changed")
    return key
