"""BER as DER: DER stays as it is, every permitted other form gives the same DER, hostile forms are typed errors and cost little."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.ber import MOST_VALUES, to_der
from crypto.der import encode, encode_integer, encode_object_id, encode_octets, encode_sequence
from crypto.errors import EncodingError

primitives = st.one_of(
    st.integers(0, 1 << 80).map(encode_integer),
    st.binary(max_size=300).map(encode_octets),
    st.just(b"\x05\x00"),
    st.just(encode_object_id("1.2.156.10197.6.1.4.2.2")),
)
trees = st.recursive(
    primitives,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: encode_sequence(*parts)),
        st.lists(inner, max_size=4).map(lambda parts: encode(0x31, b"".join(sorted(parts)))),
        st.lists(inner, max_size=3).map(lambda parts: encode(0xA0, b"".join(parts))),
    ),
    max_leaves=12,
)


@given(trees)
def test_der_stays(der: bytes) -> None:
    assert to_der(der, "x") == der


def _loosened(der: bytes, draw: st.DrawFn) -> bytes:
    """The same value written as BER allows it."""
    kind = der[0]
    start = 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
    content = der[start:]
    if kind & 0x20:
        parts = []
        while content:
            head = 2 if content[1] < 0x80 else 2 + (content[1] & 0x7F)
            size = head + (content[1] if content[1] < 0x80 else int.from_bytes(content[2:head]))
            parts.append(_loosened(content[:size], draw))
            content = content[size:]
        if kind == 0x31:
            parts = draw(st.permutations(parts))
        content = b"".join(parts)
        if draw(st.booleans()):
            return bytes((kind, 0x80)) + content + b"\0\0"
    elif kind == 4 and draw(st.booleans()):
        cut = draw(st.integers(0, len(content)))
        inner = _loosened(encode_octets(content[:cut]), draw) + encode_octets(content[cut:])
        return bytes((0x24, 0x80)) + inner + b"\0\0"
    width = draw(st.integers(4, 8))
    return bytes((kind, 0x80 | width)) + len(content).to_bytes(width) + content


@settings(deadline=None)
@given(st.data(), trees)
def test_other_forms_give_the_same(data: st.DataObject, der: bytes) -> None:
    assert to_der(_loosened(der, data.draw), "x") == der


@given(st.binary(max_size=200))
def test_anything_is_a_typed_error_or_one_value(octets: bytes) -> None:
    with contextlib.suppress(EncodingError):
        der = to_der(octets, "x")
        assert to_der(der, "x") == der


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x30\x80\x05\x00", "without its end"),
        (b"\x04\x80\x00\x00", "without parts"),
        (b"\x30\x83\xff\xff\xff\x00", "cut off"),
        (b"\x30\xff\x00", "cannot be"),
        (b"\x24\x03\x02\x01\x00", "another kind"),
        (b"\x23\x08\x03\x02\x01\x00\x03\x02\x00\x00", "broken parts"),
        (b"\x2c\x02\x0c\x00", "must not be"),
        (b"\x10\x00", "without parts"),
        (b"\x1f\x81\x01\x00", "not taken"),
        (b"\x05\x00\x00", "too many"),
        (b"", "cut off"),
        (b"\x30\x80" * 30, "nested deeper"),
    ],
)
def test_refused(octets: bytes, reason: str) -> None:
    with pytest.raises(EncodingError, match=reason):
        to_der(octets, "message")


def test_many_values_cost_little() -> None:
    octets = encode_sequence(b"\x05\x00" * (MOST_VALUES + 10))
    begun = time.process_time()
    with pytest.raises(EncodingError, match="values"):
        to_der(octets, "message")
    assert time.process_time() - begun < 5
    assert to_der(b"\x23\x80\x03\x02\x00\xab\x03\x02\x04\xc0\x00\x00", "bits") == b"\x03\x03\x04\xab\xc0"
