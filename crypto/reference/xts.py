"""SM4-XTS as in GB/T 17964-2021 and in IEEE Std 1619-2018, which differ in the order of bits when the tweak is multiplied."""

from __future__ import annotations

from crypto.errors import CryptoError
from crypto.sm4.modes import BLOCK_SIZE, decrypt_ecb, encrypt_ecb


def crypt_xts(key: bytes, tweak: bytes, octets: bytes, encrypt: bool, ieee: bool = False) -> bytes:
    """``key`` is two SM4 keys (32 bytes), ``tweak`` the 16-byte sector number; at least one block, the rest by ciphertext
    stealing.
    """
    if len(key) != 32 or len(tweak) != BLOCK_SIZE or len(octets) < BLOCK_SIZE:
        raise CryptoError("SM4-XTS takes a key of 32 bytes, a tweak of 16 bytes and at least 16 bytes")
    whole, rest = divmod(len(octets), BLOCK_SIZE)
    tweaks = [encrypt_ecb(key[16:], tweak)]
    for _ in range(whole):
        tweaks.append(_next(tweaks[-1], ieee))
    blocks = [octets[start : start + BLOCK_SIZE] for start in range(0, len(octets), BLOCK_SIZE)]
    if not rest:
        return b"".join(_block(key[:16], mask, block, encrypt) for mask, block in zip(tweaks, blocks, strict=False))
    # stealing: the last whole block is crypted with the tweak that belongs there (encryption) or with the one after (decryption)
    first, second = (tweaks[whole - 1], tweaks[whole]) if encrypt else (tweaks[whole], tweaks[whole - 1])
    output = [_block(key[:16], mask, block, encrypt) for mask, block in zip(tweaks, blocks[: whole - 1], strict=False)]
    crypted = _block(key[:16], first, blocks[whole - 1], encrypt)
    return b"".join(output) + _block(key[:16], second, blocks[whole] + crypted[rest:], encrypt) + crypted[:rest]


def _block(key: bytes, mask: bytes, block: bytes, encrypt: bool) -> bytes:
    return _xor((encrypt_ecb if encrypt else decrypt_ecb)(key, _xor(block, mask)), mask)


def _next(mask: bytes, ieee: bool) -> bytes:
    if ieee:
        value = int.from_bytes(mask, "little") << 1
        return (value ^ (1 << 128 | 0x87) if value >> 128 else value).to_bytes(16, "little")
    value = int.from_bytes(mask)
    return (value >> 1 ^ (0xE1 << 120) if value & 1 else value >> 1).to_bytes(16)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
