"""Package URLs (purl specification): ``pkg:deb/debian/openssl@3.0.11-1?arch=amd64``."""

from __future__ import annotations

import re
from urllib.parse import unquote

from operations.software.schema import MAX_PRODUCT, MAX_RELEASE, MAX_VENDOR, Entry

MAX_PURL = 1024
_PURL = re.compile(r"pkg:/{0,2}([A-Za-z][A-Za-z0-9.+-]*)/([^?#]+)(\?[^#]*)?(#.*)?", re.DOTALL)
_SCHEMES = {"deb": "dpkg", "rpm": "rpm"}
_PACKAGED = frozenset(_SCHEMES)


def entry_of(text: str) -> Entry | None:
    """The product that a purl names, None where it is none. The namespace is the vendor, but for packages of a distribution."""
    match = _PURL.fullmatch(text) if len(text) <= MAX_PURL else None
    if match is None:
        return None
    kind = match[1].lower()
    path, _at, release = match[2].partition("@") if "@" in match[2].rpartition("/")[2] else (match[2], "", "")
    space, _slash, name = path.strip("/").rpartition("/")
    name, release = unquote(name), unquote(release)
    epoch = re.search(r"[?&]epoch=([0-9]{1,9})(?:&|$)", match[3] or "")
    if epoch is not None and release and ":" not in release:
        release = f"{epoch[1]}:{release}"
    if not name or len(name) > MAX_PRODUCT or len(release) > MAX_RELEASE:
        return None
    vendor = "" if kind in _PACKAGED else unquote(space).rpartition("/")[2][:MAX_VENDOR]
    if kind == "maven":  # org.apache.logging.log4j: the second word is the organisation
        words = vendor.split(".")
        vendor = words[1] if len(words) > 1 else vendor
    return Entry(product=name, vendor=vendor, release=release, scheme=_SCHEMES.get(kind, "generic"))
