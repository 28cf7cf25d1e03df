"""One certificate, read strictly: names, times, usages, key, fingerprint (RFC 5280 clause 4; SM2 after GM/T 0015)."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from datetime import datetime
from typing import Any

from asn1crypto import x509

from crypto.certificates.errors import CertificateError
from crypto.certificates.strict import PARSE_ERRORS, check_der, check_object_ids, check_signed, check_whole_bytes
from crypto.errors import EncodingError
from crypto.sm2 import PublicKey
from crypto.sm2.keyfile import ALGORITHM, armour
from crypto.sm3 import sm3

SM2_WITH_SM3 = "1.2.156.10197.1.501"
"""Signature algorithm SM2 with SM3 (GM/T 0006)."""

UNDERSTOOD = frozenset({"basic_constraints", "key_usage", "extended_key_usage", "subject_alt_name", "crl_distribution_points"})
"""Extensions that the chain check acts upon or that only inform; another one that is critical refuses the certificate."""

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)


class Certificate:
    """Equal where their bytes are equal. Raises EncodingError for anything that is not one certificate in strict DER."""

    def __init__(self, der: bytes) -> None:
        check_signed(der, "certificate")
        self.der = bytes(der)
        try:
            self._parsed = x509.Certificate.load(self.der, strict=True)
            body = self._parsed["tbs_certificate"]
            check_whole_bytes(self._parsed["signature_value"].contents, "certificate")
            self._extensions = _extensions(body["extensions"])  # their insides are checked before asn1crypto reads them
            body.native  # noqa: B018  (asn1crypto parses late: everything is parsed here, or refused)
            self.subject: str = self._parsed.subject.human_friendly
            self.issuer: str = self._parsed.issuer.human_friendly
            self.subject_der: bytes = body["subject"].dump()
            self.issuer_der: bytes = body["issuer"].dump()
            self.serial: int = self._parsed.serial_number
            self.not_before: datetime = body["validity"]["not_before"].native
            self.not_after: datetime = body["validity"]["not_after"].native
            self.version: int = {"v1": 1, "v2": 2, "v3": 3}[body["version"].native]
            inner, outer = body["signature"].dump(), self._parsed["signature_algorithm"].dump()
        except PARSE_ERRORS as error:
            raise EncodingError(f"certificate: {error}") from error
        if inner != outer:
            raise EncodingError("certificate: it names two signature algorithms")
        if self.serial < 0 or self.serial.bit_length() > 160:
            raise EncodingError("certificate: its serial number is negative or longer than 20 bytes")

    @property
    def body(self) -> bytes:
        """The signed bytes."""
        return bytes(self._parsed["tbs_certificate"].dump())

    @property
    def subject_name(self) -> Any:
        """The subject as asn1crypto's ``Name``, for a certificate or list that repeats it."""
        return x509.Name.load(self.subject_der)

    @property
    def signature(self) -> bytes:
        return bytes(self._parsed["signature_value"].native)

    @property
    def signature_algorithm(self) -> str:
        """Object identifier in dots."""
        return str(self._parsed["signature_algorithm"]["algorithm"].dotted)

    @property
    def key_der(self) -> bytes:
        """SubjectPublicKeyInfo."""
        return bytes(self._parsed["tbs_certificate"]["subject_public_key_info"].dump())

    @property
    def is_sm2(self) -> bool:
        return ALGORITHM in self.key_der[:40] and self.signature_algorithm == SM2_WITH_SM3

    @functools.cached_property
    def public_key(self) -> PublicKey:
        """The SM2 key. Raises EncodingError or InvalidKeyError where it is of another algorithm or off the curve."""
        return PublicKey.from_der(self.key_der)

    @property
    def fingerprint(self) -> str:
        """SM3 of the certificate, hex."""
        return sm3(self.der).hex()

    @property
    def key_identifier(self) -> bytes | None:
        value = self._extension("key_identifier")
        return None if value is None else bytes(value.native)

    @property
    def usage(self) -> frozenset[str] | None:
        """Key usages in the words of asn1crypto (``digital_signature``); None where the certificate does not say."""
        value = self._extension("key_usage")
        return None if value is None else frozenset(value.native)

    @property
    def extended_usage(self) -> tuple[str, ...] | None:
        value = self._extension("extended_key_usage")
        return None if value is None else tuple(value.native)

    @property
    def alternatives(self) -> tuple[str, ...]:
        """DNS names, addresses and URIs."""
        value = self._extension("subject_alt_name")
        kinds = ("dns_name", "ip_address", "uniform_resource_identifier")
        return () if value is None else tuple(str(entry.native) for entry in value if entry.name in kinds)

    @property
    def is_authority(self) -> bool:
        value = self._extension("basic_constraints")
        return self.version == 3 and value is not None and bool(value["ca"].native)

    @property
    def path_length(self) -> int | None:
        value = self._extension("basic_constraints")
        return None if value is None else value["path_len_constraint"].native

    @property
    def not_understood(self) -> list[str]:
        """Critical extensions that nothing here acts upon; name constraints also where they are not critical."""
        return [
            name
            for name, (critical, _) in self._extensions.items()
            if (critical and name not in UNDERSTOOD) or name == "name_constraints"
        ]

    def signed_by(self, issuer: Certificate) -> bool:
        """Whether the SM2 signature is the issuer's, under the default identifier (GM/T 0009 clause 10)."""
        return self.signature_algorithm == SM2_WITH_SM3 and issuer.public_key.verify(self.body, self.signature)

    def to_pem(self) -> str:
        return armour("CERTIFICATE", self.der)

    def _extension(self, name: str) -> Any:
        entry = self._extensions.get(name)
        return None if entry is None else entry[1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"Certificate({self.subject}, serial {self.serial:x})"


def read_certificates(octets: bytes) -> list[Certificate]:
    """All certificates of a PEM file in their order, or the one of a DER file. Raises EncodingError where there is none."""
    if b"-----BEGIN" not in octets:
        return [Certificate(octets)]
    found = [Certificate(der) for der in pem_blocks(octets, "CERTIFICATE")]
    if not found:
        raise EncodingError("the file holds no certificate")
    return found


def pem_blocks(octets: bytes, *labels: str) -> list[bytes]:
    """The bytes of every PEM block with one of these labels."""
    found = []
    for label, text in _BLOCK.findall(octets):
        if label.decode() not in labels:
            continue
        try:
            found.append(base64.b64decode(b"".join(text.split()), validate=True))
        except binascii.Error as error:
            raise EncodingError(f"the PEM block {label.decode()} is damaged") from error
    return found


def one_der(octets: bytes, *labels: str) -> bytes:
    """The one PEM block with one of these labels, or the bytes themselves where they are no PEM."""
    if b"-----BEGIN" not in octets:
        return octets
    found = pem_blocks(octets, *labels)
    if len(found) != 1:
        raise EncodingError(f"expected one PEM block {' or '.join(labels)}, found {len(found)}")
    return found[0]


def _extensions(parsed: Any) -> dict[str, tuple[bool, Any]]:
    """Name, criticality and value; each value is parsed here and its inside is strict DER."""
    found: dict[str, tuple[bool, Any]] = {}
    for extension in parsed:
        name = extension["extn_id"].native
        if name in found:
            raise CertificateError(f"the extension {name} stands there twice")
        if name != extension["extn_id"].dotted:
            check_der(bytes(extension["extn_value"].contents), f"extension {name}")
        else:
            check_object_ids(bytes(extension["extn_value"].contents), f"extension {name}")
        value = extension["extn_value"].parsed
        value.native  # noqa: B018  (asn1crypto parses late)
        found[name] = (bool(extension["critical"].native), value)
    return found
