"""Certification requests (PKCS#10, RFC 2986) with SM2: the owner of a key asks for a certificate and shows that the key is his."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asn1crypto import csr, keys

from crypto.certificates.certificate import SM2_WITH_SM3, one_der
from crypto.certificates.errors import CertificateError
from crypto.certificates.issue import extension, signed
from crypto.certificates.names import general_names
from crypto.certificates.strict import PARSE_ERRORS, check_der, check_object_ids, check_signed, check_whole_bytes
from crypto.errors import EncodingError
from crypto.sm2 import PrivateKey, PublicKey
from crypto.sm2.keyfile import armour

_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")


class Request:
    """Read strictly. Raises EncodingError; nothing in it is to be believed before :meth:`check`."""

    def __init__(self, octets: bytes) -> None:
        self.der = one_der(octets, *_LABELS)
        check_signed(self.der, "certification request")
        try:
            self._parsed = csr.CertificationRequest.load(self.der, strict=True)
            info = self._parsed["certification_request_info"]
            check_whole_bytes(self._parsed["signature"].contents, "certification request")
            _check_asked(info["attributes"])
            info.native  # noqa: B018  (asn1crypto parses late)
            self.subject_name: Any = info["subject"]
            self.subject: str = self.subject_name.human_friendly
            self.public_key = PublicKey.from_der(info["subject_pk_info"].dump())
            self.alternatives = _alternatives(info["attributes"])
            self._algorithm = self._parsed["signature_algorithm"]["algorithm"].dotted
        except PARSE_ERRORS as error:
            raise EncodingError(f"certification request: {error}") from error

    def check(self) -> None:
        """Proof of possession. Raises CertificateError where the request was not signed by the key that it names."""
        body = self._parsed["certification_request_info"].dump()
        signature = self._parsed["signature"].native
        if self._algorithm != SM2_WITH_SM3 or not self.public_key.verify(body, signature):
            raise CertificateError("the request is not signed by its own key", self.subject)

    def to_pem(self) -> str:
        return armour("CERTIFICATE REQUEST", self.der)


def make_request(key: PrivateKey, subject: Any, alternatives: Sequence[str] = ()) -> Request:
    """A request for ``key`` with these alternative names."""
    attributes = []
    if alternatives:
        wanted = [extension("subject_alt_name", False, general_names(alternatives))]
        attributes.append({"type": "extension_request", "values": [wanted]})
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": subject,
            "subject_pk_info": keys.PublicKeyInfo.load(key.public.to_der()),
            "attributes": attributes,
        }
    )
    return Request(signed(info.dump(), key))


def _check_asked(attributes: Any) -> None:
    """Insides of the asked extensions, before asn1crypto reads them."""
    for attribute in attributes:
        if attribute["type"].native == "extension_request":
            for entry in (entry for value in attribute["values"] for entry in value):
                check_object_ids(bytes(entry["extn_value"].contents), "certification request")


def _alternatives(attributes: Any) -> tuple[str, ...]:
    """Of the asked extensions only the alternative names count: usages are the authority's to decide."""
    kinds = ("dns_name", "ip_address", "uniform_resource_identifier")
    found: list[str] = []
    for attribute in attributes if attributes.native is not None else ():
        if attribute["type"].native != "extension_request":
            continue
        for entry in attribute["values"][0]:
            if entry["extn_id"].native == "subject_alt_name":
                check_der(bytes(entry["extn_value"].contents), "alternative names")
                found += [str(one.native) for one in entry["extn_value"].parsed if one.name in kinds]
    return tuple(found)
