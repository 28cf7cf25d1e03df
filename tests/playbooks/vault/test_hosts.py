"""The hosts of a secret: one form for each, exact, and nothing that a resolver would read as another host."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.actions.contract import Destination
from playbooks.vault.hosts import MOST, all_normal, covers, normal


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" GW.Example.CN ", "gw.example.cn"),
        ("gw.example.cn.", "gw.example.cn"),
        ("gw.example.cn:8443", "gw.example.cn:8443"),
        ("gateway", "gateway"),
        ("网关.example.cn", "xn--d6q013i.example.cn"),
        ("*.Example.cn:443", "*.example.cn:443"),
        ("192.0.2.7:22", "192.0.2.7:22"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:0db8::7]:443", "[2001:db8::7]:443"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:443", "192.0.2.7:443"),
    ],
)
def test_one_form(text: str, kept: str) -> None:
    assert normal(text) == kept
    assert normal(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "", ":443", "*", "*.", "*.cn", "*.*.example.cn", "g*.example.cn", "a.*.cn", "https://gw.cn", "gw.cn/x", "gw.cn:",
        "gw.cn:0", "gw.cn:65536", "gw.cn:\uff14\uff14\uff13", "gw.cn:-1", "u@gw.cn", "-gw.cn", "gw..cn", "2130706433", "127.1",
        "010.0.0.1", "0x7f.1", "1.2.3.4.5", "*.0.0.1", "[gw.cn]:443", "[2001:db8::7", "[2001:db8::7]443", "[2001:db8::7]:",
        "fe80::1%eth0", "*.2001:db8::7", "a\nb", "x" * 64, ".".join(["x" * 60] * 5), "\ud800.cn",
    ],
)  # fmt: skip
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValueError):
        normal(text)


@pytest.mark.parametrize(
    ("entry", "host", "port", "right"),
    [
        ("gw.example.cn", "GW.example.cn", 443, True),
        ("gw.example.cn", "gw.example.cn.", 8443, True),
        ("gw.example.cn", "\uff47\uff57.example.cn", 443, True),  # the resolver reads it so, too
        ("gw.example.cn", "agw.example.cn", 443, False),
        ("gw.example.cn", "gw.example.cn.evil.cn", 443, False),
        ("gw.example.cn", "x.gw.example.cn", 443, False),
        ("gw.example.cn:443", "gw.example.cn", 443, True),
        ("gw.example.cn:443", "gw.example.cn", 444, False),
        ("*.example.cn", "gw.example.cn", 443, True),
        ("*.example.cn:443", "gw.example.cn", 444, False),
        ("*.example.cn", "example.cn", 443, False),
        ("*.example.cn", "a.gw.example.cn", 443, False),
        ("*.example.cn", "*.example.cn", 443, False),
        ("*.example.cn", ".example.cn", 443, False),
        ("2001:db8::7", "2001:0DB8:0::7", 443, True),
        ("[2001:db8::7]:443", "2001:db8::7", 443, True),
        ("[2001:db8::7]:443", "2001:db8::7", 22, False),
        ("2001:db8::7:443", "2001:db8::7", 443, False),
        ("192.0.2.7", "::ffff:192.0.2.7", 443, True),
        ("192.0.2.7", "::ffff:192.0.2.7%eth0", 443, False),
        ("192.0.2.7", "3221225991", 443, False),
        ("127.0.0.1", "127.1", 443, False),
        ("gw.example.cn", "", 443, False),
    ],
)
def test_what_it_is_for(entry: str, host: str, port: int, right: bool) -> None:
    assert covers(all_normal([entry]), Destination(host, port)) is right


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_an_address_is_one_however_it_is_written(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    whole = Destination(address.exploded.upper(), port)
    assert covers(all_normal([str(address)]), whole)
    assert covers(all_normal([str(whole)]), whole)
    assert not covers(all_normal([str(Destination(str(address), port % 65_535 + 1))]), whole)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_refused_or_has_one_form(text: str, host: str) -> None:
    try:
        kept = normal(text)
    except ValueError:
        return
    assert normal(kept) == kept
    assert isinstance(covers((kept,), Destination(host, 443)), bool)


def test_lists() -> None:
    assert all_normal(["a.cn", " ", "A.CN", "b.cn"]) == ("a.cn", "b.cn")
    with pytest.raises(ValueError, match="at most"):
        all_normal(f"h{number}.cn" for number in range(MOST + 1))
