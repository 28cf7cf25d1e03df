"""Names of certificates: the distinguished name, and alternative names (DNS, IPv4, IPv6, URI; RFC 5280 clause 4.2.1.6)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

from asn1crypto import x509

from crypto.certificates.errors import CertificateError

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def name(common_name: str, organization: str = "", unit: str = "", country: str = "") -> Any:
    """A distinguished name (asn1crypto ``Name``) in the usual order: country, organization, unit, common name."""
    if not common_name.strip() or len(common_name) > 64:
        raise CertificateError("a common name has 1 to 64 characters (RFC 5280 appendix A)")
    if country and not re.fullmatch("[A-Z]{2}", country):
        raise CertificateError(f"the country {country!r} is not two capital letters (ISO 3166)")
    parts = {
        "country_name": country,
        "organization_name": organization,
        "organizational_unit_name": unit,
        "common_name": common_name,
    }
    return x509.Name.build({key: value for key, value in parts.items() if value})


def general_names(alternatives: Iterable[str]) -> Any:
    """Alternative names from text: an address, a URI (has ``://`` or begins with ``urn:``), else a DNS name."""
    return x509.GeneralNames([_general_name(text) for text in alternatives])


def normal(text: str) -> str:
    """One spelling for each alternative name, so that they can be compared: addresses compressed, DNS in small letters."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text if _is_uri(text) else text.lower().removesuffix(".")


def matches(presented: Iterable[str], wanted: str) -> bool:
    """RFC 6125: equal, or a wildcard as the whole leftmost label of at least three. Addresses match addresses only."""
    wanted = normal(wanted)
    names = {normal(text) for text in presented}
    if wanted in names:
        return True
    if _is_address(wanted) or _is_uri(wanted):
        return False
    _, _, parent = wanted.partition(".")
    return "." in parent and f"*.{parent}" in names


def _general_name(text: str) -> Any:
    if _is_address(text):
        return x509.GeneralName("ip_address", str(ipaddress.ip_address(text)))
    if _is_uri(text):
        return x509.GeneralName("uniform_resource_identifier", text)
    host = text.removeprefix("*.").lower()
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise CertificateError(f"{text!r} is no address, URI or DNS name")
    return x509.GeneralName("dns_name", text.lower())


def _is_uri(text: str) -> bool:
    return "://" in text or text.startswith("urn:")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
