"""Terms by which values are found that stand in no native field, and numbers and addresses that stand in texts.

One keyword field holds them all: ``<field> 0x1f <kind> <payload>``. Kinds:

=====  ==========================================================================
``E``  the field has values aside (no payload)
``s``  folded text of a text or boolean aside
``n``  text of a number aside
``N``  a number aside, as 16 hex digits whose text order is the numbers' order
``T``  the same of a text that spells a plain number, native or aside
``A``  32 hex digits of a text that is an address and does not stand in an ``ip`` field
``L``  a piece of a folded text longer than ``LONGEST``, ``PIECE`` characters, overlapping
``X``  the server cannot count the elements: one is too long for a term, or one occurs twice (it counts documents)
=====  ==========================================================================
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from kernel.addresses import LONGEST_ADDRESS
from kernel.query.text import element_text, fold
from kernel.query.values import PLAIN_NUMBER, ip_hex
from kernel.store.elasticsearch.fields import LONGEST

MARK = "\x1f"
PIECE = 2_000
OVERLAP = 256
"""A text of at most so many characters that occurs in a long one lies wholly within one of its pieces."""

EXACT = 1 << 53
"""Whole numbers below it are told apart by their 64-bit floats."""

_MOST_BYTES = 32_000
_PLAIN = re.compile(PLAIN_NUMBER)
_NUMBER_STARTS = frozenset("+-0123456789")
_ADDRESS_STARTS = frozenset(":0123456789abcdefABCDEF")

address = lru_cache(maxsize=65_536)(ip_hex)


@lru_cache(maxsize=65_536)
def prefix(field: str) -> str:
    """What every term of a field begins with."""
    if MARK in field or field.startswith("\x1e") or len(field.encode()) > 200:
        return "\x1e" + hashlib.sha256(field.encode()).hexdigest() + MARK
    return field + MARK


def ordered(number: float) -> str:
    """16 hex digits of a number as a 64-bit float (IEEE 754, bits turned so that texts sort like numbers); -0.0 is 0.0."""
    bits: int = struct.unpack(">Q", struct.pack(">d", float(number) + 0.0))[0]
    return f"{bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63):016x}"


def of_texts(field: str, texts: list[str], *, addresses: bool) -> Iterator[str]:
    """Terms of native texts: numbers and addresses among them."""
    for text in texts:
        first = text[:1]
        if first in _NUMBER_STARTS and len(text) <= 38 and _PLAIN.fullmatch(text):
            yield prefix(field) + "T" + ordered(float(text))
        like_address = addresses and first in _ADDRESS_STARTS and len(text) <= LONGEST_ADDRESS and ("." in text or ":" in text)
        if like_address and (digits := address(text)):
            yield prefix(field) + "A" + digits


def of_aside(field: str, elements: list[Any]) -> Iterator[str]:
    """Terms of the elements of a field that is kept aside."""
    start = prefix(field)
    if elements:
        yield start + "E"
    for element in elements:
        if isinstance(element, (int, float)) and not isinstance(element, bool):
            yield start + "n" + fold(element_text(element))
            yield start + "N" + ordered(element)
            continue
        text = element_text(element)
        yield from of_texts(field, [text], addresses=isinstance(element, str))
        folded = fold(text)
        if len(folded) <= LONGEST:
            yield start + "s" + folded
        else:
            yield from (start + "L" + folded[at : at + PIECE] for at in range(0, len(folded), PIECE - OVERLAP))


def uncounted(field: str) -> str:
    """The term ``X`` of a field."""
    return prefix(field) + "X"


def value_term(field: str, element: Any) -> str | None:
    """The element as it is counted in top lists, or None where it is too long."""
    if isinstance(element, str) and len(element) > LONGEST:
        return None
    encoded = orjson.dumps(element)
    return prefix(field) + encoded.decode() if len(encoded) <= _MOST_BYTES else None
