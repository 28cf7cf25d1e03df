"""SM4 in its modes: round trips, the AEAD back ends against each other, and that nothing changed opens."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto import sm4
from crypto.errors import BackendError, CryptoError, DecryptionError
from crypto.sm4 import gcm, gcm_composed
from crypto.sm4.gcm_composed import ComposedGcm

keys = st.binary(min_size=16, max_size=16)
Aead = Callable[..., bytes]
AEADS = [(sm4.encrypt_gcm, sm4.decrypt_gcm), (sm4.encrypt_ccm, sm4.decrypt_ccm)]
KEY, IV = bytes(range(16)), bytes(range(16, 32))


@given(keys, keys, st.binary(max_size=200))
def test_plain_modes_there_and_back(key: bytes, iv: bytes, message: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a mode about to be removed from the wheel would say so
        assert sm4.decrypt_cbc(key, iv, sm4.encrypt_cbc(key, iv, message)) == message
        assert sm4.crypt_ctr(key, iv, sm4.crypt_ctr(key, iv, message)) == message
        assert sm4.crypt_ofb(key, iv, sm4.crypt_ofb(key, iv, message)) == message
        assert sm4.decrypt_cfb(key, iv, sm4.encrypt_cfb(key, iv, message)) == message
        blocks = message[: len(message) // 16 * 16]
        assert sm4.decrypt_ecb(key, sm4.encrypt_ecb(key, blocks)) == blocks
        assert sm4.decrypt_cbc(key, iv, sm4.encrypt_cbc(key, iv, blocks, padded=False), padded=False) == blocks


@pytest.mark.parametrize(
    "call",
    [
        lambda: sm4.encrypt_cbc(b"short", IV, b""),
        lambda: sm4.encrypt_cbc(KEY, b"short", b""),
        lambda: sm4.crypt_ctr(KEY, b"", b""),
        lambda: sm4.encrypt_ecb(KEY, b"not a block"),
        lambda: sm4.decrypt_cbc(KEY, IV, b"not a block"),
        lambda: sm4.encrypt_gcm(b"short", IV, b""),
        lambda: sm4.encrypt_gcm(KEY, b"", b""),
        lambda: sm4.encrypt_gcm(KEY, IV, b"", tag_size=11),
        lambda: sm4.encrypt_ccm(KEY, IV[:6], b""),
        lambda: sm4.encrypt_ccm(KEY, IV[:14], b""),
        lambda: sm4.encrypt_ccm(KEY, IV[:12], b"", tag_size=5),
        lambda: sm4.encrypt_ccm(KEY, IV[:13], bytes(65536)),  # a nonce of 13 bytes leaves two for the length
        lambda: sm4.encrypt_ccm(b"short", IV[:12], b""),
    ],
)
def test_wrong_sizes_are_told(call: Callable[[], bytes]) -> None:
    with pytest.raises(CryptoError, match=r"bytes|nonce|tag|blocks"):
        call()


def test_an_empty_padded_ciphertext_does_not_open() -> None:
    with pytest.raises(DecryptionError):
        sm4.decrypt_cbc(KEY, IV, b"")


@pytest.mark.parametrize(("encrypt", "decrypt"), AEADS)
@given(keys, st.binary(min_size=7, max_size=13), st.binary(max_size=600), st.binary(max_size=60), st.integers(0, 1 << 20))
def test_whatever_is_changed_does_not_open(
    encrypt: Aead, decrypt: Aead, key: bytes, nonce: bytes, message: bytes, aad: bytes, bit: int
) -> None:
    sealed = encrypt(key, nonce, message, aad)
    assert len(sealed) == len(message) + 16
    assert decrypt(key, nonce, sealed, aad) == message
    flipped = (int.from_bytes(sealed) ^ 1 << bit % (8 * len(sealed))).to_bytes(len(sealed))
    for wrong in (
        (key, nonce, flipped, aad),
        (key, nonce, sealed[:-1], aad),
        (key, nonce, sealed[:10], aad),
        (key, nonce, sealed, aad + b"\0"),
        (key, nonce[:-1] + bytes((nonce[-1] ^ 1,)), sealed, aad),
        (bytes((key[0] ^ 1,)) + key[1:], nonce, sealed, aad),
    ):
        with pytest.raises(DecryptionError):
            decrypt(*wrong)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys, st.binary(min_size=1, max_size=140), st.binary(max_size=700), st.binary(max_size=70))
def test_gcm_back_ends_agree(gcm_engine: gcm.GcmEngine, key: bytes, nonce: bytes, message: bytes, aad: bytes) -> None:
    """Nonces of any size, longer and shorter than one of the libraries takes."""
    sealed = sm4.encrypt_gcm(key, nonce, message, aad)
    assert (sealed[:-16], sealed[-16:]) == ComposedGcm().encrypt(key, nonce, message, aad)
    assert sm4.decrypt_gcm(key, nonce, sealed, aad) == message
    assert sm4.decrypt_gcm(key, nonce, sealed[:-4], aad, tag_size=12) == message


def test_the_counter_wraps_within_32_bits(gcm_engine: gcm.GcmEngine) -> None:
    """Nonces of 16 bytes whose first counter is close to the wrap: found by search, so that 40 blocks pass it."""
    key = KEY
    hash_key = int.from_bytes(sm4.encrypt_ecb(key, bytes(16)))
    # J0 = GHASH(nonce, length): solve for the nonce that gives this J0 by running GHASH backwards
    wanted = int.from_bytes(b"\x11" * 12 + (2**32 - 20).to_bytes(4))
    inverse = hash_key
    for _ in range(126):
        inverse = gcm_composed._multiply(gcm_composed._multiply(inverse, inverse), hash_key)
    inverse = gcm_composed._multiply(inverse, inverse)  # h^(2^128 - 2) = 1/h
    nonce = gcm_composed._multiply(gcm_composed._multiply(wanted, inverse) ^ 128, inverse).to_bytes(16)
    assert gcm_composed._first_counter(hash_key, nonce) == wanted
    sealed = sm4.encrypt_gcm(key, nonce, bytes(640), b"")
    assert (sealed[:-16], sealed[-16:]) == ComposedGcm().encrypt(key, nonce, bytes(640), b"")


def test_a_back_end_that_answers_wrongly_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(ComposedGcm):
        name = "wrong"

        def encrypt(self, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
            ciphertext, tag = super().encrypt(key, nonce, plaintext, aad)
            return (ciphertext, tag) if len(plaintext) < 500 else (ciphertext[::-1], tag)  # wrong only for many blocks

    class TakesAll(ComposedGcm):
        name = "wrong"

        def decrypt(self, key: bytes, nonce: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes | None:
            return super().encrypt(key, nonce, ciphertext, aad)[0]

    for wrong in (Wrong, TakesAll):
        with pytest.raises(BackendError, match=r"^wrong: "):
            gcm.check_known_answers(wrong())
    monkeypatch.setattr(gcm, "CANDIDATES", {"wrong": Wrong, "cryptography": gcm.WheelGcm})
    gcm.engine.cache_clear()
    try:
        assert gcm.engine().name == "cryptography"
    finally:
        gcm.engine.cache_clear()


def test_an_unknown_back_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANDUN_SM4", "rot13")
    gcm.engine.cache_clear()
    try:
        with pytest.raises(BackendError, match="there are libgcrypt, cryptography"):
            sm4.encrypt_gcm(KEY, IV, b"")
    finally:
        gcm.engine.cache_clear()
