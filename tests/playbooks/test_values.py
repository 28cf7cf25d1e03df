"""Values of variables by their types."""

from __future__ import annotations

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.values import typed
from playbooks.vocabulary import VARIABLE_TYPES


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("bool", "True", True),
        ("integer", "-7", -7),
        ("long", "9223372036854775807", 2**63 - 1),
        ("float", "1e3", 1000.0),
        ("float", "7", 7.0),
        ("ipv4-addr", "10.0.0.1", ipaddress.ip_network("10.0.0.1/32")),
        ("ipv4-addr", "10.1.2.3/8", ipaddress.ip_network("10.0.0.0/8")),
        ("ipv6-addr", "2001:DB8::1", ipaddress.ip_network("2001:db8::1/128")),
        ("mac-addr", "00-1B-44-11-3A-B7", "00:1b:44:11:3a:b7"),
        ("md5-hash", "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e"),
        ("sha256-hash", "AB" * 32, "ab" * 32),
        ("hash", "cd" * 20, "cd" * 20),
        ("hexstring", "00FF", "00ff"),
        ("string", "", ""),
        ("uri", "urn:x", "urn:x"),
        ("uuid", "F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6", "f81d4fae-7dec-41d0-a765-00a0c91e6bf6"),
        ("dictionary", '{"a": 1}', {"a": 1}),
        ("own-type", "anything", "anything"),
    ],
)
def test_values_that_are_of_their_type(kind: str, text: str, value: object) -> None:
    assert typed(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("bool", "yes"),
        ("integer", "1.0"),
        ("integer", ""),
        ("integer", "９"),
        ("long", "9223372036854775808"),
        ("float", "nan"),
        ("float", "1e999"),
        ("ipv4-addr", "2001:db8::1"),
        ("ipv4-addr", "10.0.0.256"),
        ("ipv6-addr", "10.0.0.1"),
        ("ipv6-addr", "fe80::1%eth0"),
        ("mac-addr", "00:1b:44-11:3a:b7"),
        ("md5-hash", "ab" * 20),
        ("sha256-hash", "zz" * 32),
        ("hash", "ab"),
        ("hexstring", "abc"),
        ("uri", "no scheme"),
        ("uuid", "00000000-0000-0000-0000-000000000000"),
        ("dictionary", "[]"),
    ],
)
def test_values_that_are_none(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        typed(kind, text)


def test_an_object_is_a_dictionary_only() -> None:
    assert typed("dictionary", {"a": {}}) == {"a": {}}
    with pytest.raises(ValueError, match="an object"):
        typed("string", {})


@given(st.sampled_from(VARIABLE_TYPES), st.text(max_size=60))
def test_any_text_is_a_value_or_a_value_error(kind: str, text: str) -> None:
    with contextlib.suppress(ValueError):
        typed(kind, text)
