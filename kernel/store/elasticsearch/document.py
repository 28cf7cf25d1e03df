"""Event → document and back. What :func:`kernel.store.storable.storable` says comes back exactly."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from kernel.errors import StoreError
from kernel.event import Event, timestamp_from_micros
from kernel.query.text import fold
from kernel.store.elasticsearch import terms
from kernel.store.elasticsearch.fields import (
    ARRIVAL,
    ASIDE,
    KEY,
    LONGEST,
    MOMENT,
    OWN,
    SEQUENCE,
    TERMS,
    VALUES,
    Layout,
    in_layout,
    is_regular,
    kind_of,
)
from kernel.store.storable import storable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
NANOS_FIRST, NANOS_LAST = 0, 9_223_372_036_854_775
"""Microseconds that ``date_nanos`` can hold: 1970 to 2262-04-11."""

_DOUBTFUL = re.compile("[\u2c2f\ua7c0\ua7cb-\ua7dc\U00010570-\U000105af\U00010d50-\U00010d65]")
"""Capital letters younger than Unicode 13: a server's Java may not know them, so texts with them are folded here."""


class Document(msgspec.Struct):
    """``source`` is the document without the number of its commit.

    layout  what holds for the fields of this document
    """

    identifier: str
    event_id: str
    source: dict[str, Any]
    layout: Layout

    def encoded(self, sequence: int) -> bytes:
        """JSON of the document as part of a commit."""
        return orjson.dumps(self.source | {SEQUENCE: sequence})


def encode(event: Event, native: Callable[[str], bool]) -> Document:
    """``native`` says whether a regular name that ``FIELD_TYPES`` does not have may have a mapping of its own.

    Raises StoreError for an event without a true ``@timestamp`` or ``event.id`` text (the pipeline gives both).
    """
    time, identifier = event.get("@timestamp"), event.get("event.id")
    if not isinstance(time, str) or not isinstance(identifier, str):
        raise StoreError(f"an event without @timestamp or event.id text cannot be stored: {str(event)[:200]}")
    moment = micros(time)
    if moment is None:
        raise StoreError(f"event {identifier} has no true @timestamp: {time[:40]!r}", "give it as kernel.event says")
    plain = storable(event)
    identifier = plain["event.id"]
    source: dict[str, Any] = {MOMENT: moment, KEY: key_of(identifier)}
    aside: Event = {}
    found: list[str] = []
    doubled: list[str] = []
    for field, value in plain.items():
        elements = value if isinstance(value, list) else [value]
        if is_regular(field) and _fits(field, elements) and native(field):
            source[field] = value
            if len(elements) > 1 and len(set(elements)) < len(elements):
                doubled.append(field)
            if (kind := kind_of(field)) == "keyword":
                found.extend(terms.of_texts(field, elements, addresses=True))
            elif kind == "moment" and not NANOS_FIRST <= moment <= NANOS_LAST:
                source[field] = timestamp_from_micros(min(max(moment, NANOS_FIRST), NANOS_LAST))
                aside[field] = value
        else:
            aside[field] = value
            found.extend(terms.of_aside(field, elements))
    return _document(identifier, source, aside, found, doubled)


def encode_bare(event: Event, *, arrival: bool) -> Document:
    """The form that a mapping hardly can refuse: everything aside. For a document that the server did not take.

    arrival  with its ``event.ingested`` in sight of retention
    """
    plain = storable(event)
    moment = micros(plain["@timestamp"]) or 0
    source = {
        MOMENT: moment,
        KEY: key_of(plain["event.id"]),
        "@timestamp": timestamp_from_micros(min(max(moment, NANOS_FIRST), NANOS_LAST)),
    }
    if arrival and _fits(ARRIVAL, [plain.get(ARRIVAL)]):
        source[ARRIVAL] = plain[ARRIVAL]
    found: list[str] = []
    for field, value in plain.items():
        if field != "@timestamp":
            found.extend(terms.of_aside(field, value if isinstance(value, list) else [value]))
    return _document(plain["event.id"], source, plain, found, [])


def _document(identifier: str, source: dict[str, Any], aside: Event, found: list[str], doubled: list[str]) -> Document:
    """``doubled``: native fields in which a value occurs twice."""
    values: list[str] = []
    uncounted, long = set(doubled), set[str]()
    if aside:
        source[ASIDE] = orjson.dumps(aside).decode()
    for field, value in aside.items():
        if field == "@timestamp":
            continue
        elements = value if isinstance(value, list) else [value]
        counted = {term for element in elements if (term := terms.value_term(field, element)) is not None}
        values += counted
        if len(counted) < len(elements):
            uncounted.add(field)
        if any(isinstance(element, str) and len(element) > LONGEST for element in elements):
            long.add(in_layout(field))
    if values:
        source[VALUES] = values
    found += [terms.uncounted(field) for field in uncounted]
    if found:
        source[TERMS] = found
    layout = Layout(
        aside=frozenset(in_layout(field) for field in aside if field != "@timestamp"),
        long=frozenset(long),
        uncounted=frozenset(map(in_layout, uncounted)),
    )
    return Document(document_id(identifier), identifier, source, layout)


def decode(source: dict[str, Any]) -> Event:
    """The event of a document, or those of its fields that were asked for."""
    event = {field: value for field, value in source.items() if not field.startswith(OWN)}
    aside = source.get(ASIDE)
    if aside:
        event.update(orjson.loads(aside))
    return event


def _fits(field: str, elements: list[Any]) -> bool:
    """Whether the server indexes all elements of a field with exactly our meaning."""
    kind = kind_of(field)
    if kind == "keyword":
        return all(type(element) is str and _plain(element) for element in elements)
    if kind == "long":
        return all(type(element) is int and -(1 << 63) <= element < 1 << 63 for element in elements)
    if kind == "ip":
        return all(type(element) is str and "%" not in element and terms.address(element) is not None for element in elements)
    if kind == "date":
        return all(
            type(element) is str and (at := micros(element)) is not None and NANOS_FIRST <= at <= NANOS_LAST for element in elements
        )
    if kind == "boolean":
        return all(type(element) is bool for element in elements)
    return True  # @timestamp


def _plain(text: str) -> bool:
    return len(text) <= LONGEST and (text.isascii() or _DOUBTFUL.search(text) is None)


def micros(time: str) -> int | None:
    """Microseconds since the epoch of an ``@timestamp`` text, or None where it is none."""
    if len(time) != 27 or _MOMENT.fullmatch(time) is None:
        return None
    try:
        delta = datetime.fromisoformat(time[:-1]).replace(tzinfo=UTC) - _EPOCH
    except ValueError:
        return None
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def key_of(identifier: str) -> str:
    """``event.id`` as the second key of the order."""
    return identifier if len(identifier) <= LONGEST else identifier[:4_000] + document_id(identifier)


def document_id(identifier: str) -> str:
    """``_id`` of an event: its id, or a digest of one that is empty or too long (512 bytes)."""
    if 0 < len(identifier) <= 120 and not identifier.startswith("sha256:"):
        return identifier
    return "sha256:" + hashlib.sha256(identifier.encode()).hexdigest()


def folded_moment(moment: int) -> str:
    """The ``@timestamp`` text of microseconds, folded as texts are compared."""
    return fold(timestamp_from_micros(moment))
