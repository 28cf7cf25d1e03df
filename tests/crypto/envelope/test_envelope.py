"""Messages of GB/T 35275: what is written is read; what was changed, is for others, or is no message, is refused."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.certificates import ENCRYPTION, SIGNING, Authority, CertificateError, Profile, issue, make_root, name
from crypto.der import encode, encode_integer, encode_object_id, encode_octets, encode_sequence
from crypto.envelope import (
    Signer,
    encrypt_data,
    envelop,
    open_encrypted,
    open_envelope,
    open_signed_envelope,
    read_signed,
    sign_and_envelop,
    sign_data,
)
from crypto.envelope.enveloped import ContentCipher, Recipient, content_key
from crypto.envelope.syntax import CertificateId
from crypto.errors import CryptoError
from crypto.sm2 import PrivateKey

ROOT = make_root(name("City root"), PrivateKey.generate())
CONTENT = "防火墙规则 42 changed".encode()
AT = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)


def _holder(text: str, profile: Profile) -> Authority:
    key = PrivateKey.generate()
    return Authority(issue(ROOT, name(text), key.public, profile, 30), key)


SIGNERS = [Signer(one.certificate, one.key) for one in (_holder("officer", SIGNING), _holder("auditor", SIGNING))]
READERS = [_holder("court", ENCRYPTION), _holder("police", ENCRYPTION)]
CERTIFICATES = [one.certificate for one in READERS]
STRANGER = _holder("stranger", ENCRYPTION)
CIPHERS: list[ContentCipher] = ["sm4-gcm", "sm4-cbc"]


@pytest.mark.parametrize("attributes", [True, False])
@pytest.mark.parametrize("content", [b"", CONTENT, bytes(100_000)], ids=len)
def test_signed(content: bytes, attributes: bool) -> None:
    message = sign_data(content, SIGNERS, attributes=attributes, at=AT)
    verified = read_signed(message).verify()
    assert verified.content == content
    assert set(verified.signers) == {one.certificate for one in SIGNERS}
    assert verified.signed_at == ((AT, AT) if attributes else (None, None))


def test_detached() -> None:
    message = read_signed(sign_data(CONTENT, SIGNERS[:1], detached=True))
    assert message.content is None
    assert message.verify(CONTENT).signers == (SIGNERS[0].certificate,)
    with pytest.raises(CertificateError, match="not what was signed"):
        message.verify(CONTENT + b".")
    with pytest.raises(CertificateError, match="does not carry"):
        message.verify()
    with pytest.raises(CertificateError, match="carries its own"):
        read_signed(sign_data(CONTENT, SIGNERS)).verify(CONTENT)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("reader", READERS, ids=repr)
def test_enveloped(cipher: ContentCipher, reader: Authority) -> None:
    assert open_envelope(envelop(CONTENT, CERTIFICATES, cipher), reader.certificate, reader.key) == CONTENT
    message = sign_and_envelop(CONTENT, SIGNERS, CERTIFICATES, cipher)
    verified = open_signed_envelope(message, reader.certificate, reader.key)
    assert (verified.content, set(verified.signers)) == (CONTENT, {one.certificate for one in SIGNERS})


def test_not_for_everybody() -> None:
    message = envelop(CONTENT, CERTIFICATES)
    with pytest.raises(CertificateError, match="not for the holder"):
        open_envelope(message, STRANGER.certificate, STRANGER.key)
    with pytest.raises(CryptoError, match="does not open"):
        open_envelope(message, READERS[0].certificate, STRANGER.key)
    with pytest.raises(CertificateError, match="not for encryption"):
        envelop(CONTENT, [SIGNERS[0].certificate])
    with pytest.raises(CryptoError, match="does not belong"):
        Signer(SIGNERS[0].certificate, STRANGER.key)
    encrypter = Signer(READERS[0].certificate, READERS[0].key)
    with pytest.raises(CertificateError, match="not for signatures"):
        read_signed(sign_data(CONTENT, [encrypter])).verify()


def _flipped(octets: bytes, at: int) -> bytes:
    return octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :]


def test_every_flip_is_noticed() -> None:
    """In all of a signed message but its certificates: those are for the chain check (and only the key of one is used here)."""
    message = sign_data(CONTENT, SIGNERS[:1])
    start = message.index(SIGNERS[0].certificate.der)
    for at in (*range(start), *range(start + len(SIGNERS[0].certificate.der), len(message))):
        with pytest.raises(CryptoError):
            read_signed(_flipped(message, at)).verify()
    sealed = envelop(CONTENT, CERTIFICATES[:1])
    for at in range(len(sealed)):
        with pytest.raises(CryptoError):
            open_envelope(_flipped(sealed, at), READERS[0].certificate, READERS[0].key)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_damage_is_a_typed_error(data: st.DataObject) -> None:
    octets = bytearray(MESSAGE)
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets = octets[: data.draw(st.integers(0, len(octets)))]
    reader = READERS[0]
    for read in (lambda: read_signed(bytes(octets)), lambda: open_signed_envelope(bytes(octets), reader.certificate, reader.key)):
        with contextlib.suppress(CryptoError):
            read()


MESSAGE = sign_and_envelop(CONTENT, SIGNERS, CERTIFICATES)
SHARED = bytes(range(16))


@pytest.mark.parametrize("cipher", CIPHERS)
def test_encrypted_under_a_shared_key(cipher: ContentCipher) -> None:
    message = encrypt_data(CONTENT, SHARED, cipher)
    assert encode_object_id("1.2.156.10197.6.1.4.2.5") in message[:20]
    assert open_encrypted(message, SHARED, ber=False) == CONTENT
    for at in range(len(message)) if cipher == "sm4-gcm" else ():
        with pytest.raises(CryptoError):
            open_encrypted(_flipped(message, at), SHARED)
    with pytest.raises(CryptoError, match="16 bytes"):
        encrypt_data(CONTENT, SHARED[:-1])
    if cipher == "sm4-gcm":
        with pytest.raises(CryptoError):
            open_encrypted(message, bytes(16))


def test_kinds_are_told() -> None:
    reader = READERS[0]
    with pytest.raises(CryptoError, match="this is signed data"):
        open_envelope(sign_data(CONTENT, SIGNERS), reader.certificate, reader.key)
    with pytest.raises(CryptoError, match=r"this is encrypted data .*, not signed data"):
        read_signed(encrypt_data(CONTENT, SHARED))
    agreement = encode_sequence(
        encode_object_id("1.2.156.10197.6.1.4.2.6"), encode(0xA0, encode_sequence(encode_integer(1), encode_octets(b"x")))
    )
    foreign = sign_data(CONTENT, SIGNERS).replace(
        encode_object_id("1.2.156.10197.6.1.4.2.2"), encode_object_id("1.2.156.10197.6.1.4.2.9")
    )
    for read in (read_signed, lambda octets: open_envelope(octets, reader.certificate, reader.key)):
        with pytest.raises(CryptoError, match="key agreement information"):
            read(agreement)
    with pytest.raises(CryptoError, match="none of GB/T 35275"):
        read_signed(foreign)


def _indefinite(der: bytes) -> bytes:
    """Every sequence, set and context value with an indefinite length, octet strings in two parts; certificates as they are."""
    kind = der[0]
    start = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
    content = der[start:]
    if kind == 4 and len(content) > 40:
        return b"\x24\x80" + encode_octets(content[:33]) + encode_octets(content[33:]) + b"\0\0"
    if kind == 0x80 and len(content) > 40:  # the encrypted content
        return b"\xa0\x80" + encode_octets(content[:33]) + encode_octets(content[33:]) + b"\0\0"
    if not kind & 0x20 or der in {one.certificate.der for one in SIGNERS}:
        return der
    parts = []
    while content:
        head = 2 if content[1] < 0x80 else 2 + (content[1] & 0x7F)
        size = content[1] if content[1] < 0x80 else int.from_bytes(content[2:head])
        parts.append(_indefinite(content[: head + size]))
        content = content[head + size :]
    return bytes((kind, 0x80)) + b"".join(reversed(parts) if kind == 0x31 else parts) + b"\0\0"


def test_ber_of_others() -> None:
    reader, long = READERS[0], CONTENT * 10
    signed = sign_data(long, SIGNERS, at=AT)
    assert read_signed(_indefinite(signed)).verify().content == long
    for cipher in CIPHERS:
        assert open_envelope(_indefinite(envelop(long, CERTIFICATES, cipher)), reader.certificate, reader.key) == long
        assert open_encrypted(_indefinite(encrypt_data(long, SHARED, cipher)), SHARED) == long
    both = _indefinite(sign_and_envelop(long, SIGNERS, CERTIFICATES))
    assert set(open_signed_envelope(both, reader.certificate, reader.key).signers) == {one.certificate for one in SIGNERS}
    with pytest.raises(CryptoError, match="definite"):
        read_signed(_indefinite(signed), ber=False)
    with pytest.raises(CryptoError):
        read_signed(_indefinite(signed)[:-2])


def test_the_older_form_of_the_content_key() -> None:
    """C1 ‖ C2 ‖ C3 without the 04, as CFCA's SADK before 3.2 has it."""
    reader = READERS[1]
    message = envelop(CONTENT, CERTIFICATES, wrapping="c1c2c3-bare")
    assert open_envelope(message, reader.certificate, reader.key, ber=False) == CONTENT
    assert len(message) < len(envelop(CONTENT, CERTIFICATES))


def test_the_older_form_that_begins_as_der_does() -> None:
    """One ciphertext in some hundreds is by chance a whole DER value, though not of GM/T 0009."""
    reader, wrapped = READERS[1], b""
    while not wrapped or wrapped[1] != len(wrapped) - 2:
        wrapped = reader.certificate.public_key.encrypt(bytes(range(16)), "c1c2c3-bare")
    recipient = Recipient(CertificateId.of(reader.certificate), None, wrapped)
    assert content_key([recipient], reader.certificate, reader.key) == bytes(range(16))
