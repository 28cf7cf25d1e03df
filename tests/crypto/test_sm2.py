"""SM2 keys: round trips, and that nothing changed is ever accepted. Each on every back end where that matters."""

from __future__ import annotations

import pickle
import secrets
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.der import encode_integer, encode_sequence
from crypto.errors import CryptoError, DecryptionError, InvalidKeyError
from crypto.sm2 import DEFAULT_IDENT, PrivateKey, PublicKey
from crypto.sm2.ciphertext import CiphertextEncoding
from crypto.sm2.curve import GENERATOR, N, P
from crypto.sm2.digest import message_hasher
from crypto.sm2.engine import Engine
from crypto.sm2.signature import SignatureEncoding, decode_signature, encode_signature

KEY = PrivateKey.generate()
ENCODINGS = get_args(CiphertextEncoding)
SIGNATURE = KEY.sign(b"message")
bits = st.integers(0, 1 << 20)
signature_encodings = st.sampled_from(get_args(SignatureEncoding))
on_each_engine = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@on_each_engine
@given(message=st.binary(max_size=300), ident=st.binary(max_size=60), encoding=signature_encodings, bit=bits)
def test_signed_is_verified_and_nothing_else(
    sm2_engine: Engine, message: bytes, ident: bytes, encoding: SignatureEncoding, bit: int
) -> None:
    key = PrivateKey.from_scalar(KEY.to_bytes())  # holds a handle of this back end
    signature = key.sign(message, ident, encoding)
    assert key.public.verify(message, signature, ident, encoding)
    assert not key.public.verify(message + b"\0", signature, ident, encoding)
    assert not key.public.verify(message, signature, ident + b"\0", encoding)
    flipped = (int.from_bytes(signature) ^ 1 << bit % (8 * len(signature))).to_bytes(len(signature))
    assert not key.public.verify(message, flipped, ident, encoding)


@on_each_engine
@given(message=st.binary(min_size=1, max_size=300), encoding=st.sampled_from(ENCODINGS), bit=bits)
def test_encrypted_is_decrypted_and_nothing_else(
    sm2_engine: Engine, message: bytes, encoding: CiphertextEncoding, bit: int
) -> None:
    ciphertext = KEY.public.encrypt(message, encoding)
    assert KEY.decrypt(ciphertext, encoding) == message
    flipped = (int.from_bytes(ciphertext) ^ 1 << bit % (8 * len(ciphertext))).to_bytes(len(ciphertext))
    with pytest.raises(DecryptionError, match="does not open"):
        KEY.decrypt(flipped, encoding)


@given(st.binary(max_size=90))
def test_a_signature_has_one_der_form(octets: bytes) -> None:
    try:
        raw = decode_signature(octets, "der")
    except CryptoError:
        return
    assert encode_signature(raw, "der") == octets


@given(st.data())
def test_no_mutation_of_a_der_signature_verifies(data: st.DataObject) -> None:
    """Bytes put in, left out or replaced anywhere: what OpenSSL's lenient days took as the same signature."""
    signature = SIGNATURE
    position = data.draw(st.integers(0, len(signature)))
    cut = data.draw(st.integers(0, 3))
    mutated = signature[:position] + data.draw(st.binary(max_size=3)) + signature[position + cut :]
    assert KEY.public.verify(b"message", mutated) == (mutated == signature)


@pytest.mark.parametrize("change", ["r+n", "s+n", "-r", "-s", "n-r", "n-s", "swapped"])
def test_related_values_do_not_verify(change: str) -> None:
    raw = KEY.sign(b"message", encoding="raw")
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    r, s = {
        "r+n": (r + N, s),
        "s+n": (r, s + N),
        "-r": (-r % 2**256, s),
        "-s": (r, -s % 2**256),
        "n-r": (N - r, s),
        "n-s": (r, N - s),
        "swapped": (s, r),
    }[change]
    assert not KEY.public.verify(b"message", encode_sequence(encode_integer(r), encode_integer(s)))


def test_each_signature_has_its_own_nonce() -> None:
    assert len({KEY.sign(b"message")[4:36] for _ in range(50)}) == 50


@pytest.mark.parametrize("scalar", [0, N - 1, N, N + 1, 2**256 - 1, 2**256, -1])
def test_the_private_key_is_in_its_range(scalar: int) -> None:
    with pytest.raises(InvalidKeyError, match=r"1\.\.n-2"):
        PrivateKey.from_scalar(scalar)
    if 0 <= scalar < 2**256:
        with pytest.raises(InvalidKeyError, match=r"1\.\.n-2"):
            PrivateKey.from_scalar(scalar.to_bytes(32))


@pytest.mark.parametrize("scalar", [1, 2, N - 2])
def test_keys_at_the_edge_work(sm2_engine: Engine, scalar: int) -> None:
    key = PrivateKey.from_scalar(scalar)
    assert key.public.verify(b"message", key.sign(b"message"))
    assert key.decrypt(key.public.encrypt(b"message")) == b"message"
    if scalar == 1:
        assert key.public.to_bytes() == GENERATOR


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_private_key_has_32_bytes(size: int) -> None:
    with pytest.raises(InvalidKeyError, match="32 bytes"):
        PrivateKey.from_scalar(b"\x01" * size)


@given(st.binary(max_size=70))
def test_points_off_the_curve_are_refused(octets: bytes) -> None:
    with pytest.raises(InvalidKeyError):
        PublicKey.from_bytes(octets)


@pytest.mark.parametrize(
    "octets", [b"", b"\0", b"\4" + bytes(64), b"\2" + P.to_bytes(32), b"\4" + (P + 1).to_bytes(32) + bytes(32)]
)
def test_infinity_and_coordinates_from_p_on_are_refused(octets: bytes) -> None:
    with pytest.raises(InvalidKeyError):
        PublicKey.from_bytes(octets)


def test_both_forms_of_a_point() -> None:
    for _ in range(20):
        public = PrivateKey.generate().public
        assert len(public.to_bytes(compressed=True)) == 33
        assert PublicKey.from_bytes(public.to_bytes(compressed=True)) == public == PublicKey.from_bytes(public.to_bytes())


@pytest.mark.parametrize("size", [0, 1, 8190, 8191])
def test_identifiers_up_to_the_limit_of_the_standard(sm2_engine: Engine, size: int) -> None:
    key, ident = PrivateKey.from_scalar(KEY.to_bytes()), secrets.token_bytes(size)
    assert key.public.verify(b"message", key.sign(b"message", ident), ident)


def test_longer_identifiers_are_refused() -> None:
    with pytest.raises(CryptoError, match="8191"):
        KEY.sign(b"message", bytes(8192))
    with pytest.raises(CryptoError, match="8191"):
        KEY.public.verify(b"message", KEY.sign(b"message"), bytes(8192))


def test_a_message_in_pieces() -> None:
    hasher = message_hasher(KEY.public.to_bytes())
    for piece in (b"mes", b"", b"sage"):
        hasher.update(piece)
    assert KEY.public.verify(b"message", KEY.sign_digest(hasher.digest()))
    assert KEY.public.verify_digest(hasher.digest(), KEY.sign(b"message", DEFAULT_IDENT))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_digest_has_32_bytes(size: int) -> None:
    with pytest.raises(CryptoError, match="32 bytes"):
        KEY.sign_digest(bytes(size))
    with pytest.raises(CryptoError, match="32 bytes"):
        KEY.public.verify_digest(bytes(size), b"")


def test_unknown_encodings_are_told() -> None:
    with pytest.raises(CryptoError, match="there are der and raw"):
        KEY.sign(b"", encoding="pem")  # type: ignore[arg-type]
    with pytest.raises(CryptoError, match="there are der and raw"):
        KEY.public.verify(b"", b"", encoding="pem")  # type: ignore[arg-type]
    with pytest.raises(CryptoError, match="c1c3c2"):
        KEY.public.encrypt(b"x", "c2c1c3")  # type: ignore[arg-type]


def test_nothing_is_not_encrypted() -> None:
    with pytest.raises(CryptoError, match="at least one byte"):
        KEY.public.encrypt(b"")


def test_a_ciphertext_is_for_one_key() -> None:
    with pytest.raises(DecryptionError):
        PrivateKey.generate().decrypt(KEY.public.encrypt(b"message"))


def test_a_private_key_shows_itself_nowhere() -> None:
    assert KEY.to_bytes().hex() not in repr(KEY) + str(KEY)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(KEY)


def test_a_public_key_travels() -> None:
    KEY.public.verify(b"", b"")  # has a handle of the library now
    copy = pickle.loads(pickle.dumps(KEY.public))
    assert copy == KEY.public
    assert hash(copy) == hash(KEY.public)
    assert copy.verify(b"message", KEY.sign(b"message"))
