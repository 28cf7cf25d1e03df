"""Sealed messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, DecryptionError
from crypto.seal import OVERHEAD, open_sealed, seal

keys = st.one_of(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))


@given(keys, st.binary(max_size=300), st.text(max_size=20), st.integers(0, 1 << 20))
def test_sealed_opens_with_the_same_key_and_context_only(key: bytes, plaintext: bytes, context: str, bit: int) -> None:
    sealed = seal(key, plaintext, context)
    assert len(sealed) == len(plaintext) + OVERHEAD
    assert open_sealed(key, sealed, context) == plaintext == open_sealed(key, sealed, context.encode())
    flipped = (int.from_bytes(sealed) ^ 1 << bit % (8 * len(sealed))).to_bytes(len(sealed))
    for wrong in (
        (key, flipped, context),
        (key, sealed[:-1], context),
        (key, sealed, context + "x"),
        (bytes((key[0] ^ 1,)) + key[1:], sealed, context),
    ):
        with pytest.raises(DecryptionError):
            open_sealed(*wrong)


@given(st.binary(max_size=60))
def test_rubbish_does_not_open(octets: bytes) -> None:
    with pytest.raises(DecryptionError):
        open_sealed(bytes(16), octets, "")


def test_equal_messages_look_different() -> None:
    assert len({seal(bytes(16), b"message", "")[17:] for _ in range(20)}) == 20


@pytest.mark.parametrize("size", [0, 15, 24, 33])
def test_keys_have_16_or_32_bytes(size: int) -> None:
    with pytest.raises(CryptoError, match="16 or 32"):
        seal(bytes(size), b"", "")
