"""Kinds of indicators and the one way each of their values is written.

address   IPv4 or IPv6, as RFC 5952 writes it; an IPv4-mapped one is IPv4
network   CIDR, host bits cleared; one of a single address is an address
domain    a name in lower case, as DNS carries it (A-labels); ``*.name`` is the name and everything below it
url       scheme and host in lower case, no default port, no fragment, other letters than ASCII as %XX
hash      MD5 (32 hex digits), SHA-1 (40), SHA-256 or SM3 (64), lower case
email     an address, lower case

Reports write values so that nobody clicks on them (``hxxp://evil[.]example``); that is undone.
"""

from __future__ import annotations

import ipaddress
import re
from socket import AF_INET, inet_ntop, inet_pton
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from kernel.zones.addresses import plain_network

KINDS: tuple[str, ...] = ("address", "network", "domain", "url", "hash", "email")
MAX_VALUE = 2048
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
_LOCAL = re.compile(r"[^\s@\"<>]{1,64}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,15}:(?=//)", re.ASCII | re.IGNORECASE)
_DOTTED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", re.ASCII)
_PORTS = {"http": 80, "https": 443, "ftp": 21}
_DOTS = re.compile(r"\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)", re.IGNORECASE)
_AT = re.compile(r"\[@\]|\[at\]|\(at\)", re.IGNORECASE)


class Value(NamedTuple):
    """A kind of KINDS and a value as it is written."""

    kind: str
    text: str


def written(kind: str, text: str) -> Value:
    """How this value is written. Raises ValueError with the reason where it is none of this kind."""
    text = _plain(text)
    if kind in ("address", "network"):
        return _network(text)
    writers = {"domain": domain, "url": _bare_url, "hash": _hash, "email": _email}
    if kind not in writers:
        raise ValueError(f"there is no kind of indicator {kind[:40]!r}: one of {', '.join(KINDS)}")
    return Value(kind, writers[kind](text))


def guessed(text: str) -> Value:
    """The value of a line that does not say of which kind it is. Raises ValueError."""
    text = _plain(text)
    if _HASH.fullmatch(text.lower()):
        return Value("hash", text.lower())
    if _SCHEME.match(text):
        return Value("url", url(text))
    if "@" in text:
        return Value("email", _email(text))
    if ":" in text or re.fullmatch(r"[0-9./]+", text, re.ASCII):
        return _network(text)
    if "/" in text:
        return Value("url", _bare_url(text))
    return Value("domain", domain(text))


def domain(text: str) -> str:
    """A domain name, perhaps with ``*.`` before it. Raises ValueError."""
    name, tree = text.lower().rstrip("."), ""
    if name.startswith("*."):
        name, tree = name[2:], "*."
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError as error:
            raise ValueError(f"{text[:60]!r} is no domain name") from error
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text[:60]!r} is no domain name")
    if len(labels) < 2 or labels[-1].isdecimal():
        raise ValueError(f"{text[:60]!r} is no name of a host: it would need a second label")
    return tree + name


def url(text: str) -> str:
    """A URL. Raises ValueError."""
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is no URL") from error
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host:
        raise ValueError(f"{text[:60]!r} is no URL of http, https or ftp")
    if "@" in parts.netloc:
        raise ValueError("a URL with a user name is not taken: whoever sees it would see the password, too")
    try:
        address = ipaddress.ip_address(host)
        host = f"[{address.compressed}]" if address.version == 6 else address.compressed
    except ValueError:
        host = domain(host)
    netloc = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    path, query = (quote(part, safe="/%:@!$&'()*+,;=~?[]") for part in (parts.path or "/", parts.query))
    found = urlunsplit(SplitResult(scheme, netloc, path, query, ""))
    if len(found) > MAX_VALUE:
        raise ValueError(f"a URL has at most {MAX_VALUE} characters")
    return found


def _bare_url(text: str) -> str:
    """Reports leave the scheme away, too."""
    return url(text if _SCHEME.match(text) else f"http://{text}")


def _plain(text: str) -> str:
    text = text.strip().strip("'\"")
    if not text.isalnum() and not _DOTTED.fullmatch(text):
        text = _AT.sub("@", _DOTS.sub(".", text))
        text = re.sub(r"^h(?:xx|\*\*|tt)p(s?)(?:\[:\]|:)(?=//)", r"http\1:", text, flags=re.IGNORECASE)
    if not text:
        raise ValueError("the value is missing")
    if len(text) > MAX_VALUE:
        raise ValueError(f"a value has at most {MAX_VALUE} characters")
    if not text.isprintable() or " " in text:
        raise ValueError("a value is one word")
    return text


def _network(text: str) -> Value:
    if _DOTTED.fullmatch(text):  # nearly all of a large feed: the C library reads them in a tenth of the time
        try:
            return Value("address", inet_ntop(AF_INET, inet_pton(AF_INET, text)))
        except OSError as error:
            raise ValueError(f"{text[:60]!r} is no IP address and no network") from error
    try:
        if "%" in text:
            raise ValueError("an address of one host's interface")
        network = plain_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is no IP address and no network") from error
    if network.prefixlen == network.max_prefixlen:
        return Value("address", network.network_address.compressed)
    return Value("network", network.compressed)


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text.lower()):
        raise ValueError(f"{text[:60]!r} is no hash: MD5 has 32 hex digits, SHA-1 40, SHA-256 and SM3 64")
    return text.lower()


def _email(text: str) -> str:
    local, _, host = text.rpartition("@")
    if not _LOCAL.fullmatch(local):
        raise ValueError(f"{text[:60]!r} is no e-mail address")
    return f"{local.lower()}@{domain(host)}"
