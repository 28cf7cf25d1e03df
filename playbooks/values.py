"""Values of variables by their declared type (CACAO 2.0, 10.18.4): what is one, and how two of them compare.

Every value of a playbook is text, or an object for ``dictionary``; ``typed`` makes the Python value of it that compares rightly:
numbers as numbers, addresses as networks, hexadecimal digits in any case.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from playbooks.vocabulary import UUID

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Typed: TypeAlias = bool | int | float | str | Network | dict[str, Any]
NUMBERS = frozenset({"integer", "long", "float"})
ADDRESSES = frozenset({"ipv4-addr", "ipv6-addr"})
LONGEST_VALUE = 1_000_000
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)
_MAC = re.compile(r"[0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}(?:\1[0-9a-fA-F]{2}){4}", re.ASCII)
_SHOWN = 60


def typed(kind: str, value: str | dict[str, Any]) -> Typed:
    """The value of a variable of this type. A type that the standard does not list is text. Raises ValueError with the reason."""
    if isinstance(value, dict):
        if kind == "dictionary" or (kind not in _READERS and kind != "string"):
            return value
        raise ValueError(f"an object is no value of the type {kind}")
    if len(value) > LONGEST_VALUE:
        raise ValueError(f"a value has at most {LONGEST_VALUE:,} characters")
    reader = _READERS.get(kind)
    return value if reader is None else reader(value)


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise _none_of(text, "true or false")
    return text.lower() == "true"


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise _none_of(text, "a whole number of 64 bits")
    return int(text)


def _float(text: str) -> float:
    if not _FLOAT.fullmatch(text) or not math.isfinite(float(text)):
        raise _none_of(text, "a number such as 0.85")
    return float(text)


def _network(version: int) -> Callable[[str], Network]:
    def read(text: str) -> Network:
        try:
            found = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise _none_of(text, f"an IPv{version} address or network") from None
        if found.version != version or "%" in text:
            raise _none_of(text, f"an IPv{version} address or network")
        return found

    return read


def _hexadecimal(digits: int | None, what: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not _HEX.fullmatch(text) or (digits is not None and len(text) != digits):
            raise _none_of(text, what)
        return text.lower()

    return read


def _hash(text: str) -> str:
    if not _HEX.fullmatch(text) or not 32 <= len(text) <= 128:
        raise _none_of(text, "a hash (32 to 128 hexadecimal digits)")
    return text.lower()


def _mac(text: str) -> str:
    if not _MAC.fullmatch(text):
        raise _none_of(text, "a MAC address such as 00:1b:44:11:3a:b7")
    return text.lower().replace("-", ":")


def _uri(text: str) -> str:
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = ""
    if not scheme or not text.isprintable() or " " in text:
        raise _none_of(text, "a URI with its scheme")
    return text


def _uuid(text: str) -> str:
    if not UUID.fullmatch(text):
        raise _none_of(text, "a UUID")
    return text.lower()


def _dictionary(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _none_of(text, "a JSON object")
    return found


def _none_of(text: str, what: str) -> ValueError:
    return ValueError(f"{text[:_SHOWN]!r} is not {what}")


_READERS: dict[str, Callable[[str], Typed]] = {
    "bool": _bool,
    "integer": _whole,
    "long": _whole,
    "float": _float,
    "ipv4-addr": _network(4),
    "ipv6-addr": _network(6),
    "hexstring": _hexadecimal(None, "hexadecimal digits, two for a byte"),
    "md5-hash": _hexadecimal(32, "an MD5 hash (32 hexadecimal digits)"),
    "sha256-hash": _hexadecimal(64, "a SHA-256 hash (64 hexadecimal digits)"),
    "hash": _hash,
    "mac-addr": _mac,
    "uri": _uri,
    "uuid": _uuid,
    "dictionary": _dictionary,
}
