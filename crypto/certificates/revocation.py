"""Revocation lists (RFC 5280 clause 5): issue them with a number and a next update; read and check them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import crl, x509

from crypto.certificates.certificate import SM2_WITH_SM3, Certificate, one_der
from crypto.certificates.errors import CertificateError
from crypto.certificates.issue import Authority, extension, key_identifier, signed, time
from crypto.certificates.strict import PARSE_ERRORS, check_signed, check_whole_bytes
from crypto.errors import EncodingError
from crypto.sm2.keyfile import armour

REASONS = (
    "unspecified",
    "key_compromise",
    "ca_compromise",
    "affiliation_changed",
    "superseded",
    "cessation_of_operation",
    "certificate_hold",
    "privilege_withdrawn",
)
_UNDERSTOOD = ("crl_number", "authority_key_identifier")


@dataclass(frozen=True)
class Revoked:
    serial: int
    at: datetime
    reason: str = "unspecified"


class RevocationList:
    """A complete list. Raises EncodingError; delta and partial lists are refused, they would be read as complete ones."""

    def __init__(self, octets: bytes) -> None:
        self.der = one_der(octets, "X509 CRL")
        check_signed(self.der, "revocation list")
        try:
            self._parsed = crl.CertificateList.load(self.der, strict=True)
            body = self._parsed["tbs_cert_list"]
            check_whole_bytes(self._parsed["signature"].contents, "revocation list")
            body.native  # noqa: B018  (asn1crypto parses late)
            self.issuer: str = body["issuer"].human_friendly
            self.issuer_der: bytes = body["issuer"].dump()
            self.this_update: datetime = body["this_update"].native
            self.next_update: datetime | None = body["next_update"].native
            self.number: int | None = _number(body["crl_extensions"])
            self.entries = {entry.serial: entry for entry in _entries(body["revoked_certificates"])}
            inner, outer = body["signature"].dump(), self._parsed["signature"].native
            algorithm = self._parsed["signature_algorithm"]
            self._signature: bytes = outer
            self._algorithm: str = algorithm["algorithm"].dotted
        except PARSE_ERRORS as error:
            raise EncodingError(f"revocation list: {error}") from error
        if inner != algorithm.dump():
            raise EncodingError("revocation list: it names two signature algorithms")

    def check(self, issuer: Certificate, at: datetime) -> None:
        """Raises CertificateError unless ``issuer`` signed it and it is the current one at ``at`` (UTC)."""
        if self.issuer_der != issuer.subject_der:
            raise CertificateError(f"the revocation list is of {self.issuer}", issuer.subject)
        if issuer.usage is not None and "crl_sign" not in issuer.usage:
            raise CertificateError("it may not sign revocation lists", issuer.subject)
        body = self._parsed["tbs_cert_list"].dump()
        if self._algorithm != SM2_WITH_SM3 or not issuer.public_key.verify(body, self._signature):
            raise CertificateError("the revocation list has a bad signature", issuer.subject)
        self.check_time(at, issuer.subject)

    def check_time(self, at: datetime, issuer: str) -> None:
        """Raises CertificateError where it is not the current list at ``at``."""
        if at < self.this_update:
            raise CertificateError(f"the revocation list begins at {self.this_update}", issuer)
        if self.next_update is None or at > self.next_update:
            raise CertificateError(f"the revocation list is out of date since {self.next_update}", issuer)

    def to_pem(self) -> str:
        return armour("X509 CRL", self.der)


def make_revocation_list(
    authority: Authority, revoked: Iterable[Revoked], number: int, this_update: datetime, next_update: datetime
) -> RevocationList:
    """``number`` grows with every list of this authority; times in UTC."""
    entries = [
        {
            "user_certificate": entry.serial,
            "revocation_date": time(entry.at.replace(microsecond=0)),
            "crl_entry_extensions": [extension("crl_reason", False, entry.reason)],
        }
        for entry in revoked
    ]
    body: dict[str, Any] = {
        "version": "v2",
        "signature": {"algorithm": SM2_WITH_SM3},
        "issuer": x509.Name.load(authority.certificate.subject_der),
        "this_update": time(this_update.replace(microsecond=0)),
        "next_update": time(next_update.replace(microsecond=0)),
        "crl_extensions": [
            extension("authority_key_identifier", False, {"key_identifier": key_identifier(authority.key.public)}),
            extension("crl_number", False, number),
        ],
    }
    if entries:  # RFC 5280 clause 5.1.2.6: absent where nothing is revoked
        body["revoked_certificates"] = entries
    return RevocationList(signed(crl.TbsCertList(body).dump(), authority.key))


def _number(extensions: Any) -> int | None:
    number = None
    for entry in extensions if extensions.native is not None else ():
        kind = entry["extn_id"].native
        if (entry["critical"].native and kind not in _UNDERSTOOD) or kind == "delta_crl_indicator":
            raise CertificateError(f"the list has the critical extension {kind}: partial and delta lists are not read")
        if kind == "crl_number":
            number = int(entry["extn_value"].parsed.native)
    return number


def _entries(parsed: Any) -> Iterable[Revoked]:
    for entry in parsed if parsed.native is not None else ():
        reason = "unspecified"
        extensions = entry["crl_entry_extensions"]
        for one in extensions if extensions.native is not None else ():
            kind = one["extn_id"].native
            if one["critical"].native and kind != "crl_reason":
                raise CertificateError(f"an entry has the critical extension {kind}")
            if kind == "crl_reason":
                reason = str(one["extn_value"].parsed.native)
        yield Revoked(entry["user_certificate"].native, entry["revocation_date"].native, reason)
