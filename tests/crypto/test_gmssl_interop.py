"""Both ways with the Python ``gmssl`` where it is right; where it is not (docs/crypto.md), that ours is.

It is the peer here, not the measure: its keys and ciphertexts are test data.
"""

from __future__ import annotations

import pytest
from gmssl import func
from gmssl.sm2 import CryptSM2
from gmssl.sm3 import sm3_hash
from gmssl.sm4 import SM4_DECRYPT, SM4_ENCRYPT, CryptSM4
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import second_opinion
from crypto.errors import BackendError, DecryptionError
from crypto.second_opinion import readable_key
from crypto.sm2 import PrivateKey
from crypto.sm2.ciphertext import CiphertextEncoding
from crypto.sm3 import sm3
from crypto.sm4 import decrypt_cbc, encrypt_cbc

messages = st.binary(min_size=1, max_size=80)
few = settings(max_examples=8, deadline=None)


def peer_of(key: PrivateKey, c1c3c2: bool = True) -> CryptSM2:
    return CryptSM2(private_key=key.to_bytes().hex(), public_key=key.public.to_bytes()[1:].hex(), mode=int(c1c3c2))


@few
@given(messages)
def test_the_same_digest(message: bytes) -> None:
    assert sm3_hash(func.bytes_to_list(message)) == sm3(message).hex()


@few
@given(messages)
def test_sm4_cbc(message: bytes) -> None:
    key, iv = sm3(message)[:16], sm3(message)[16:]
    cipher = CryptSM4()
    cipher.set_key(key, SM4_DECRYPT)
    assert cipher.crypt_cbc(iv, encrypt_cbc(key, iv, message)) == message
    cipher.set_key(key, SM4_ENCRYPT)
    assert decrypt_cbc(key, iv, cipher.crypt_cbc(iv, message)) == message


@few
@given(messages)
def test_signatures(message: bytes) -> None:
    key = readable_key()
    peer = peer_of(key)
    assert peer.verify_with_sm3(key.sign(message, encoding="raw").hex(), message)
    assert key.public.verify(message, bytes.fromhex(peer.sign_with_sm3(message)), encoding="raw")


@few
@given(messages, st.sampled_from(["c1c3c2-bare", "c1c2c3-bare"]))
def test_ciphertexts(message: bytes, form: CiphertextEncoding) -> None:
    key = readable_key()
    peer = peer_of(key, form == "c1c3c2-bare")
    assert peer.decrypt(key.public.encrypt(message, form)) == message
    assert key.decrypt(peer.encrypt(message), form) == message


def test_a_tampered_ciphertext_that_gmssl_decrypts_is_refused() -> None:
    """The reason why it protects nothing here: it computes C3 and never compares it."""
    key = readable_key()
    ciphertext = bytearray(key.public.encrypt(b"pay 100", "c1c3c2-bare"))
    ciphertext[-3] ^= 0x08
    assert peer_of(key).decrypt(bytes(ciphertext)) == b"pay 900"
    with pytest.raises(DecryptionError):
        key.decrypt(bytes(ciphertext), "c1c3c2-bare")


def test_the_second_opinion_agrees() -> None:
    second_opinion.check(b"some bytes")


def test_the_second_opinion_disagrees_where_we_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, wrong in (
        ("sm3", lambda data: sm3(data + b".")),
        ("encrypt_ecb", lambda key, block: block),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(second_opinion, name, wrong)
            with pytest.raises(BackendError, match="differ"):
                second_opinion.check(b"some bytes")
