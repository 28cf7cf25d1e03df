"""Conditions of an exception: a field of the event and what its value has to be.

equals     the whole value, any case
wildcard   ``*`` any text, ``?`` one character, any case; a backslash is a backslash (paths need no doubling)
cidr       the value is an address inside of the network, IPv4 or IPv6; an IPv4-mapped address counts as IPv4

Of several values in one field (``dns.resolved_ip``) one is enough. A field that the event does not have matches nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

OPERATORS: tuple[str, ...] = ("equals", "wildcard", "cidr")
MAX_FIELD = 128
MAX_VALUE = 1024
MOST_CONDITIONS = 10
_FIELD = re.compile(r"[A-Za-z_@][\w.@ -]{0,127}", re.ASCII)
Test = Callable[[str], bool]


class Condition(msgspec.Struct, frozen=True):
    """``field`` is a field of the event (ECS), or a group-by field of a correlation."""

    field: str
    operator: str
    value: str


def problem_of(condition: Condition) -> str:
    """Why a condition cannot be used, "" where it can."""
    field, operator, value = condition.field, condition.operator, condition.value
    if not _FIELD.fullmatch(field):
        return f"{field[:40]!r} is no field of an event"
    if operator not in OPERATORS:
        return f"there is no operator {operator[:40]!r}: one of {', '.join(OPERATORS)}"
    if not value.strip():
        return f"the value of {field} is missing"
    if len(value) > MAX_VALUE:
        return f"the value of {field} has at most {MAX_VALUE} characters"
    if any(ord(letter) < 32 for letter in value):
        return f"the value of {field} is one line"
    if operator == "wildcard" and not value.replace("*", "").replace("?", "").strip():
        return f"the pattern of {field} matches everything"
    if operator == "cidr":
        try:
            network = ipaddress.ip_network(value.strip(), strict=False)
        except ValueError:
            return f"{value[:60]!r} is no network: write 10.21.0.0/16 or 2001:db8::/32"
        if network.prefixlen == 0:
            return "a network of every address excepts everything"
    return ""


def compiled(condition: Condition) -> Test:
    """The test of one value, as text. Raises ValueError for what :func:`problem_of` refuses."""
    if problem := problem_of(condition):
        raise ValueError(problem)
    if condition.operator == "equals":
        wanted = condition.value.lower()
        return lambda text: text.lower() == wanted
    if condition.operator == "wildcard":
        pattern = expression(condition.value)
        return lambda text: pattern.fullmatch(text) is not None
    return _in_network(condition.value)


def expression(pattern: str) -> re.Pattern[str]:
    """A wildcard pattern as a regular expression.

    What stands between two stars is found at its first place and never tried again (atomic groups): any later place would leave
    less for the rest. So a value is read once, however many stars there are.
    """
    first, *rest = ["".join("." if letter == "?" else re.escape(letter) for letter in part) for part in re.split(r"\*+", pattern)]
    if not rest:
        return re.compile(first, re.IGNORECASE | re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.IGNORECASE | re.DOTALL)


def _in_network(value: str) -> Test:
    network = ipaddress.ip_network(value.strip(), strict=False)

    def inside(text: str) -> bool:
        try:
            address = ipaddress.ip_address(text.strip().partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address) in network

    return inside


def texts_of(value: Any) -> list[str]:
    """A field's value as texts, as conditions see it; booleans as JSON writes them."""
    if isinstance(value, str):
        return [value]
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, list | tuple):
        return [text for member in value[:64] for text in texts_of(member)]
    return [str(value)]


class Conditions:
    """Conditions that must all hold."""

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        """Raises ValueError where there is none, or one cannot be used."""
        if not conditions:
            raise ValueError("an exception needs a condition")
        self._tests = [(condition.field, compiled(condition)) for condition in conditions]

    def hold(self, event: Mapping[str, Any], group: Mapping[str, str]) -> bool:
        """True where each holds for the event; ``group`` are the group-by values of a correlation."""
        for field, test in self._tests:
            value = event.get(field)
            if not any(map(test, texts_of(group.get(field) if value is None else value))):
                return False
        return True
