"""The curve of SM2 (GB/T 32918.5-2017): parameters, and points as octets (GB/T 32918.1-2016 clause 4.2).

Everything here handles public values; what touches a secret scalar is in ``engine`` and below.
"""

from __future__ import annotations

from crypto.errors import InvalidKeyError

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

SIZE = 32
"""Bytes of a coordinate, and of a scalar."""

OBJECT_ID = "1.2.156.10197.1.301"
"""sm2p256v1 as named curve (GM/T 0006-2012)."""

GENERATOR = b"\x04" + GX.to_bytes(SIZE) + GY.to_bytes(SIZE)
PARAMETERS = b"".join(value.to_bytes(SIZE) for value in (A, B, GX, GY))
"""a, b, xG, yG as they enter Z (GB/T 32918.2-2016 clause 5.5)."""


def on_curve(x: int, y: int) -> bool:
    """True for a point of the group; the order is prime, so that on the curve means in the group."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x + A) * x - B) % P == 0


def decode_point(octets: bytes) -> bytes:
    """The 65-byte form ``04 x y`` of a point given uncompressed (04) or compressed (02, 03).

    Raises InvalidKeyError for the point at infinity, coordinates from p on, points off the curve, other lengths and prefixes.
    """
    if len(octets) == 1 + 2 * SIZE and octets[0] == 0x04:
        if not on_curve(int.from_bytes(octets[1 : 1 + SIZE]), int.from_bytes(octets[1 + SIZE :])):
            raise InvalidKeyError("not a point of the SM2 curve")
        return bytes(octets)
    if len(octets) == 1 + SIZE and octets[0] in (0x02, 0x03):
        x = int.from_bytes(octets[1:])
        y = _root(x, odd=octets[0] == 0x03)
        return b"\x04" + x.to_bytes(SIZE) + y.to_bytes(SIZE)
    raise InvalidKeyError("an SM2 point has 65 bytes beginning with 04, or 33 bytes beginning with 02 or 03")


def compress_point(point: bytes) -> bytes:
    """The 33-byte form of ``04 x y``."""
    return bytes((0x02 | point[-1] & 1,)) + point[1 : 1 + SIZE]


def coordinates(point: bytes) -> tuple[int, int]:
    return int.from_bytes(point[1 : 1 + SIZE]), int.from_bytes(point[1 + SIZE :])


def encode_coordinates(x: int, y: int) -> bytes:
    return b"\x04" + x.to_bytes(SIZE) + y.to_bytes(SIZE)


def _root(x: int, odd: bool) -> int:
    """The y of this parity; p = 3 mod 4, so one power gives the root (GB/T 32918.1-2016 annex B.1.4)."""
    square = (x * x * x + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        raise InvalidKeyError("not a point of the SM2 curve")
    return y if y % 2 == odd else P - y
