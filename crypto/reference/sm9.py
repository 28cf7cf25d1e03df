"""SM9 identity-based encryption, key encapsulation and key exchange (GB/T 38635.2-2020), with every random number given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crypto.derive import sm2_kdf
from crypto.reference.pairing import FIRST, SECOND, N, Point, add, on_first, pairing, power, scale, second_octets, to_octets
from crypto.sm3 import sm3
from crypto.sm4.modes import encrypt_ecb


@dataclass(frozen=True)
class Master:
    """The encryption master key ``ke`` and the private key generation function identifier ``hid``."""

    ke: int
    hid: int

    @property
    def public(self) -> Point:
        return scale(self.ke, FIRST)

    def user_public(self, ident: bytes) -> Point:
        """Q = [H1(ID || hid)]P1 + Ppub."""
        return add(scale(_h1(ident + bytes((self.hid,))), FIRST), self.public)

    def user_private(self, ident: bytes) -> Point:
        """de = [ke / (H1(ID || hid) + ke)]P2."""
        t = self.ke * pow(_h1(ident + bytes((self.hid,))) + self.ke, -1, N)
        return scale(t % N, SECOND)


def encapsulate(master: Master, ident: bytes, r: int, size: int) -> tuple[bytes, bytes]:
    """The octets of C and ``size`` bytes of key (clause 8.1)."""
    c = first_octets(scale(r, master.user_public(ident)))
    w = power(pairing(master.public, SECOND), r)
    return c, sm2_kdf(c + to_octets(w) + ident, size)


def decapsulate(private: Point, ident: bytes, c: Point, size: int) -> bytes:
    return sm2_kdf(first_octets(c) + to_octets(pairing(c, private)) + ident, size)


def encrypt(master: Master, ident: bytes, r: int, plaintext: bytes, block: bool) -> bytes:
    """C1 || C3 || C2 (clause 9.1), C2 by exclusive or with the key or by SM4-ECB with padding."""
    first = 16 if block else len(plaintext)
    c1, key = encapsulate(master, ident, r, first + 32)
    if block:
        pad = 16 - len(plaintext) % 16
        c2 = encrypt_ecb(key[:16], plaintext + bytes((pad,)) * pad)
    else:
        c2 = bytes(a ^ b for a, b in zip(plaintext, key, strict=False))
    return c1 + sm3(c2 + key[first:]) + c2


@dataclass(frozen=True)
class Exchanged:
    key: bytes
    by_responder: bytes
    by_initiator: bytes


def exchange(master: Master, idents: tuple[bytes, bytes], r: tuple[int, int], size: int) -> Iterator[Exchanged]:
    """What initiator and responder each come to (clause 7.1)."""
    (ident_a, ident_b), (r_a, r_b) = idents, r
    message_a, message_b = scale(r_a, master.user_public(ident_b)), scale(r_b, master.user_public(ident_a))
    base = pairing(master.public, SECOND)
    of_a = power(base, r_a), pairing(message_b, master.user_private(ident_a))
    of_b = pairing(message_a, master.user_private(ident_b)), power(base, r_b)
    for g1, g2, g3 in ((*of_a, power(of_a[1], r_a)), (*of_b, power(of_b[0], r_b))):
        w1, w2, w3 = (to_octets(value) for value in (g1, g2, g3))
        messages = ident_a + ident_b + first_octets(message_a) + first_octets(message_b)
        inner = sm3(w2 + w3 + messages)
        yield Exchanged(sm2_kdf(messages + w1 + w2 + w3, size), sm3(b"\x82" + w1 + inner), sm3(b"\x83" + w1 + inner))


def first_octets(point: Point) -> bytes:
    """A point of G1 as octets."""
    return point[0][0].to_bytes(32) + point[1][0].to_bytes(32)


def first_point(octets: bytes) -> Point:
    return on_first((int.from_bytes(octets[:32]), int.from_bytes(octets[32:])))


def private_octets(point: Point) -> bytes:
    return second_octets(point)


def _h1(octets: bytes) -> int:
    """H1 (clause 5.4.2.2): a number of 1..N-1 out of 40 bytes of SM3."""
    material = b"".join(sm3(b"\x01" + octets + counter.to_bytes(4)) for counter in (1, 2))[:40]
    return int.from_bytes(material) % (N - 1) + 1
