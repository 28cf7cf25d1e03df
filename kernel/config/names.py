"""What more than one section asks of a value: names of sources, prefixes of networks."""

from __future__ import annotations

import ipaddress
import re


def is_name(text: str) -> bool:
    """Whether a source or listener may be called so."""
    return re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", text) is not None


def is_network(text: str) -> bool:
    """Whether it is a prefix of IPv4 or IPv6 without host bits."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def is_host(text: str) -> bool:
    """Whether it is a name (``*.`` before it stands for one label) or an address, with or without a port."""
    host, port = text, ""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or ":" not in host or (rest and not rest.startswith(":")):
            return False
        port = rest[1:] if rest else "1"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        port = "1"
    if not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65_535):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _is_host_name(host)
    return "%" not in host


def _is_host_name(text: str) -> bool:
    """What resolvers take for a name and for nothing else: a last label of digits would be an address in an old way of writing."""
    name = text.removeprefix("*.").removesuffix(".").lower()
    labels = name.split(".")
    right = all(re.fullmatch(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", label) for label in labels)
    last_is_number = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]) is not None
    return right and len(name) <= 253 and not last_is_number and (len(labels) > 1 or not text.startswith("*."))
