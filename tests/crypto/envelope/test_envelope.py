"""Messages of GB/T 35275: what is written is read; what was changed, is for others, or is no message, is refused."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.certificates import ENCRYPTION, SIGNING, Authority, CertificateError, Profile, issue, make_root, name
from crypto.envelope import Signer, envelop, open_envelope, open_signed_envelope, read_signed, sign_and_envelop, sign_data
from crypto.envelope.enveloped import ContentCipher
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
