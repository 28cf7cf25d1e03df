"""Chains of ordinary algorithms (RSA, ECDSA), where a city's peers have them: checked by ``cryptography``'s verifier."""

from __future__ import annotations

import ipaddress
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification

from crypto.certificates.certificate import Certificate
from crypto.certificates.errors import CertificateError
from crypto.certificates.revocation import RevocationList


def check_foreign_chain(
    leaf: Certificate,
    others: list[Certificate],
    trusted: list[Certificate],
    at: datetime,
    name: str | None,
    extended: str | None,
) -> list[Certificate]:
    """The path; for a server with ``name`` or ``server_auth``, else for a client. Raises CertificateError."""
    anchors = [_foreign(one) for one in trusted if not one.is_sm2]
    if not anchors:
        raise CertificateError("no trusted certificate of its kind (neither RSA nor ECDSA)", leaf.subject)
    builder = verification.PolicyBuilder().store(verification.Store(anchors)).time(at)
    between = [_foreign(one) for one in others if not one.is_sm2]
    try:
        if name is not None and extended != "client_auth":
            path = builder.build_server_verifier(_subject(name)).verify(_foreign(leaf), between)
        elif extended == "server_auth":
            raise CertificateError("a server is checked together with its name", leaf.subject)
        else:
            path = builder.build_client_verifier().verify(_foreign(leaf), between).chain
    except verification.VerificationError as error:
        raise CertificateError(str(error), leaf.subject) from error
    return [Certificate(one.public_bytes(Encoding.DER)) for one in path]


def check_foreign_list(listed: RevocationList, issuer: Certificate, root: Certificate, at: datetime) -> None:
    """A revocation list of ``issuer``, which is ``root`` or stands directly below it. Raises CertificateError."""
    signer = _foreign(issuer)
    try:
        if issuer != root:
            signer.verify_directly_issued_by(_foreign(root))
        if issuer.usage is not None and "crl_sign" not in issuer.usage:
            raise CertificateError("it may not sign revocation lists", issuer.subject)
        if not issuer.is_authority or not issuer.not_before <= at <= issuer.not_after:
            raise CertificateError("it is no authority that is valid now", issuer.subject)
        good = x509.load_der_x509_crl(listed.der).is_signature_valid(signer.public_key())  # type: ignore[arg-type]
    except (ValueError, TypeError, InvalidSignature) as error:
        raise CertificateError(f"the revocation list cannot be checked: {error or 'bad signature'}", issuer.subject) from error
    if not good:
        raise CertificateError("the revocation list has a bad signature", issuer.subject)
    listed.check_time(at, issuer.subject)


def _subject(name: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _foreign(certificate: Certificate) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(certificate.der)
    except (ValueError, TypeError) as error:
        raise CertificateError(f"it cannot be read: {error}", certificate.subject) from error
