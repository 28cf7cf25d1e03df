"""What a row group must hold to have a hit at all: the keys (:mod:`.grams`) that a query's condition implies.

Sound, never exact: where nothing certain can be said (``NOT``, ranges, ``exists``, numbers), the need is ``ANYTHING``. A hit is
never lost: tests/kernel/store/test_needs.py compares with the matcher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address

import msgspec
import orjson

from kernel.query.text import wildcard_tokens
from kernel.query.tree import FREE_TEXT_FIELDS, And, Equals, Match, Network, Node, Not, Predicate, Regex, Wildcard
from kernel.query.values import MAPPED
from kernel.store.lake import grams
from kernel.store.lake.columns import ADDRESS_COLUMNS, CORE_SET, LONG_COLUMNS, Layout
from kernel.store.lake.literals import Found, regex_literals

_UNINDEXED = LONG_COLUMNS | {"@timestamp", "event.id", "event.ingested"}
_NUMERIC = frozenset("0123456789.eE+-")


class Keys(msgspec.Struct, frozen=True):
    """All of these keys. None at all: nothing is needed."""

    keys: tuple[int, ...] = ()


class Both(msgspec.Struct, frozen=True):
    """Every part."""

    parts: tuple[Need, ...]


class Either(msgspec.Struct, frozen=True):
    """At least one part; no parts: there can be no hit."""

    parts: tuple[Need, ...]


Need = Keys | Both | Either
ANYTHING = Keys()
NOTHING = Either(())


def may_hold(need: Need, has: Callable[[int], bool]) -> bool:
    """Whether a row group with such keys may have a hit."""
    if isinstance(need, Keys):
        return all(map(has, need.keys))
    if isinstance(need, Both):
        return all(may_hold(part, has) for part in need.parts)
    return any(may_hold(part, has) for part in need.parts)


def need_of(node: Node, layout: Layout) -> Need:
    """The need of a condition in segments of a layout (which core fields have values in ``rest``)."""
    if isinstance(node, Match):
        fields = (node.field,) if node.field else FREE_TEXT_FIELDS
        return either(_field_need(field, node.predicate, layout) for field in fields)
    if isinstance(node, Not):
        return ANYTHING
    if isinstance(node, And):
        return both(need_of(part, layout) for part in node.parts)
    return either(need_of(part, layout) for part in node.parts)


def both(parts: Iterable[Need]) -> Need:
    """All of some needs, put more simply."""
    kept = dict.fromkeys(part for part in parts if part != ANYTHING)
    if NOTHING in kept:
        return NOTHING
    if all(isinstance(part, Keys) for part in kept):
        return Keys(tuple(dict.fromkeys(key for part in kept if isinstance(part, Keys) for key in part.keys)))
    return next(iter(kept)) if len(kept) == 1 else Both(tuple(kept))


def either(parts: Iterable[Need]) -> Need:
    """One of some needs, put more simply."""
    kept = dict.fromkeys(part for part in parts if part != NOTHING)
    if ANYTHING in kept:
        return ANYTHING
    return next(iter(kept)) if len(kept) == 1 else Either(tuple(kept))


def _field_need(field: str, predicate: Predicate, layout: Layout) -> Need:
    if field not in CORE_SET:
        return _rest_need(predicate)
    if field in _UNINDEXED:
        return ANYTHING
    if field in ADDRESS_COLUMNS and isinstance(predicate, Network):
        need = _address_need(predicate, listed=field in layout.multi)
    else:
        need = _text_need(predicate)
    return either((need, _rest_need(predicate))) if field in layout.spill else need


def _address_need(network: Network, *, listed: bool) -> Need:
    """Only a single address is a key. Texts that are no addresses lie in ``rest``; ``listed``: the field has lists somewhere."""
    if network.first != network.last:
        return ANYTHING
    if network.first.startswith(MAPPED):
        need: Need = Keys(tuple(grams.address_keys(int(network.first[24:], 16))))
    else:
        need = _contains(network.first)
    return either((need, _listed_need(network))) if listed else need


def _listed_need(network: Network) -> Need:
    """An address in a list has no number beside it, only its text, in whatever spelling it came.

    That is dotted, or has a group ``ffff`` before the IPv4 part, or has every group of the IPv6 address in hex, with a colon behind
    all but the last; or it is no address, but the very text that was asked for (``2001:db8::1/128``).
    """
    if network.first.startswith(MAPPED):
        spelled = _contains(str(IPv4Address(int(network.first[24:], 16))))
    else:
        groups = [f"{int(network.first[at : at + 4], 16):x}" for at in range(0, 32, 4)]
        spelled = both(_contains(group + ":" * (place < 7)) for place, group in enumerate(groups) if group != "0")
    return either((spelled, _contains("ffff:"), _contains(network.text)))


def _text_need(predicate: Predicate) -> Need:
    return _predicate_need(predicate, _contains)


def _rest_need(predicate: Predicate) -> Need:
    """In the JSON of ``rest``: texts are escaped, and a literal that could be part of a number says nothing."""
    if isinstance(predicate, Equals) and predicate.number is not None and not predicate.anywhere:
        return ANYTHING
    return _predicate_need(predicate, lambda text: _contains(_escaped(text)) if not set(text) <= _NUMERIC else ANYTHING)


def _escaped(text: str) -> str:
    try:
        return orjson.dumps(text).decode()[1:-1]
    except orjson.JSONEncodeError:  # a lone surrogate: no stored text has one
        return ""


def _predicate_need(predicate: Predicate, contains: Callable[[str], Need]) -> Need:
    if isinstance(predicate, Equals):
        return contains(predicate.text)
    if isinstance(predicate, Wildcard):
        return both(contains(text) for kind, text in wildcard_tokens(predicate.pattern) if kind == "text")
    if isinstance(predicate, Regex):
        return _found_need(regex_literals(predicate.re2), contains)
    return ANYTHING


def _found_need(found: Found, contains: Callable[[str], Need]) -> Need:
    if isinstance(found, str):
        return contains(found)
    parts = (_found_need(part, contains) for part in found.parts)
    return both(parts) if found.every else either(parts)


def _contains(text: str) -> Need:
    return Keys(tuple(sorted(grams.text_keys(text))))
