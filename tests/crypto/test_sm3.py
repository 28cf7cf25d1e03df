"""SM3 and HMAC-SM3 by both back ends."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import sm3 as module
from crypto.errors import CryptoError
from crypto.sm3 import ABC, CryptographyHasher, Mac, hmac_sm3, sm3, sm3_hasher


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_both_back_ends_and_pieces_agree(pieces: list[bytes]) -> None:
    one, other = sm3_hasher(), CryptographyHasher()
    for piece in pieces:
        one.update(piece)
        other.update(piece)
    assert one.digest() == other.digest() == sm3(b"".join(pieces))
    assert one.hexdigest() == other.hexdigest()


def test_a_copy_goes_its_own_way() -> None:
    for hasher in (sm3_hasher(b"a"), CryptographyHasher(b"a")):
        copy = hasher.copy()
        copy.update(b"bc")
        assert copy.digest() == ABC
        assert hasher.digest() == sm3(b"a")


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_hmac_by_the_rule(key: bytes, message: bytes) -> None:
    padded = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = sm3(bytes(octet ^ 0x36 for octet in padded) + message)
    expected = sm3(bytes(octet ^ 0x5C for octet in padded) + inner)
    assert hmac_sm3(key, message) == expected == Mac(key).update(message).digest()
    assert hmac.new(key, message, CryptographyHasher).digest() == expected


@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(16, 32), st.integers(0, 255))
def test_a_tag_is_right_or_wrong(key: bytes, message: bytes, size: int, bit: int) -> None:
    tag = Mac(key, size).update(message).digest()
    assert len(tag) == size
    assert Mac(key, size).update(message[:3]).update(message[3:]).verify(tag)
    flipped = bytearray(tag)
    flipped[bit // 8 % size] ^= 1 << bit % 8
    assert not Mac(key, size).update(message).verify(bytes(flipped))
    assert not Mac(key, size).update(message).verify(tag[:-1])
    assert not Mac(key, size).update(message).verify(b"")


@pytest.mark.parametrize("size", [0, 15, 33])
def test_tags_are_not_too_short(size: int) -> None:
    with pytest.raises(CryptoError, match="16 to 32"):
        Mac(b"key", size)


def test_without_sm3_in_hashlib(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = hmac_sm3(b"key", b"message")
    monkeypatch.setattr(module, "_IN_HASHLIB", False)
    monkeypatch.setattr(module, "_DIGEST", CryptographyHasher)
    monkeypatch.setattr(module, "_FRESH", CryptographyHasher())
    assert sm3(b"abc") == ABC
    assert hmac_sm3(b"key", b"message") == with_it
    assert module.backend() == "cryptography"
