"""Small steps that every parser takes when it fills an ECS event (https://www.elastic.co/guide/en/ecs/current/)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kernel.addresses import without_scope
from kernel.event import Event

ABSENT = frozenset({"", "-", "(null)", "null", "(none)", "N/A"})
"""Texts by which devices say "no value"."""

TRANSPORT_NUMBERS = {
    1: "icmp",
    2: "igmp",
    6: "tcp",
    17: "udp",
    41: "ipv6",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "ipv6-icmp",
    132: "sctp",
}
"""IANA protocol numbers → ``network.transport``."""

_ADDRESSES = frozenset(
    ("source.ip", "destination.ip", "source.nat.ip", "destination.nat.ip", "host.ip", "dns.resolved_ip", "client.ip", "server.ip")
)
_USERS = frozenset(
    ("user.name", "user.target.name", "user.effective.name", "source.user.name", "destination.user.name", "process.user.name")
)
_HOSTS = frozenset(("host.name", "source.domain", "destination.domain", "observer.hostname", "url.domain", "dns.question.name"))
_HASHES = frozenset(f"{owner}.hash.{kind}" for owner in ("process", "file", "dll") for kind in ("md5", "sha1", "sha256"))


def put(event: Event, field: str, value: Any) -> None:
    """Set ``field`` unless the value says "nothing"."""
    if value is None or (isinstance(value, str) and value in ABSENT):
        return
    event[field] = value


def put_ip(event: Event, side: str, value: Any) -> None:
    """Set ``<side>.ip`` (and ``<side>.address``); a host name goes to ``<side>.domain``. IPv4 in IPv6 (``::ffff:a.b.c.d``) becomes
    IPv4.
    """
    if not isinstance(value, str) or value in ABSENT:
        return
    address = clean_ip(value)
    event[f"{side}.address"] = address or value
    event[f"{side}.ip" if address else f"{side}.domain"] = address or value


def clean_ip(text: str) -> str | None:
    """Canonical text of an address, without brackets and IPv4-mapping; None if it is none (kernel.addresses: also a long scope)."""
    bare = text.strip("[] ")
    return _clean_ip(bare) if without_scope(bare) is not None else None


@lru_cache(maxsize=65536)
def _clean_ip(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def put_port(event: Event, field: str, value: Any) -> None:
    """Set a port number; anything outside 1 … 65535 is left out (0 is how Windows says "none")."""
    number = as_int(value)
    if number is not None and 0 < number < 65536:
        event[field] = number


def as_int(value: Any) -> int | None:
    """Integer of an int, ``"12"`` or ``"0x1f"``; None for the rest."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if not isinstance(value, str):
        return None
    try:
        return int(value, 16) if value[:2] in ("0x", "0X") else int(value)
    except ValueError:
        return None


def transport(value: Any) -> str | None:
    """``network.transport`` of a protocol name or IANA number."""
    number = as_int(value)
    if number is not None:
        return TRANSPORT_NUMBERS.get(number, str(number))
    if not isinstance(value, str) or value in ABSENT:
        return None
    return {"icmpv6": "ipv6-icmp", "icmp6": "ipv6-icmp"}.get(value.lower(), value.lower())


def network_type(event: Event) -> None:
    """Set ``network.type`` from the addresses."""
    address = event.get("source.ip") or event.get("destination.ip")
    if isinstance(address, str):
        event["network.type"] = "ipv6" if ":" in address else "ipv4"


_MAC_DIGITS = re.compile(r"[^0-9A-Fa-f]")


def mac(text: str) -> str | None:
    """ECS form of a hardware address: ``8C-E5-EF-7A-49-00`` (RFC 7042); None if it has not twelve digits."""
    digits = _MAC_DIGITS.sub("", text).upper()
    return "-".join(digits[i : i + 2] for i in range(0, 12, 2)) if len(digits) == 12 else None


def split_windows_path(path: str) -> str:
    """Last part of a Windows or POSIX path."""
    return path.replace("/", "\\").rsplit("\\", 1)[-1]


def put_account(event: Event, prefix: str, account: Any) -> None:
    """``DOMAIN\\name`` → ``<prefix>.domain`` and ``<prefix>.name``."""
    if not isinstance(account, str) or account in ABSENT:
        return
    domain, separator, name = account.partition("\\")
    if separator:
        put(event, f"{prefix}.domain", domain)
        put(event, f"{prefix}.name", name)
    else:
        put(event, f"{prefix}.name", account)


def put_file(event: Event, path: Any) -> None:
    """``file.path``, ``file.name``, ``file.directory``, ``file.extension`` of a full path (Windows or POSIX)."""
    if not isinstance(path, str) or path in ABSENT:
        return
    event["file.path"] = path
    separator = "\\" if "\\" in path else "/"
    directory, found, name = path.rpartition(separator)
    put(event, "file.name", name)
    if found:
        put(event, "file.directory", directory or separator)
    stem, dot, extension = name.rpartition(".")
    if dot and stem:
        put(event, "file.extension", extension.lower())


def flatten(value: Mapping[str, Any], prefix: str, into: Event) -> None:
    """Nested objects → dotted keys under ``prefix``. Lists of objects become one list per inner key; None is left out."""
    stack: list[tuple[str, Any]] = [(prefix, value)]
    while stack:
        name, inner = stack.pop()
        if isinstance(inner, Mapping):
            dot = f"{name}." if name else ""
            stack.extend((f"{dot}{key}", child) for key, child in inner.items())
        elif isinstance(inner, list):
            _flatten_list(inner, name, into, stack)
        elif inner is not None and name:
            _append(into, name, inner) if name in into else into.__setitem__(name, inner)


def _flatten_list(values: list[Any], name: str, into: Event, stack: list[tuple[str, Any]]) -> None:
    scalars = [value for value in values if value is not None and not isinstance(value, (Mapping, list))]
    for value in values:
        if isinstance(value, (Mapping, list)):
            stack.append((name, value))
    for scalar in scalars:
        _append(into, name, scalar)


def _append(into: Event, name: str, value: Any) -> None:
    known = into.get(name)
    if known is None:
        into[name] = [value]
    elif isinstance(known, list):
        known.append(value)
    else:
        into[name] = [known, value]


def relate(event: Event) -> Event:
    """Fill ``related.ip``, ``related.user``, ``related.hosts``, ``related.hash`` from the fields that name them."""
    for target, fields in (
        ("related.ip", _ADDRESSES),
        ("related.user", _USERS),
        ("related.hosts", _HOSTS),
        ("related.hash", _HASHES),
    ):
        if target not in event:
            found = _distinct(event, fields)
            if found:
                event[target] = found
    return event


def _distinct(event: Event, fields: frozenset[str]) -> list[str]:
    found: dict[str, None] = {}
    for field in sorted(event.keys() & fields):
        value = event[field]
        if isinstance(value, str):
            found[value] = None
        elif isinstance(value, list):
            found.update((one, None) for one in value if isinstance(one, str))
    return list(found)
