"""Values of indicators: the one way each is written, what is refused."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.indicators.values import KINDS, MAX_VALUE, Value, guessed, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("203.0.113.9", Value("address", "203.0.113.9")),
        ("203[.]0.113[.]9", Value("address", "203.0.113.9")),
        ("2001:DB8:0:0::1", Value("address", "2001:db8::1")),
        ("::ffff:203.0.113.9", Value("address", "203.0.113.9")),
        ("203.0.113.9/32", Value("address", "203.0.113.9")),
        ("203.0.113.9/24", Value("network", "203.0.113.0/24")),
        ("2001:db8:ff::/48", Value("network", "2001:db8:ff::/48")),
        ("Evil.Example.", Value("domain", "evil.example")),
        ("*.evil[.]example", Value("domain", "*.evil.example")),
        ("链盾.example", Value("domain", "xn--y0yx35d.example")),
        ("hxxps://Evil[.]example:443/A?b=1#c", Value("url", "https://evil.example/A?b=1")),
        ("http://[2001:DB8::1]:8080/x", Value("url", "http://[2001:db8::1]:8080/x")),
        ("evil.example/Payload", Value("url", "http://evil.example/Payload")),
        ("D41D8CD98F00B204E9800998ECF8427F", Value("hash", "d41d8cd98f00b204e9800998ecf8427f")),
        ("Boss[@]evil[.]example", Value("email", "boss@evil.example")),
    ],
)
def test_written_one_way(text: str, value: Value) -> None:
    assert guessed(text) == value
    assert written(value.kind, text) == value
    assert guessed(value.text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("address", "203.0.113"), ("address", "1.2.3.4.5"), ("address", "fe80::1%" + "e" * 60), ("domain", "localhost"),
        ("domain", "a..b"), ("domain", "-a.example"), ("domain", "1.2.3.4"), ("domain", "a" * 64 + ".example"),
        ("url", "javascript://a.example/"), ("url", "http://"), ("url", "http://a.example:99999/"), ("url", "ftp://u:p@a.example/"),
        ("hash", "abc"), ("hash", "g" * 32), ("email", "nobody"), ("email", "a b@c.example"), ("kind", "x"), ("domain", ""),
        ("url", "http://a.example/" + "a" * MAX_VALUE), ("domain", "a.example\0"),
    ],
)  # fmt: skip
def test_refused_with_a_reason(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        written(kind, text)


@given(st.ip_addresses())
def test_every_address_is_written_as_the_library_writes_it(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    found = guessed(address.exploded)
    assert found.kind == "address"
    assert ipaddress.ip_address(found.text) == (getattr(address, "ipv4_mapped", None) or address)


@given(st.sampled_from(KINDS), st.text(max_size=120))
def test_any_text_is_a_value_or_refused_and_writing_again_changes_nothing(kind: str, text: str) -> None:
    try:
        found = written(kind, text)
    except ValueError:
        return
    assert written(found.kind, found.text) == found
    assert len(found.text) <= MAX_VALUE
    assert found.text.isprintable()
