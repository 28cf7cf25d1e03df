"""SM2 (GB/T 32918) on any curve y^2 = x^3 + ax + b and with any hash, with the nonce given: the examples of the 2010 drafts."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from crypto.errors import CryptoError
from crypto.sm2 import curve

Hash = Callable[[bytes], bytes]
Point = tuple[int, int] | None
"""None is the point at infinity."""


@dataclass(frozen=True)
class Curve:
    p: int
    a: int
    b: int
    n: int
    g: tuple[int, int]

    def add(self, left: Point, right: Point) -> Point:
        if left is None or right is None:
            return left or right
        (x1, y1), (x2, y2) = left, right
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p) if left == right else (y2 - y1) * pow(x2 - x1, -1, self.p)
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def multiply(self, scalar: int, point: Point) -> Point:
        result: Point = None
        for bit in bin(scalar)[2:]:
            result = self.add(result, result)
            if bit == "1":
                result = self.add(result, point)
        return result

    def contains(self, x: int, y: int) -> bool:
        return x < self.p and y < self.p and (y * y - x * x * x - self.a * x - self.b) % self.p == 0


SM2P256V1 = Curve(curve.P, curve.A, curve.B, curve.N, (curve.GX, curve.GY))

DRAFT_2010 = Curve(
    p=0x8542D69E4C044F18E8B92435BF6FF7DE457283915C45517D722EDB8B08F1DFC3,
    a=0x787968B4FA32C3FD2417842E73BBFEFF2F3C848B6831D7E0EC65228B3937E498,
    b=0x63E4C6D3B23B0C849CF84241484BFE48F61D59A5B16BA06E6E12D1DA27C5249A,
    n=0x8542D69E4C044F18E8B92435BF6FF7DD297720630485628D5AE74EE7C32E79B7,
    g=(
        0x421DEBD61B62EAB6746434EBC3CC315E32220B3BADD50BDC4C4E6C147FEDD43D,
        0x0680512BCBB42C07D47349D2153B70C4E5D7FDFCBFA36EA1A85841B9E46E09A2,
    ),
)
"""Fp-256 of the SM2 drafts (draft-shen-sm2-ecdsa-02, annex D)."""

P256 = Curve(
    p=0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    a=0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFC,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    g=(
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
)
"""NIST P-256, on which Botan runs SM2 as well."""

CURVES = (SM2P256V1, DRAFT_2010, P256)


def sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def digest(on: Curve, d: int, message: bytes, ident: bytes, hashed: Hash) -> int:
    """e for the public key of ``d``."""
    x, y = _finite(on.multiply(d, on.g))
    z = hashed((8 * len(ident)).to_bytes(2) + ident + b"".join(_octets(v) for v in (on.a, on.b, *on.g, x, y)))
    return int.from_bytes(hashed(z + message))


def sign(on: Curve, d: int, e: int, nonce: int) -> bytes:
    """r and s in 32 bytes each."""
    x, _ = _finite(on.multiply(nonce, on.g))
    r = (e + x) % on.n
    return _octets(r) + _octets(pow(1 + d, -1, on.n) * (nonce - r * d) % on.n)


def verify(on: Curve, public: Point, e: int, signature: bytes) -> bool:
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if not (1 <= r < on.n and 1 <= s < on.n and (r + s) % on.n):
        return False
    point = on.add(on.multiply(s, on.g), on.multiply((r + s) % on.n, public))
    return point is not None and (e + point[0]) % on.n == r


def encrypt(on: Curve, public: Point, plaintext: bytes, nonce: int, hashed: Hash) -> tuple[tuple[int, int], bytes, bytes]:
    """C1, C2, C3."""
    x2, y2 = (_octets(value) for value in _finite(on.multiply(nonce, public)))
    c2 = _xor(plaintext, _kdf(x2 + y2, len(plaintext), hashed))
    return _finite(on.multiply(nonce, on.g)), c2, hashed(x2 + plaintext + y2)


def decrypt(on: Curve, d: int, c1: tuple[int, int], c2: bytes, c3: bytes, hashed: Hash) -> bytes:
    if not on.contains(*c1):
        raise CryptoError("C1 is not on the curve")
    x2, y2 = (_octets(value) for value in _finite(on.multiply(d, c1)))
    plaintext = _xor(c2, _kdf(x2 + y2, len(c2), hashed))
    if not hmac.compare_digest(hashed(x2 + plaintext + y2), c3):
        raise CryptoError("C3 is not right")
    return plaintext


def _kdf(shared: bytes, size: int, hashed: Hash) -> bytes:
    stream = b""
    while len(stream) < size:
        stream += hashed(shared + (len(stream) // 32 + 1).to_bytes(4))
    if not any(stream[:size]):
        raise CryptoError("the key stream is zero")
    return stream[:size]


def _finite(point: Point) -> tuple[int, int]:
    if point is None:
        raise CryptoError("the point at infinity")
    return point


def _octets(value: int) -> bytes:
    return value.to_bytes(32)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
