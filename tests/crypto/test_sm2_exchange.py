"""Key exchange: both sides come to the same key, or notice that they did not."""

from __future__ import annotations

import pytest

from crypto.errors import CryptoError, DecryptionError, InvalidKeyError
from crypto.sm2 import PrivateKey
from crypto.sm2.engine import Engine
from crypto.sm2.exchange import Exchange

ALICE, BOB, MALLORY = (PrivateKey.generate() for _ in range(3))


def test_both_agree(sm2_engine: Engine) -> None:
    first, second = Exchange(ALICE, BOB.public, "initiator", b"A", b"B"), Exchange(BOB, ALICE.public, "responder", b"B", b"A")
    ours, theirs = first.agree(second.message, 32), second.agree(first.message, 32)
    ours.check(theirs.confirmation)
    theirs.check(ours.confirmation)
    assert ours.key == theirs.key
    assert ours.confirmation != theirs.confirmation
    assert ours.key.hex() not in repr(ours)


@pytest.mark.parametrize("wrong", ["key", "identifier", "role"])
def test_another_peer_is_noticed(wrong: str) -> None:
    first = Exchange(ALICE, BOB.public, "initiator", b"A", b"B")
    second = Exchange(
        MALLORY if wrong == "key" else BOB,
        ALICE.public,
        "initiator" if wrong == "role" else "responder",
        b"B",
        b"C" if wrong == "identifier" else b"A",
    )
    ours, theirs = first.agree(second.message, 32), second.agree(first.message, 32)
    assert ours.key != theirs.key
    with pytest.raises(DecryptionError, match="another"):
        ours.check(theirs.confirmation)


def test_an_exchange_is_used_once() -> None:
    first, second = Exchange(ALICE, BOB.public, "initiator"), Exchange(BOB, ALICE.public, "responder")
    first.agree(second.message, 16)
    with pytest.raises(CryptoError, match="once"):
        first.agree(second.message, 16)


@pytest.mark.parametrize("message", [b"", b"\0", b"\4" + bytes(64)])
def test_what_is_no_point_is_refused(message: bytes) -> None:
    with pytest.raises(InvalidKeyError):
        Exchange(ALICE, BOB.public, "initiator").agree(message, 16)
