"""SM2 key files: every form there and back, and that a file is taken exactly or not at all."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from asn1crypto.keys import EncryptedPrivateKeyInfo, PrivateKeyInfo, PublicKeyInfo
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import pbes2
from crypto.der import encode_sequence
from crypto.errors import CryptoError, EncodingError, InvalidKeyError, WrongPasswordError
from crypto.pbes2 import KeyScheme
from crypto.sm2 import PrivateKey, PublicKey
from crypto.sm2.keyfile import armour

KEY = PrivateKey.from_scalar(0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8)
SCHEMES = get_args(KeyScheme)


def test_plain_there_and_back() -> None:
    assert PrivateKey.from_der(KEY.to_der()).to_bytes() == KEY.to_bytes()
    assert PrivateKey.from_pem(KEY.to_pem()).to_bytes() == KEY.to_bytes()
    assert PublicKey.from_der(KEY.public.to_der()) == KEY.public == PublicKey.from_pem(KEY.public.to_pem().encode())


def test_another_reader_of_the_same_structures() -> None:
    info = PrivateKeyInfo.load(KEY.to_der(), strict=True)
    assert info["private_key_algorithm"]["algorithm"].native == "ec"
    assert int(info["private_key"].parsed["private_key"].native) == int.from_bytes(KEY.to_bytes())
    assert PublicKeyInfo.load(KEY.public.to_der(), strict=True)["public_key"].native == KEY.public.to_bytes()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_encrypted_there_and_back(scheme: KeyScheme) -> None:
    text = KEY.to_pem("口令 secret", scheme)
    assert text.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert PrivateKey.from_pem(text, "口令 secret").to_bytes() == KEY.to_bytes()
    assert PrivateKey.from_pem(text, "口令 secret".encode()).to_bytes() == KEY.to_bytes()
    assert KEY.to_pem("口令 secret", scheme) != text
    with pytest.raises(WrongPasswordError, match="needs its password"):
        PrivateKey.from_pem(text)
    with pytest.raises(WrongPasswordError, match="does not open"):
        PrivateKey.from_pem(text, "口令 Secret")


def test_the_derivation_is_slow_enough_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = KEY.to_der("secret", "pbes2-sha256")
    parameters = EncryptedPrivateKeyInfo.load(octets)["encryption_algorithm"]["parameters"]
    assert parameters["key_derivation_func"]["parameters"]["iteration_count"].native == 200_000
    monkeypatch.setattr(pbes2, "_MOST_ITERATIONS", 199_999)
    with pytest.raises(EncodingError, match="200000 iterations are not read"):
        PrivateKey.from_der(octets, "secret")


def test_an_empty_password_is_none() -> None:
    with pytest.raises(CryptoError, match="empty password"):
        KEY.to_pem("")
    with pytest.raises(CryptoError, match="pbes2-sm3, gmt0091"):
        KEY.to_pem("x", "rot13")  # type: ignore[arg-type]


def test_another_public_key_inside_is_refused() -> None:
    other = PrivateKey.generate()
    mixed = KEY.to_der().replace(KEY.public.to_bytes(), other.public.to_bytes())
    with pytest.raises(InvalidKeyError, match="does not belong"):
        PrivateKey.from_der(mixed)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_file_is_never_another_key(data: st.DataObject) -> None:
    """The file holds the key twice (the number, and the point that belongs to it): one change anywhere is noticed."""
    octets = KEY.to_der()
    position = data.draw(st.integers(0, len(octets)))
    changed = octets[:position] + data.draw(st.binary(max_size=2)) + octets[position + data.draw(st.integers(0, 2)) :]
    try:
        read = PrivateKey.from_der(changed)
    except CryptoError:
        return
    assert read.to_bytes() == KEY.to_bytes()
    assert len(changed) == len(octets)  # at most the version, which may be 0 or 1


@given(st.binary(max_size=200))
def test_rubbish_is_refused(octets: bytes) -> None:
    for read in (PrivateKey.from_der, PublicKey.from_der, PrivateKey.from_pem, PublicKey.from_pem):
        with pytest.raises(CryptoError):
            read(octets)
    with pytest.raises(CryptoError):
        PrivateKey.from_der(octets, "password")


def test_other_curves_and_algorithms_are_refused() -> None:
    p256 = bytes.fromhex("2a8648ce3d030107")
    sm2 = bytes.fromhex("2a811ccf5501822d")
    with pytest.raises(InvalidKeyError, match="SM2"):
        PublicKey.from_der(KEY.public.to_der().replace(sm2, p256))
    with pytest.raises(InvalidKeyError, match="SM2"):
        PrivateKey.from_der(KEY.to_der().replace(sm2, p256))


def test_pem_blocks_around_the_key_do_not_matter() -> None:
    parameters = armour("EC PARAMETERS", bytes.fromhex("06082a811ccf5501822d"))
    assert PrivateKey.from_pem("comment\n" + parameters + KEY.to_pem() + "tail\n").public == KEY.public
    with pytest.raises(EncodingError, match="found 2"):
        PrivateKey.from_pem(KEY.to_pem() + KEY.to_pem())
    with pytest.raises(EncodingError, match="found 0"):
        PrivateKey.from_pem(KEY.public.to_pem())
    with pytest.raises(EncodingError, match="damaged"):
        PrivateKey.from_pem(re.sub(r"\nM", "\n!", KEY.to_pem()))


def test_windows_line_ends_are_read() -> None:
    assert PrivateKey.from_pem(KEY.to_pem().replace("\n", "\r\n")).public == KEY.public


def test_the_weak_old_encryption_is_named() -> None:
    text = KEY.to_pem().replace("PRIVATE KEY-----\n", "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", 1)
    with pytest.raises(EncodingError, match="openssl pkcs8 -topk8"):
        PrivateKey.from_pem(text)


def test_other_encryptions_are_named() -> None:
    octets = encode_sequence(encode_sequence(bytes.fromhex("06092a864886f70d010503"), b"\x05\0"), b"\x04\x01\0")
    with pytest.raises(EncodingError, match="not PBES2"):
        PrivateKey.from_der(octets, "x")
