"""Which addresses can be blocked at all, whatever a playbook, or an attacker behind it, writes."""

from __future__ import annotations

import ipaddress

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
@example("10.9.0.1; flush ruleset")
def test_what_is_blocked_is_a_small_network_of_nobody_protected(text: str) -> None:
    try:
        network = blockable(text)
        refuse_protected(network, MANAGEMENT)
    except ActionError:
        return
    assert network.prefixlen >= WIDEST[network.version]
    assert not any(one.overlaps(network) for one in (*ALWAYS, *MANAGEMENT) if one.version == network.version)
    mapped = ipaddress.ip_network("::ffff:0:0/96")
    assert network.version == 4 or not mapped.overlaps(network)
    told = "".join(nft_table.blocked(network, ("7",), 60))
    assert set(told.removeprefix(" ")) <= set('abcdefghijklmnopqrstuvwxyz0123456789 .:/{}"')


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
