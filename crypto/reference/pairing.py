"""The pairing of SM9 (GB/T 38635.1-2020): R-ate on the 256-bit BN curve, in the plainest way that gives the standard's values.

An element of GF(q^12) is a tuple of 12 numbers, coefficients of 1, w, …, w^11 with w^12 = -2: the standard's tower
GF(q^2)[u]/(u^2 + 2), [v]/(v^2 - u), [w]/(w^3 - v) is the same field with u = w^6 and v = w^3. Points of the twist y^2 = x^3 + 5u
are taken to the curve y^2 = x^3 + 5 over GF(q^12) by (x / w^2, y / w^3).
"""

from __future__ import annotations

Q = 0xB640000002A3A6F1D603AB4FF58EC74521F2934B1A7AEEDBE56F9B27E351457D
N = 0xB640000002A3A6F1D603AB4FF58EC74449F2934B18EA8BEEE56EE19CD69ECF25
T = 0x600000000058F98A

P1 = (
    0x93DE051D62BF718FF5ED0704487D01D6E1E4086909DC3280E8C4E4817C66DDDD,
    0x21FE8DDA4F21E607631065125C395BBC1C1C00CBFA6024350C464CD70A3EA616,
)
_P2_X = (
    0x3722755292130B08D2AAB97FD34EC120EE265948D19C17ABF9B7213BAF82D65B,
    0x85AEF3D078640C98597B6027B441A01FF1DD2C190F5E93C454806C11D8806141,
)
_P2_Y = (
    0xA7CF28D519BE3DA65F3170153D278FF247EFBA98A71A08116215BBA5C999A7C7,
    0x17509B092E845C1266BA0D262CBEE6ED0736A96FA347C8BD856DC76B84EBEB96,
)

Field = tuple[int, ...]
Point = tuple[Field, Field]
_OCTETS = (11, 5, 8, 2, 10, 4, 7, 1, 9, 3, 6, 0)
"""Order of the coefficients as octets: the highest of the tower first (GB/T 38635.1 clause 6.1.2)."""


def field(*coefficients: int) -> Field:
    return coefficients + (0,) * (12 - len(coefficients))


ONE = field(1)


def multiply(a: Field, b: Field) -> Field:
    product = [0] * 23
    for i, x in enumerate(a):
        if x:
            for j, y in enumerate(b):
                product[i + j] += x * y
    return tuple((product[i] - 2 * (product[i + 12] if i < 11 else 0)) % Q for i in range(12))


def power(a: Field, exponent: int) -> Field:
    result = ONE
    for bit in bin(exponent)[2:]:
        result = multiply(result, result)
        if bit == "1":
            result = multiply(result, a)
    return result


def to_octets(a: Field) -> bytes:
    return b"".join(a[i].to_bytes(32) for i in _OCTETS)


def inverse(a: Field) -> Field:
    """By the norm to GF(q): the product of the conjugates a^(q^k), k = 1 to 11, times a, has the first coefficient only."""
    two = multiply(a, frobenius(a))
    four = multiply(two, frobenius(two, 2))
    eight = multiply(four, frobenius(four, 4))
    eleven = multiply(multiply(eight, frobenius(two, 8)), frobenius(a, 10))
    others = frobenius(eleven)
    scaled = pow(multiply(others, a)[0], -1, Q)
    return tuple(value * scaled % Q for value in others)


def frobenius(a: Field, times: int = 1) -> Field:
    """a^(q^times): each w^i gets the factor (w^(q-1))^(i times), and w^(q-1) = (-2)^((q-1)/12) is a root of one in GF(q)."""
    return tuple(value * _ROOTS[i * times % 12] % Q for i, value in enumerate(a))


_ROOTS = [pow(Q - 2, (Q - 1) // 12 * i, Q) for i in range(12)]


def negate(a: Field) -> Field:
    return tuple(-value % Q for value in a)


def subtract(a: Field, b: Field) -> Field:
    return tuple((x - y) % Q for x, y in zip(a, b, strict=True))


def on_first(point: tuple[int, int]) -> Point:
    """A point of G1 over GF(q^12)."""
    return field(point[0]), field(point[1])


def on_second(x: tuple[int, int], y: tuple[int, int]) -> Point:
    """A point of G2 (coefficients of 1 and u) over GF(q^12)."""
    untwist = inverse(field(0, 1))
    square = multiply(untwist, untwist)
    lift = [field(value[0], 0, 0, 0, 0, 0, value[1]) for value in (x, y)]
    return multiply(lift[0], square), multiply(lift[1], multiply(square, untwist))


def second_octets(point: Point) -> bytes:
    """A point of G2 as octets: x then y, the coefficient of u first."""
    w = field(0, 1)
    square = multiply(w, w)
    x, y = multiply(point[0], square), multiply(point[1], multiply(square, w))
    return b"".join(value.to_bytes(32) for value in (x[6], x[0], y[6], y[0]))


def slope(p: Point, q: Point) -> Field:
    if p == q:
        square = multiply(p[0], p[0])
        return multiply(tuple(3 * value % Q for value in square), inverse(tuple(2 * value % Q for value in p[1])))
    return multiply(subtract(q[1], p[1]), inverse(subtract(q[0], p[0])))


def add(p: Point, q: Point) -> Point:
    """P + Q for points that are not opposite."""
    return _third(p, q, slope(p, q))


def scale(scalar: int, point: Point) -> Point:
    result = point
    for bit in bin(scalar)[3:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def pairing(p: Point, q: Point) -> Field:
    """e(P, Q) with P of G1 and Q of G2 (GB/T 38635.1 annex A.4)."""
    value, at = ONE, q
    for bit in bin(6 * T + 2)[3:]:
        value, at = _line(multiply(value, value), at, at, p)
        if bit == "1":
            value, at = _line(value, at, q, p)
    first = (frobenius(q[0]), frobenius(q[1]))
    second = (frobenius(first[0]), negate(frobenius(first[1])))
    value, at = _line(value, at, first, p)
    value, _ = _line(value, at, second, p)
    return power(value, (Q**12 - 1) // N)


def _line(value: Field, left: Point, right: Point, p: Point) -> tuple[Field, Point]:
    """``value`` times the line through both points at ``p``, and their sum."""
    tilt = slope(left, right)
    at_p = subtract(multiply(tilt, subtract(p[0], left[0])), subtract(p[1], left[1]))
    return multiply(value, at_p), _third(left, right, tilt)


def _third(p: Point, q: Point, tilt: Field) -> Point:
    x = subtract(subtract(multiply(tilt, tilt), p[0]), q[0])
    return x, subtract(multiply(tilt, subtract(p[0], x)), p[1])


FIRST = on_first(P1)
SECOND = on_second(_P2_X, _P2_Y)
