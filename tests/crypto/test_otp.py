"""Dynamic passwords of GM/T 0021 (the printed examples are among the known answers)."""

from __future__ import annotations

import pytest

from crypto.errors import CryptoError
from crypto.otp import one_time_password


def test_a_password_depends_on_all_it_is_made_of() -> None:
    key = bytes(range(16))
    passwords = {
        one_time_password(key, 1000),
        one_time_password(key, 1001),
        one_time_password(key, 1000, event=1),
        one_time_password(key, 1000, challenge="5"),
        one_time_password(key[::-1], 1000),
    }
    assert len(passwords) == 5
    assert all(len(password) == 6 and password.isdigit() for password in passwords)


def test_leading_zeros_are_kept() -> None:
    assert any(one_time_password(bytes(16), minute, digits=4).startswith("0") for minute in range(200))
    assert all(len(one_time_password(bytes(16), minute, digits=4)) == 4 for minute in range(200))


def test_limits() -> None:
    with pytest.raises(CryptoError, match="16 bytes"):
        one_time_password(bytes(15), 0)
    for digits in (3, 10):
        with pytest.raises(CryptoError, match="4 to 9"):
            one_time_password(bytes(16), 0, digits=digits)
