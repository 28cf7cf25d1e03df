"""Strict DER: one encoding for each value, asn1crypto as the second reader and writer."""

from __future__ import annotations

import time

import pytest
from asn1crypto.core import Integer, ObjectIdentifier, OctetString
from hypothesis import given
from hypothesis import strategies as st

from crypto.der import (
    INTEGER,
    LONGEST_OBJECT_ID,
    OID,
    Reader,
    encode,
    encode_bits,
    encode_integer,
    encode_object_id,
    encode_octets,
    encode_sequence,
)
from crypto.errors import EncodingError

object_ids = st.builds(
    lambda first, rest: ".".join(map(str, (*first, *rest))),
    st.one_of(st.tuples(st.integers(0, 1), st.integers(0, 39)), st.tuples(st.just(2), st.integers(0, 1 << 40))),
    st.lists(st.integers(0, 1 << 70), max_size=8),
)


@given(st.integers(0, 1 << 300))
def test_integers(value: int) -> None:
    assert encode_integer(value) == Integer(value).dump()
    assert Reader(encode_integer(value), "x").integer() == value


@given(st.integers(-(1 << 80), -1))
def test_negative_integers_are_refused(value: int) -> None:
    with pytest.raises(EncodingError, match="negative"):
        Reader(Integer(value).dump(), "x").integer()


@given(object_ids)
def test_object_ids(dotted: str) -> None:
    assert encode_object_id(dotted) == ObjectIdentifier(dotted).dump()
    assert Reader(encode_object_id(dotted), "x").object_id() == dotted


@given(st.binary(max_size=70_000))
def test_octets(content: bytes) -> None:
    assert encode_octets(content) == OctetString(content).dump()
    reader = Reader(encode_sequence(encode_octets(content), encode_bits(content)), "x").sequence()
    assert (reader.read(0x04), reader.bits()) == (content, content)
    reader.end()


@pytest.mark.parametrize(
    "octets",
    [
        "",  # nothing
        "02",  # no length
        "0201",  # no content
        "0200",  # an empty integer
        "02020001",  # a needless zero
        "028101 01",  # a long length for a short content
        "0282000101",  # a length with a needless zero
        "028001 0000",  # indefinite length
        "0289000000000000000001 01",  # nine octets of length
        "0481 05 0102030405",  # long form below 128
        "040101",  # another type
    ],
)
def test_what_is_not_der_is_refused(octets: str) -> None:
    with pytest.raises(EncodingError):
        Reader(bytes.fromhex(octets), "x").integer()


@pytest.mark.parametrize("content", ["", "80", "2a80", "2a8001", "808001"])
def test_object_ids_have_one_form(content: str) -> None:
    with pytest.raises(EncodingError, match="object identifier"):
        Reader(encode(OID, bytes.fromhex(content)), "x").object_id()


@pytest.mark.parametrize("content", ["", "01ff", "07"])
def test_bit_strings_are_whole_bytes(content: str) -> None:
    with pytest.raises(EncodingError, match="whole bytes"):
        Reader(encode(0x03, bytes.fromhex(content)), "x").bits()


def test_leftovers_are_refused() -> None:
    reader = Reader(encode_integer(5) + b"\0", "the thing")
    assert reader.integer() == 5
    with pytest.raises(EncodingError, match="the thing: 1 bytes too many"):
        reader.end()


@given(st.binary(max_size=40))
def test_whatever_is_read_is_written_the_same(octets: bytes) -> None:
    """No two byte strings are read as the same integer."""
    reader = Reader(octets, "x")
    try:
        value = reader.integer()
        reader.end()
    except EncodingError:
        return
    assert encode_integer(value) == octets
    assert octets[0] == INTEGER


def test_an_object_identifier_of_megabytes_costs_nothing() -> None:
    """Decimal digits of one cost the square of its length: at a megabyte, minutes."""
    started = time.monotonic()
    with pytest.raises(EncodingError, match="longer than"):
        Reader(encode(OID, b"\x2a" + b"\xff" * 1_000_000 + b"\x7f"), "x").object_id()
    assert time.monotonic() - started < 1
    longest = b"\x2a" + b"\xff" * (LONGEST_OBJECT_ID - 2) + b"\x7f"
    assert Reader(encode(OID, longest), "x").object_id() == ObjectIdentifier.load(encode(OID, longest)).dotted
