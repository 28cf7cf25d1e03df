"""Path validation (RFC 5280 clause 6, without policies): from a certificate to one that is trusted.

Checked for every certificate: validity, critical extensions, signature, revocation; for issuers: basic constraints, key usage
and path length; for the first: key usage, extended key usage, name. Name constraints are not implemented, so a certificate that
has them is refused. Chains of RSA or ECDSA go through the verifier of ``cryptography``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from crypto.certificates.certificate import Certificate
from crypto.certificates.errors import CertificateError
from crypto.certificates.foreign import check_foreign_chain
from crypto.certificates.names import matches
from crypto.certificates.revocation import RevocationList
from crypto.errors import CryptoError

LONGEST = 8
"""Certificates of a path, both ends counted."""

_TRIES = 64
"""Signatures checked at most while looking for a path: hostile bundles of look-alikes end here."""


def check_chain(
    leaf: Certificate,
    others: Iterable[Certificate],
    trusted: Iterable[Certificate],
    at: datetime | None = None,
    name: str | None = None,
    usage: str | None = None,
    extended: str | None = None,
    lists: Sequence[RevocationList] = (),
    lists_needed: bool = False,
) -> list[Certificate]:
    """The path from ``leaf`` to a trusted certificate, that one last.

    ``usage`` (``digital_signature``) and ``extended`` (``server_auth``) must be allowed; ``name`` is a DNS name, address or URI.
    With ``lists_needed`` an issuer without a current revocation list refuses. Raises CertificateError, ``where`` names the culprit.
    """
    moment = at or datetime.now(UTC)
    trusted = list(trusted)
    if not leaf.is_sm2:
        return check_foreign_chain(leaf, list(others), trusted, moment, name, extended)
    _check_leaf(leaf, name, usage, extended)
    path = _Search(list(others), trusted).path(leaf)
    for depth, certificate in enumerate(path):
        _check_one(certificate, moment)
        if depth:
            _check_issuer(certificate, depth, path)
            _check_revoked(path[depth - 1], certificate, moment, lists, lists_needed)
    return path


class _Search:
    """Depth first: several certificates may bear the name of one issuer (a renewed one, a cross certificate)."""

    def __init__(self, others: list[Certificate], trusted: list[Certificate]) -> None:
        self._others, self._trusted = others, trusted
        self._tries = 0

    def path(self, leaf: Certificate) -> list[Certificate]:
        path = self._extend([leaf])
        if path is None:
            raise CertificateError(f"no path to a trusted certificate (its issuer is {leaf.issuer})", leaf.subject)
        return path

    def _extend(self, path: list[Certificate]) -> list[Certificate] | None:
        last = path[-1]
        if last in self._trusted:
            return path
        if len(path) == LONGEST:
            return None
        for candidate in [*self._trusted, *self._others]:
            if candidate.subject_der != last.issuer_der or candidate in path or not self._signed(last, candidate):
                continue
            longer = self._extend([*path, candidate])
            if longer is not None:
                return longer
        return None

    def _signed(self, certificate: Certificate, issuer: Certificate) -> bool:
        self._tries += 1
        if self._tries > _TRIES:
            raise CertificateError(f"more than {_TRIES} possible issuers", certificate.subject)
        try:
            return certificate.signed_by(issuer)
        except CryptoError:
            return False


def _check_leaf(leaf: Certificate, name: str | None, usage: str | None, extended: str | None) -> None:
    if usage is not None and leaf.usage is not None and usage not in leaf.usage:
        raise CertificateError(f"it is not for {usage} but for {', '.join(sorted(leaf.usage))}", leaf.subject)
    allowed = leaf.extended_usage
    if extended is not None and allowed is not None and extended not in allowed and "any_extended_key_usage" not in allowed:
        raise CertificateError(f"it is not for {extended} but for {', '.join(allowed)}", leaf.subject)
    if name is not None and not matches(leaf.alternatives, name):
        raise CertificateError(f"it is not of {name} but of {', '.join(leaf.alternatives) or 'no host'}", leaf.subject)


def _check_one(certificate: Certificate, at: datetime) -> None:
    if at < certificate.not_before:
        raise CertificateError(f"it is not valid before {certificate.not_before}", certificate.subject)
    if at > certificate.not_after:
        raise CertificateError(f"it expired on {certificate.not_after}", certificate.subject)
    if certificate.not_understood:
        raise CertificateError(f"extensions not understood: {', '.join(certificate.not_understood)}", certificate.subject)


def _check_issuer(issuer: Certificate, depth: int, path: list[Certificate]) -> None:
    """Between ``issuer`` and the first certificate stand ``depth`` - 1 authorities; self-issued ones do not count."""
    if not issuer.is_authority:
        raise CertificateError("it is no authority", issuer.subject)
    if issuer.usage is not None and "key_cert_sign" not in issuer.usage:
        raise CertificateError("it may not issue certificates", issuer.subject)
    between = sum(one.subject_der != one.issuer_der for one in path[1:depth])
    if issuer.path_length is not None and between > issuer.path_length:
        raise CertificateError(f"it may have {issuer.path_length} authorities below it, not {between}", issuer.subject)


def _check_revoked(
    certificate: Certificate, issuer: Certificate, at: datetime, lists: Sequence[RevocationList], needed: bool
) -> None:
    fault: CertificateError | None = None
    for one in (entry for entry in lists if entry.issuer_der == issuer.subject_der):
        try:
            one.check(issuer, at)
        except CertificateError as error:
            fault = error
            continue
        revoked = one.entries.get(certificate.serial)
        if revoked is not None and revoked.reason != "remove_from_crl":
            raise CertificateError(f"it was revoked on {revoked.at} ({revoked.reason})", certificate.subject)
        fault, needed = None, False
        break
    if fault is not None:
        raise fault
    if needed:
        raise CertificateError("there is no revocation list of it", issuer.subject)
