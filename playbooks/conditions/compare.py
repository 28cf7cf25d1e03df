"""How two values compare, by the declared type of the variable."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable
from typing import Any

from playbooks.conditions.patterns import LONGEST_PATTERN, LONGEST_TEXT, fault_of, like, matches
from playbooks.values import ADDRESSES, NUMBERS, Network, Typed, typed

EQUAL = ("=", "!=", "IN")
ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
PATTERN = ("LIKE", "MATCHES")
CONTAINMENT = ("ISSUBSET", "ISSUPERSET")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_TEXTS = frozenset({"string", "uri"})


def refusal(operator_: str, kind: str) -> str:
    """Why values of this type do not compare so, "" where they do. Types that the standard does not list are texts."""
    if operator_ in ORDER and kind not in NUMBERS and kind in _OF_ONE_FORM:
        return f"a variable of type {kind} has no order"
    if operator_ in PATTERN and kind == "dictionary":
        return "a dictionary is no text"
    if operator_ in CONTAINMENT and kind not in ADDRESSES | _TEXTS and kind in _OF_ONE_FORM | NUMBERS:
        return f"a variable of type {kind} is no address"
    return ""


_OF_ONE_FORM = frozenset(
    {"bool", "dictionary", "hash", "hexstring", "ipv4-addr", "ipv6-addr", "mac-addr", "md5-hash", "sha256-hash", "uuid"}
)


def compared(operator_: str, kind: str, left: str | dict[str, Any], right: str | dict[str, Any]) -> bool:
    """The answer of one comparison (``IN`` asks ``=`` of each member). Raises ValueError where a value is none of the type."""
    if operator_ in PATTERN:
        return _pattern(operator_, _text(left), _text(right))
    if operator_ in CONTAINMENT:
        inner, outer = _network(left), _network(right)
        return _is_within(inner, outer) if operator_ == "ISSUBSET" else _is_within(outer, inner)
    one, other = _comparable(kind, left), _comparable(kind, right)
    if operator_ in ORDER:
        return ORDER[operator_](one, other)
    return (one == other) != (operator_ == "!=")


def check_literal(operator_: str, kind: str, text: str) -> None:
    """Raise ValueError where this text can never stand beside a variable of this type."""
    if operator_ in PATTERN:
        if len(text) > LONGEST_PATTERN:
            raise ValueError(f"a pattern has at most {LONGEST_PATTERN:,} letters")
        if operator_ == "MATCHES" and (fault := fault_of(text)):
            raise ValueError(f"the regular expression does not work: {fault[:200]}")
    elif operator_ in CONTAINMENT:
        _network(text)
    else:
        _comparable(kind, text)


def _comparable(kind: str, value: str | dict[str, Any]) -> Typed:
    found = typed(kind, value)
    return _plain(found) if isinstance(found, ipaddress.IPv6Network) else found


def _pattern(operator_: str, text: str, pattern: str) -> bool:
    check_literal(operator_, "", pattern)
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"a text of more than {LONGEST_TEXT:,} letters is not searched")
    return (like if operator_ == "LIKE" else matches)(pattern)(text)


def _text(value: str | dict[str, Any]) -> str:
    if isinstance(value, dict):
        raise ValueError("an object is no text")
    return value


def _network(value: str | dict[str, Any]) -> Network:
    text = _text(value)
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is no address and no network") from None


def _plain(network: Network) -> Network:
    """An IPv4-mapped network as IPv4, so that both ways of writing it are one."""
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED):
        return ipaddress.IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


def _is_within(inner: Network, outer: Network) -> bool:
    """An IPv4-mapped address is within networks of IPv4 and within the networks of IPv6 around it."""
    return _within(inner, outer) or _within(_plain(inner), _plain(outer))


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)
