"""Which addresses are of the public internet, by IANA's registries of special-purpose addresses."""

from __future__ import annotations

import ipaddress

import hypothesis.strategies as st
import pytest
from hypothesis import given

from kernel.public_addresses import destination, is_public

NOT_PUBLIC = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "0.0.0.0"),
    *("192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "ff0e::1", "4000::1", "100::1"),
    *("2001:db8::1", "3fff::1", "3fff:fff::1"),
)
CARRIED = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "224.0.0.1")


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_special_addresses_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "223.5.5.5", "2400:3200::1", "2606:4700::1111", "64:ff9b::8.8.8.8"])
def test_public_ones_are(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("inner", CARRIED)
@pytest.mark.parametrize("outer", ["::ffff:{}", "64:ff9b::{}", "64:ff9b:1::{}", "::{}", "::ffff:0:{}"])
def test_an_inside_address_in_an_ipv6_one_is_not_public(outer: str, inner: str) -> None:
    assert not is_public(ipaddress.ip_address(outer.format(inner)))


@given(st.ip_addresses(v=4))
def test_an_address_carried_through_a_translator_or_tunnel_is_judged_as_itself(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    nat64 = ipaddress.IPv6Address((0x64FF9B << 96) | number)
    sixtofour = ipaddress.IPv6Address((0x2002 << 112) | (number << 80))
    teredo = ipaddress.IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))
    assert destination(nat64) == destination(sixtofour) == destination(teredo) == destination(inner) == inner
    assert is_public(nat64) == is_public(inner)
    if not is_public(inner):
        assert not is_public(sixtofour)
        assert not is_public(teredo)
