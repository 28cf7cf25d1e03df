"""Password hashes: both schemes, and PBKDF2-HMAC-SM3 against a second implementation."""

from __future__ import annotations

import base64

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from crypto import derive, password
from crypto.password import SCHEMES, hash_password, outdated, verify_password

REAL = password._argon2  # before tests/conftest.py makes it cheap


@pytest.fixture(autouse=True)
def real_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "_argon2", REAL)


def test_argon2id_costs_what_rfc_9106_recommends() -> None:
    """Section 4, second recommended option: 64 MiB, three passes, four lanes."""
    stored = hash_password("Correct-Horse-7")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("Correct-Horse-7"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_only_the_right_password_matches(scheme: str) -> None:
    stored = hash_password("Correct-Horse-7 密码", scheme)
    assert verify_password(stored, "Correct-Horse-7 密码")
    assert not verify_password(stored, "correct-Horse-7 密码")
    assert hash_password("Correct-Horse-7 密码", scheme) != stored
    assert not outdated(stored, scheme)
    assert all(outdated(stored, other) for other in SCHEMES if other != scheme)


def test_pbkdf2_sm3_against_the_other_library() -> None:
    stored = hash_password("Correct-Horse-7", "pbkdf2-sm3")
    _, name, iterations, salt, derived = stored.split("$")
    other = PBKDF2HMAC(algorithm=hashes.SM3(), length=32, salt=base64.b64decode(salt), iterations=int(iterations))
    assert (name, int(iterations)) == ("pbkdf2-sm3", 200_000)
    assert other.derive(b"Correct-Horse-7") == base64.b64decode(derived)


def test_without_sm3_in_hashlib_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = hash_password("Correct-Horse-7", "pbkdf2-sm3")
    monkeypatch.setattr(derive, "_IN_HASHLIB", False)
    assert verify_password(stored, "Correct-Horse-7")


@pytest.mark.parametrize("stored", ["", "$pbkdf2-sm3$", "$pbkdf2-sm3$x$y$z", "$pbkdf2-sm3$1$!$!", "$argon2id$broken", "plain"])
def test_a_damaged_hash_matches_nothing(stored: str) -> None:
    assert not verify_password(stored, "")
    assert outdated(stored)
