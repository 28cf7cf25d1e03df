"""Key derivation at its limits, and against second implementations (the vectors cover the values)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import derive
from crypto.derive import hkdf_sm3, pbkdf2_sm3, sm2_kdf
from crypto.errors import CryptoError
from crypto.sm3 import sm3


@settings(deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=40), st.integers(1, 300))
def test_hkdf_against_the_other_library(key: bytes, salt: bytes, info: bytes, size: int) -> None:
    other = HKDF(algorithm=hashes.SM3(), length=size, salt=salt or None, info=info)
    assert hkdf_sm3(key, salt, info, size) == other.derive(key)


@pytest.mark.parametrize("size", [0, -1, 8161])
def test_hkdf_has_a_limit(size: int) -> None:
    assert len(hkdf_sm3(b"key", b"", b"", 8160)) == 8160
    with pytest.raises(CryptoError, match="8160"):
        hkdf_sm3(b"key", b"", b"", size)


@pytest.mark.parametrize(("iterations", "size"), [(0, 32), (-1, 32), (1, 0)])
def test_pbkdf2_needs_iterations(iterations: int, size: int) -> None:
    with pytest.raises(CryptoError, match="at least one"):
        pbkdf2_sm3(b"password", b"salt", iterations, size)


def test_pbkdf2_by_both_back_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pbkdf2_sm3(b"password", b"salt", 1000, 50)
    monkeypatch.setattr(derive, "_IN_HASHLIB", False)
    assert pbkdf2_sm3(b"password", b"salt", 1000, 50) == one


@given(st.binary(max_size=100), st.integers(0, 200))
def test_the_kdf_of_sm2_by_the_rule(shared: bytes, size: int) -> None:
    expected = b"".join(sm3(shared + counter.to_bytes(4)) for counter in range(1, 9))
    assert sm2_kdf(shared, size) == expected[:size]
