"""Which addresses can be blocked at all, whatever a playbook, or an attacker behind it, writes."""

from __future__ import annotations

import ipaddress
from contextlib import nullcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playbooks.actions import nft_table
from playbooks.actions.contract import ActionError
from playbooks.actions.domains import divertible
from playbooks.actions.protected import ALWAYS, WIDEST, blockable, networks, refuse_protected

MANAGEMENT = networks(["10.9.0.0/24", "2001:db8:9::/64"])
addresses = st.one_of(st.ip_addresses().map(str), st.ip_addresses(v=4, network="10.9.0.0/23").map(str))
written = st.builds("{}/{}".format, addresses, st.integers(0, 128)) | addresses | st.text(max_size=40)


@given(written)
@example("::ffff:10.9.0.1")
@example("::ffff:10.9.0.0/120")
@example("::/0")
@example("::ffff:0:0/81")
@example("::8000:0:0/82")
@example("::ffff:0:0/95")
@example("::fffe:0:0/95")
@example("64:ff9b::10.9.0.1")
@example("64:ff9b::/48")
@example("10.9.0.1; flush ruleset")
def test_what_is_blocked_is_a_small_network_of_nobody_protected(text: str) -> None:
    try:
        network = blockable(text)
        refuse_protected(network, MANAGEMENT)
    except ActionError:
        return
    assert network.prefixlen >= WIDEST[network.version]
    assert not any(one.overlaps(network) for one in (*ALWAYS, *MANAGEMENT) if one.version == network.version)
    assert network.version == 4 or not ipaddress.ip_network("::ffff:0:0/96").overlaps(network)
    told = "".join(nft_table.blocked(network, ("7",), 60))
    assert set(told.removeprefix(" ")) <= set('abcdefghijklmnopqrstuvwxyz0123456789 .:/{}"')


@pytest.mark.parametrize("prefix", range(48, 96))
def test_no_network_with_all_of_ipv4_within_is_blocked(prefix: int) -> None:
    with pytest.raises(ActionError) as caught:
        blockable(str(ipaddress.ip_network(f"::ffff:0:0/{prefix}", strict=False)))
    assert caught.value.code == "NOT_ALLOWED"


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("::ffff:10.9.0.7", True),
        ("::ffff:a09:0/125", True),
        ("::ffff:10.9.1.7", False),
        ("::ffff:7f00:1", True),
        ("::ffff:0.0.0.0/104", True),
        ("64:ff9b::a09:7", True),  # reaches 10.9.0.7 through a translator
        ("64:ff9b::a09:0/120", True),
        ("64:ff9b::/96", True),
        ("64:ff9b::a09:107", False),
        ("2001:db8:9::7", True),
        ("2001:db8:9::/48", True),
        ("2001:db8:8::/48", False),
    ],
)
def test_ipv4_within_ipv6_is_ipv4(text: str, refused: bool) -> None:
    for protected in (MANAGEMENT, networks(["::ffff:10.9.0.0/120", "2001:db8:9::/64"])):
        with pytest.raises(ActionError, match=r"protected|wider") if refused else nullcontext():
            refuse_protected(blockable(text), protected)


@given(st.text(max_size=60) | st.from_regex(r"[a-z0-9./\\\n\"#;$-]{1,30}", fullmatch=True))
def test_a_name_that_is_diverted_holds_nothing_that_means_something_in_a_configuration(text: str) -> None:
    try:
        name = divertible(text, ("city.example",))
    except ActionError:
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert "." in name
    assert ".." not in name
    assert not name.startswith((".", "-"))
    assert not f".{name}".endswith(".city.example")
