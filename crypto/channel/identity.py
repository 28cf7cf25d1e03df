"""Who stands at the other end: what a certificate says of its holder."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from asn1crypto import x509

from crypto.certificates.strict import check_object_ids
from crypto.sm3 import sm3

_EC = "1.2.840.10045.2.1"
_SM2_CURVE = "1.2.156.10197.1.301"


class PeerIdentity(NamedTuple):
    """name         the sender's name: common name (its / as _), else the first DNS name, else the fingerprint
    dns, addresses  subjectAltName
    serial          hexadecimal
    fingerprint     SM3 of the certificate, hexadecimal
    key             ``SM2``, ``RSA-2048``, ``secp256r1`` …
    not_after       seconds since the epoch
    path            issuer (:func:`issuer_id`) and serial number (hexadecimal) of this certificate, then of those it stands on
    """

    name: str
    dns: tuple[str, ...]
    addresses: tuple[str, ...]
    serial: str
    fingerprint: str
    key: str
    not_after: float
    path: tuple[tuple[str, str], ...] = ()

    def answers_to(self, host: str) -> bool:
        """True where the certificate was issued for ``host`` (a DNS name or an address; RFC 6125 §6.4, leftmost ``*`` allowed)."""
        try:
            wanted = ipaddress.ip_address(host.strip("[]").partition("%")[0])
        except ValueError:
            return any(_matches(pattern.lower(), host.lower().rstrip(".")) for pattern in self.dns)
        return any(ipaddress.ip_address(address) == wanted for address in self.addresses)


def _matches(pattern: str, host: str) -> bool:
    if not pattern.startswith("*."):
        return pattern == host
    return host.partition(".")[2] == pattern[2:] and "." in pattern[2:]


def issuer_id(name: bytes) -> str:
    """Short form of an issuer's name (DER): its SM3, hexadecimal."""
    return sm3(name).hex()


def read_identity(der: bytes, issuers: Iterable[bytes] = ()) -> PeerIdentity:
    """Identity in a certificate (DER) that stands on ``issuers``. Raises ValueError where one is no certificate."""
    for one in (der, *(issuers := tuple(issuers))):
        check_object_ids(one, "certificate")
    try:
        own = x509.Certificate.load(der, strict=True)
        path = [own, *(x509.Certificate.load(one, strict=True) for one in issuers)]
        ids = tuple((issuer_id(one.issuer.dump()), f"{one.serial_number:x}") for one in path)
        return _read(own, der)._replace(path=ids)
    except (TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:  # what asn1crypto says of damaged fields
        raise ValueError(f"no certificate: {error}") from error


def _read(certificate: x509.Certificate, der: bytes) -> PeerIdentity:
    fingerprint = sm3(der).hex()
    names = certificate.subject_alt_name_value
    dns, addresses = [], []
    for name in names or ():
        if name.name == "dns_name":
            dns.append(str(name.native))
        elif name.name == "ip_address":
            addresses.append(str(name.native))
    common = certificate.subject.native.get("common_name", "")
    common = common[-1] if isinstance(common, list) else common
    return PeerIdentity(
        name=str(common).replace("/", "_") or (dns[0] if dns else fingerprint[:32]),
        dns=tuple(dns),
        addresses=tuple(addresses),
        serial=f"{certificate.serial_number:x}",
        fingerprint=fingerprint,
        key=public_key_kind(certificate),
        not_after=certificate.not_valid_after.timestamp(),
    )


def public_key_kind(certificate: x509.Certificate) -> str:
    """Kind of the public key in a certificate, ``SM2`` for a key on the curve of GB/T 32918.5."""
    info = certificate["tbs_certificate"]["subject_public_key_info"]
    algorithm = info["algorithm"]["algorithm"].dotted
    if algorithm == _EC:
        parameters = info["algorithm"]["parameters"].chosen
        curve = getattr(parameters, "dotted", "")
        return "SM2" if curve == _SM2_CURVE else str(parameters.native)
    if algorithm == _SM2_CURVE:
        return "SM2"
    name = str(info["algorithm"]["algorithm"].native)
    return f"RSA-{info.bit_size}" if name.startswith("rsa") else name
