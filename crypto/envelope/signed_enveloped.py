"""SignedAndEnvelopedData (GB/T 35275-2017 clause 10): signed over the plain content, without attributes, then encrypted."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from crypto.certificates import Certificate
from crypto.der import encode_integer, encode_sequence
from crypto.envelope.enveloped import (
    ContentCipher,
    content_key,
    encrypt_content,
    read_encrypted,
    read_recipients,
    recipient_field,
)
from crypto.envelope.signed import Signer, Verified, check_signers, read_digests, read_signers, signer_fields
from crypto.envelope.syntax import SET, SIGNED_AND_ENVELOPED, SM3, algorithm, as_der, content_info, ordered, read_content_info
from crypto.errors import CryptoError
from crypto.sm2 import PrivateKey
from crypto.sm4 import KEY_SIZE

_WHAT = "signed and enveloped message"


def sign_and_envelop(
    content: bytes, signers: Sequence[Signer], recipients: Sequence[Certificate], cipher: ContentCipher = "sm4-gcm"
) -> bytes:
    """DER for the holders of ``recipients``' keys; who signed can be seen by others, too."""
    if not signers:
        raise CryptoError("a signed message has at least one signer")
    key = secrets.token_bytes(KEY_SIZE)
    encrypted = encrypt_content(content, cipher, key)
    body = encode_sequence(
        encode_integer(1),
        recipient_field(key, recipients),
        ordered(SET, [algorithm(SM3)]),
        encrypted,
        *signer_fields(content, signers, False, datetime.now(UTC)),
    )
    return content_info(SIGNED_AND_ENVELOPED, body)


def open_signed_envelope(
    octets: bytes, certificate: Certificate, key: PrivateKey, known: Sequence[Certificate] = (), *, ber: bool = True
) -> Verified:
    """The content, only where every signature is good. Raises EncodingError, DecryptionError, CertificateError.

    ber  False: only DER is taken
    """
    body = read_content_info(as_der(octets, _WHAT, ber), SIGNED_AND_ENVELOPED, _WHAT)
    recipients = read_recipients(body, _WHAT)
    read_digests(body, _WHAT)
    encrypted = read_encrypted(body, _WHAT, ber)
    certificates, signers = read_signers(body, _WHAT, ber)
    content = encrypted.open(content_key(recipients, certificate, key))
    return check_signers(content, signers, (*certificates, *known))
