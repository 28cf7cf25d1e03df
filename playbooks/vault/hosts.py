"""Which hosts a secret may be sent to. Where a command goes may be said by whoever starts a playbook; where a secret goes may not.

An entry is a name or an address, with a port or for every port: ``gw.example.cn``, ``*.example.cn:8443`` (one label in place of the
star), ``192.0.2.7``, ``[2001:db8::7]:443``. Names are compared without regard to case and as DNS carries them (IDNA), addresses
by value, whatever they are written like. A name is never resolved here: it does not stand for its address, nor the other way round.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

from playbooks.actions.contract import Destination

MOST = 50
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
"""A last label like this makes resolvers read the whole as an IPv4 address, in one of the old ways of writing these."""
_LONGEST = 253


def normal(text: str) -> str:
    """An entry as it is kept. Raises ValueError, which says what is wrong."""
    host, port = _divided(text.strip())
    star = host.startswith("*.")
    plain = _host(host.removeprefix("*."))
    if star and ("." not in plain or ":" in plain):
        raise ValueError(f"{text.strip()[:80]!r}: a star stands for one label before a name of at least two")
    plain = f"*.{plain}" if star else plain
    return plain if port is None else _joined(plain, port)


def all_normal(texts: Iterable[str]) -> tuple[str, ...]:
    """Entries as they are kept, each once, in their order; blank ones are left out. Raises ValueError."""
    found = tuple(dict.fromkeys(normal(text) for text in texts if text.strip()))
    if len(found) > MOST:
        raise ValueError(f"a secret is for at most {MOST} hosts")
    return found


def covers(entries: Sequence[str], place: Destination) -> bool:
    """Whether one of ``entries``, as they are kept, is for this host and port."""
    try:
        host = _host(place.host)
    except ValueError:
        return False
    names = [host]
    if ":" not in host and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        names.append(f"*.{host.partition('.')[2]}")
    return any(one in entries or _joined(one, place.port) in entries for one in names)


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _divided(text: str) -> tuple[str, int | None]:
    """Host and port of an entry."""
    host, port = text, None
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or ":" not in host or (rest and rest[0] != ":"):
            raise ValueError(f"{text[:80]!r} is no host")
        port = rest[1:] if rest else None
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if port is None:
        return host, None
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65_535):
        raise ValueError(f"{text[:80]!r} is no host with a port")
    return host, int(port)


def _host(text: str) -> str:
    """A name or an address in its one form. Raises ValueError."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return _name(text)
    if "%" in text:
        raise ValueError(f"{text[:80]!r}: an address with a zone means something on one host only")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _name(text: str) -> str:
    try:
        name = text.removesuffix(".").encode("idna").decode("ascii").lower()  # as the resolver does it
    except UnicodeError as error:
        raise ValueError(f"{text[:80]!r} is no host") from error
    labels = name.split(".")
    if len(name) > _LONGEST or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
        raise ValueError(f"{text[:80]!r} is no host")
    return name
