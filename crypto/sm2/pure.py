"""SM2 arithmetic in Python, for machines where no native library has SM2. Correct, and some ten times slower than native code.

Scalar multiplication is a Montgomery ladder of 256 steps, each one addition and one doubling by complete formulas (Renes,
Costello and Batina, "Complete addition formulas for prime order elliptic curves", 2016, algorithms 4 and 6 for a = -3), with
randomised projective coordinates: no branch and no table index depends on a secret. That is a constant *structure*, not constant
time: Python's integers take a little longer for larger values, and a secret stays in memory until it is collected. Use it where
nobody else can measure on the same machine; docs/crypto.md says so to the operator.
"""

from __future__ import annotations

import secrets

from crypto.errors import CryptoError
from crypto.sm2.curve import GENERATOR, SIZE, B, N, P, coordinates, encode_coordinates
from crypto.sm2.signature import decode_signature, encode_signature

Projective = tuple[int, int, int]
"""X, Y, Z with x = X/Z and y = Y/Z; (0, 1, 0) is the point at infinity."""

_INFINITY: Projective = (0, 1, 0)


def add(p: Projective, q: Projective) -> Projective:
    """P + Q for any two points, equal ones and infinity included (algorithm 4)."""
    x1, y1, z1 = p
    x2, y2, z2 = q
    t0, t1, t2 = x1 * x2 % P, y1 * y2 % P, z1 * z2 % P
    t3 = (x1 + y1) * (x2 + y2) - t0 - t1
    t4 = (y1 + z1) * (y2 + z2) - t1 - t2
    y3 = (x1 + z1) * (x2 + z2) - t0 - t2
    x3 = 3 * (y3 - B * t2) % P
    z3, x3 = t1 - x3, t1 + x3
    t2 = 3 * t2
    y3 = 3 * (B * y3 - t2 - t0) % P
    t0 = 3 * t0 - t2
    t3, t4 = t3 % P, t4 % P
    return (t3 * x3 - t4 * y3) % P, (x3 * z3 + t0 * y3) % P, (t4 * z3 + t3 * t0) % P


def double(p: Projective) -> Projective:
    """2P (algorithm 6)."""
    x, y, z = p
    t0, t1, t2 = x * x % P, y * y % P, z * z % P
    t3, z3 = 2 * x * y % P, 2 * x * z % P
    y3 = 3 * (B * t2 - z3) % P
    x3, y3 = t1 - y3, t1 + y3
    y3, x3 = x3 * y3, x3 * t3
    t2 = 3 * t2
    z3 = 3 * (B * z3 - t2 - t0) % P
    t0 = 3 * t0 - t2
    t4 = 2 * y * z % P
    return (x3 - t4 * z3) % P, (y3 + t0 * z3) % P, 4 * t4 * t1 % P


def multiply(scalar: int, point: bytes) -> Projective:
    """scalar * point for a secret scalar below 2^256."""
    x, y = coordinates(point)
    blind = secrets.randbelow(P - 1) + 1
    ladder = [_INFINITY, (x * blind % P, y * blind % P, blind)]
    swapped = 0
    for position in range(255, -1, -1):
        bit = scalar >> position & 1
        _swap(ladder, bit ^ swapped)
        swapped = bit
        ladder[1] = add(ladder[0], ladder[1])
        ladder[0] = double(ladder[0])
    _swap(ladder, swapped)
    return ladder[0]


def multiply_public(scalar: int, base: Projective) -> Projective:
    """scalar * base where the scalar is public: as fast as it goes, four bits at a time."""
    table = [_INFINITY, base]
    for _ in range(14):
        table.append(add(table[-1], base))
    result = _INFINITY
    for position in range(252, -1, -4):
        for _ in range(4):
            result = double(result)
        result = add(result, table[scalar >> position & 15])
    return result


def affine(p: Projective) -> tuple[int, int]:
    """x and y; refuses the point at infinity."""
    x, y, z = p
    if z == 0:
        raise CryptoError("the point at infinity has no coordinates")
    inverse = pow(z, P - 2, P)
    return x * inverse % P, y * inverse % P


def _swap(ladder: list[Projective], bit: int) -> None:
    ladder[0], ladder[1] = ladder[bit], ladder[1 - bit]


class PureEngine:
    """The interface of ``engine.Engine`` over the functions above."""

    name = "pure Python"
    native = False

    def multiply(self, scalar: bytes, point: bytes | None = None) -> bytes:
        return encode_coordinates(*affine(multiply(int.from_bytes(scalar), point or GENERATOR)))

    def signer(self, scalar: bytes, point: bytes) -> PureSigner:
        return PureSigner(int.from_bytes(scalar))

    def verifier(self, point: bytes) -> PureVerifier:
        return PureVerifier(point)


class PureSigner:
    """GB/T 32918.2-2016 clause 6.1 from step A3 on."""

    def __init__(self, d: int) -> None:
        self._d = d

    def sign(self, e: bytes) -> bytes:
        while True:
            k = secrets.randbelow(N - 1) + 1
            x1, _ = affine(multiply(k, GENERATOR))
            r = (int.from_bytes(e) + x1) % N
            if r == 0 or r + k == N:
                continue
            # s = (k - r d)/(1 + d) = (k + r)/(1 + d) - r; the inverse is blinded, because pow(…, -1, …) branches on its argument
            blind = secrets.randbelow(N - 1) + 1
            inverse = blind * pow(blind * (1 + self._d) % N, -1, N) % N
            s = (inverse * (k + r) - r) % N
            if s != 0:
                return encode_signature(r.to_bytes(SIZE) + s.to_bytes(SIZE), "der")


class PureVerifier:
    """GB/T 32918.2-2016 clause 7.1 from step B5 on; the ranges of r and s are checked by the caller."""

    def __init__(self, point: bytes) -> None:
        x, y = coordinates(point)
        self._point: Projective = (x, y, 1)
        gx, gy = coordinates(GENERATOR)
        self._generator: Projective = (gx, gy, 1)

    def verify(self, e: bytes, signature: bytes) -> bool:
        raw = decode_signature(signature, "der")
        r, s = int.from_bytes(raw[:SIZE]), int.from_bytes(raw[SIZE:])
        t = (r + s) % N
        if t == 0:
            return False
        total = add(multiply_public(s, self._generator), multiply_public(t, self._point))
        if total[2] == 0:
            return False
        return (int.from_bytes(e) + affine(total)[0]) % N == r
