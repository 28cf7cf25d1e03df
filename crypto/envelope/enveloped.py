"""EnvelopedData (GB/T 35275-2017 clause 9): content under a fresh SM4 key, which is encrypted by SM2 to each recipient.

SM4-GCM (the default) notices every change; SM4-CBC is for readers that know nothing else and notices none by itself: sign it too.
Of the content key two forms are read: SM2Cipher in DER (GM/T 0009 clause 7.2), and C1 ‖ C2 ‖ C3 without the 04 in front, as CFCA's
SADK before 3.2 has it; recipients are found by issuer and serial number (version 1) or key identifier (version 2, CFCA).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from crypto.certificates import Certificate, CertificateError
from crypto.der import Reader, encode_integer, encode_object_id, encode_octets, encode_sequence
from crypto.envelope.syntax import (
    DATA,
    ENVELOPED,
    SET,
    SM2_ENCRYPT,
    CertificateId,
    algorithm,
    as_der,
    content_info,
    octet_string,
    ordered,
    read_algorithm,
    read_content_info,
    values,
)
from crypto.errors import CryptoError, DecryptionError, EncodingError
from crypto.sm2 import PrivateKey
from crypto.sm2.ciphertext import CiphertextEncoding, decode_ciphertext
from crypto.sm4 import BLOCK_SIZE, KEY_SIZE, decrypt_cbc, decrypt_gcm, encrypt_cbc, encrypt_gcm

ContentCipher = Literal["sm4-gcm", "sm4-cbc"]

_CBC, _GCM = "1.2.156.10197.1.104.2", "1.2.156.10197.1.104.8"
_CONTEXT_0, _CONTEXT_0_BUILT = 0x80, 0xA0
_NONCE, _TAG = 12, 16
_BARE = 64 + KEY_SIZE + 32
_SM2_OIDS = (SM2_ENCRYPT, "1.2.156.10197.1.301")
_WHAT = "enveloped message"


@dataclass(frozen=True)
class Recipient:
    """``certificate`` or ``key_identifier`` says who; the other is None."""

    certificate: CertificateId | None
    key_identifier: bytes | None
    wrapped: bytes


@dataclass(frozen=True)
class Encrypted:
    """EncryptedContentInfo."""

    cipher: ContentCipher
    vector: bytes
    ciphertext: bytes

    def open(self, key: bytes) -> bytes:
        """Raises DecryptionError."""
        if len(key) != KEY_SIZE:
            raise DecryptionError("the content key of the message is no SM4 key")
        if self.cipher == "sm4-gcm":
            return decrypt_gcm(key, self.vector, self.ciphertext)
        return decrypt_cbc(key, self.vector, self.ciphertext)


def envelop(
    content: bytes, recipients: Sequence[Certificate], cipher: ContentCipher = "sm4-gcm", wrapping: CiphertextEncoding = "der"
) -> bytes:
    """EnvelopedData in DER. ``wrapping`` of the content key: the standard's ``der``, or ``c1c2c3-bare`` for CFCA's old readers."""
    key = secrets.token_bytes(KEY_SIZE)
    encrypted = encrypt_content(content, cipher, key)
    return content_info(ENVELOPED, encode_sequence(encode_integer(1), recipient_field(key, recipients, wrapping), encrypted))


def open_envelope(octets: bytes, certificate: Certificate, key: PrivateKey, *, ber: bool = True) -> bytes:
    """The content, by one of the recipients. Raises EncodingError, CertificateError, DecryptionError.

    ber  False: only DER is taken, so that a message has one encoding
    """
    body = read_content_info(as_der(octets, _WHAT, ber), ENVELOPED, _WHAT, (1, 2))  # 2: recipients by key identifier
    recipients = read_recipients(body, _WHAT)
    encrypted = read_encrypted(body, _WHAT, ber)
    body.end()
    return encrypted.open(content_key(recipients, certificate, key))


def encrypt_content(content: bytes, cipher: ContentCipher, key: bytes) -> bytes:
    """EncryptedContentInfo under an SM4 key."""
    if cipher == "sm4-gcm":
        vector = secrets.token_bytes(_NONCE)
        parameters = encode_sequence(encode_octets(vector), encode_integer(_TAG))  # GCMParameters of RFC 5084
        identifier, ciphertext = _GCM, encrypt_gcm(key, vector, content)
    elif cipher == "sm4-cbc":
        vector = secrets.token_bytes(BLOCK_SIZE)
        parameters = encode_octets(vector)
        identifier, ciphertext = _CBC, encrypt_cbc(key, vector, content)
    else:
        raise CryptoError(f"the content cipher {cipher} is not known; take sm4-gcm or sm4-cbc")
    field = b"\x80" + encode_octets(ciphertext)[1:]
    return encode_sequence(encode_object_id(DATA), algorithm(identifier, parameters), field)


def recipient_field(key: bytes, recipients: Sequence[Certificate], wrapping: CiphertextEncoding = "der") -> bytes:
    if not recipients:
        raise CryptoError("an enveloped message has at least one recipient")
    return ordered(SET, [_wrap(key, one, wrapping) for one in recipients])


def read_recipients(body: Reader, what: str) -> list[Recipient]:
    found = []
    for one in values(body, SET, what):
        inner = Reader(one, what).sequence()
        version = inner.integer()
        if version not in (1, 2):
            raise EncodingError(f"{what}: unknown version of a recipient")
        certificate = CertificateId.read(inner) if version == 1 else None
        identifier = inner.read(_CONTEXT_0) if version == 2 else None
        read_algorithm(inner, _SM2_OIDS, what)
        found.append(Recipient(certificate, identifier, octet_string(inner)))
        inner.end()
    return found


def read_encrypted(body: Reader, what: str, ber: bool = False) -> Encrypted:
    info = body.sequence()
    if info.object_id() != DATA:
        raise EncodingError(f"{what}: the content is not data")
    chosen = info.sequence()
    identifier = chosen.object_id()
    if identifier == _CBC:
        cipher: ContentCipher = "sm4-cbc"
        vector = octet_string(chosen)
    elif identifier == _GCM:
        cipher = "sm4-gcm"
        vector = _gcm_nonce(chosen.sequence(), what)
    else:
        raise EncodingError(f"{what}: the content cipher {identifier} is not taken; expected SM4-CBC or SM4-GCM")
    chosen.end()
    if info.peek() == _CONTEXT_0_BUILT:  # some writers tag the octet string explicitly; in BER it may be built of parts
        wrapped = info.nested(_CONTEXT_0_BUILT)
        parts = [octet_string(wrapped)]
        while ber and wrapped.peek() is not None:
            parts.append(octet_string(wrapped))
        ciphertext = b"".join(parts)
        wrapped.end()
    else:
        ciphertext = info.read(_CONTEXT_0)
    info.end()
    return Encrypted(cipher, vector, ciphertext)


def content_key(recipients: Sequence[Recipient], certificate: Certificate, key: PrivateKey) -> bytes:
    """Raises CertificateError where the message is for others, DecryptionError where it does not open."""
    wanted = CertificateId.of(certificate)
    for recipient in recipients:
        by_key = recipient.key_identifier is not None and recipient.key_identifier == certificate.key_identifier
        if recipient.certificate == wanted or by_key:
            return key.decrypt(recipient.wrapped, _wrapping_of(recipient.wrapped))
    raise CertificateError("the message is not for the holder of this certificate", certificate.subject)


def _wrapping_of(wrapped: bytes) -> CiphertextEncoding:
    """The older form has exactly 64 bytes of C1, the key, and 32 bytes of C3, which may begin as DER does by chance."""
    if len(wrapped) == _BARE:
        try:
            decode_ciphertext(wrapped, "der")
        except EncodingError:
            return "c1c2c3-bare"
    return "der"


def _wrap(key: bytes, certificate: Certificate, wrapping: CiphertextEncoding) -> bytes:
    usage = certificate.usage
    if usage is not None and not usage & {"key_encipherment", "data_encipherment", "key_agreement"}:
        raise CertificateError("it is not for encryption: take the encryption certificate of this owner", certificate.subject)
    return encode_sequence(
        encode_integer(1),
        CertificateId.of(certificate).encoded(),
        algorithm(SM2_ENCRYPT),
        encode_octets(certificate.public_key.encrypt(key, wrapping)),
    )


def _gcm_nonce(parameters: Reader, what: str) -> bytes:
    nonce = octet_string(parameters)
    size = parameters.integer() if parameters.peek() is not None else 12  # the default of RFC 5084
    parameters.end()
    if size != _TAG or len(nonce) != _NONCE:
        raise EncodingError(f"{what}: SM4-GCM is taken with a nonce of {_NONCE} and a tag of {_TAG} bytes only")
    return nonce
