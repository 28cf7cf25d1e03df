"""Blocks at a real gateway by real packets: they stop, and flow again when the kernel's time is over or the run takes it back."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.protected import networks
from playbooks.actions.settings import Settings
from playbooks.actions.system_kinds import system
from playbooks.model import Command, Party
from tests.playbooks.actions.ssh_server import USER, SshServer, login
from tests.playbooks.actions.street import ATTACKER, GATEWAY, PLATFORM, SERVER, Street, available, street

needed = pytest.mark.skipif(not available("sshd", "ssh", "nft"), reason="needs root, iproute2, nftables and openssh-server")
EVERY = {"blocked", "blocked_until", "block_state", "unblocked"}


@pytest.fixture(scope="module")
def there() -> Iterator[Street]:
    with street() as made:
        made.listen("server")
        made.listen("attacker")
        yield made


@pytest.fixture(scope="module")
def server(there: Street, tmp_path_factory: pytest.TempPathFactory) -> SshServer:
    return SshServer(there, "gateway", GATEWAY[0], tmp_path_factory.mktemp("sshd"))


def _request(kind: str, parameters: dict[str, Any], target: Party | None, run: int = 7) -> Request:
    return Request(
        key=f"{run}.1.0.0",
        step_id="action--1",
        command=Command(type=kind, more={"parameters": {"reason": "test", **parameters}}),
        target_id="ssh--1" if target else "",
        target=target,
        authentication=login("key") if target else None,
        out_args=tuple(f"__{one}__" for one in sorted(EVERY)),
    )


class Gateway:
    """Commands at the gateway, by SSH from the platform."""

    def __init__(self, there: Street, server: SshServer) -> None:
        self._there, self._server = there, server
        self.settings = server.settings(protected=networks(["10.60.0.53/32"]), management=networks(["10.9.0.0/24"]))

    def block(self, address: str, run: int = 7, **more: Any) -> dict[str, Any]:
        return self._do("liandun-nft-block", {"address": address, **more}, run)

    def unblock(self, address: str, run: int = 7, **more: Any) -> str:
        return str(self._do("liandun-nft-unblock", {"address": address, **more}, run)["unblocked"])

    def listed(self) -> str:
        return self._there.run("gateway", "nft", "list", "ruleset")

    def _do(self, kind: str, parameters: dict[str, Any], run: int) -> dict[str, Any]:
        request = _request(kind, parameters, self._server.party(), run)
        with self._there.inside("platform"):
            found = system(self.settings)[kind].run(request, Context(time.monotonic() + 30, self._server.secrets()))
        return {name.strip("_"): value for name, value in found.items()}


@pytest.fixture
def gateway(there: Street, server: SshServer) -> Gateway:
    there.run("gateway", "nft", "flush", "ruleset")
    return Gateway(there, server)


@needed
@pytest.mark.parametrize("place", [0, 1], ids=["IPv4", "IPv6"])
def test_packets_are_stopped_in_both_directions_and_flow_again(there: Street, gateway: Gateway, place: int) -> None:
    assert there.reaches("attacker", SERVER[place])
    assert there.reaches("server", ATTACKER[place])
    began = time.monotonic()
    assert gateway.block(ATTACKER[place])["block_state"] == "new"
    assert time.monotonic() - began < 5
    assert not there.reaches("attacker", SERVER[place])
    assert not there.reaches("server", ATTACKER[place])
    assert not there.reaches("attacker", GATEWAY[place], port=22)
    assert there.reaches("attacker", SERVER[1 - place]), "the other family is not blocked"
    assert gateway.unblock(ATTACKER[place]) == "true"
    assert there.reaches("attacker", SERVER[place])
    assert gateway.unblock(ATTACKER[place]) == "true", "a second time is no failure"


@needed
def test_the_kernel_ends_the_block_by_itself(there: Street, gateway: Gateway) -> None:
    given = gateway.block(ATTACKER[0], minutes=1)
    assert given["blocked_until"] > "2026"
    _shorten(there, ATTACKER[0], seconds=3)
    assert not there.reaches("attacker", SERVER[0])
    assert there.becomes("attacker", SERVER[0], reachable=True, seconds=15)


def _shorten(there: Street, address: str, seconds: int) -> None:
    """A minute is long for a test: the same element, nearly over."""
    lines = f"delete element inet liandun blocked4 {{ {address} }}; "
    lines += f'add element inet liandun blocked4 {{ {address} timeout 60s expires {seconds}s comment "liandun 7" }}'
    there.run("gateway", "nft", lines)


@needed
def test_a_connection_that_exists_is_stopped_too(there: Street, gateway: Gateway) -> None:
    with there.inside("attacker"):
        kept = socket.create_connection((SERVER[0], 80), 2)
    kept.settimeout(0.7)
    kept.sendall(b"one")
    assert kept.recv(9) == b"one"
    gateway.block(ATTACKER[0])
    kept.sendall(b"two")
    with pytest.raises(TimeoutError):
        kept.recv(9)
    gateway.unblock(ATTACKER[0])
    kept.close()


@needed
def test_a_network_is_blocked_and_overlaps_are_told(there: Street, gateway: Gateway) -> None:
    assert gateway.block("203.0.113.99/24")["blocked"] == "203.0.113.0/24"
    assert not there.reaches("attacker", SERVER[0])
    with pytest.raises(ActionError, match="overlaps"):
        gateway.block("203.0.113.0/25")
    assert gateway.block(ATTACKER[0])["block_state"] == "new"
    assert gateway.unblock("203.0.113.0/24") == "true"
    assert not there.reaches("attacker", SERVER[0]), "the address itself is blocked still"


@needed
def test_doing_it_again_makes_one_block(there: Street, gateway: Gateway) -> None:
    gateway.block(ATTACKER[0])
    gateway.block(ATTACKER[0])
    listed = gateway.listed()
    assert listed.count(ATTACKER[0]) == 1
    assert listed.count(" drop\n") == 16, "each rule once"
    assert 'comment "liandun 7"' in listed


@needed
def test_a_run_ends_only_its_own_block(there: Street, gateway: Gateway) -> None:
    gateway.block(ATTACKER[0], run=7, minutes=30)
    assert gateway.block(ATTACKER[0], run=8, minutes=5)["block_state"] == "already"
    assert gateway.unblock(ATTACKER[0], run=8) == "false"
    assert gateway.block(ATTACKER[0], run=9, minutes=60)["block_state"] == "longer"
    assert gateway.unblock(ATTACKER[0], run=7) == "false", "run 9 holds it, too"
    assert not there.reaches("attacker", SERVER[0])
    assert gateway.unblock(ATTACKER[0], run=9) == "true"
    there.run("gateway", "nft", "add element inet liandun blocked4 { 203.0.113.7 }")
    assert gateway.unblock(ATTACKER[0], run=9) == "false", "an administrator blocked it"
    assert gateway.block(ATTACKER[0], run=9)["blocked_until"] == ""
    assert gateway.unblock(ATTACKER[0], run=9, force=True) == "true"
    assert there.reaches("attacker", SERVER[0])


@needed
@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("0.0.0.0/0", "NOT_ALLOWED"),
        ("::/0", "NOT_ALLOWED"),
        ("203.0.112.0/23", "NOT_ALLOWED"),
        ("2001:db8::/47", "NOT_ALLOWED"),
        ("127.0.0.1", "NOT_ALLOWED"),
        ("::1", "NOT_ALLOWED"),
        ("fe80::1", "NOT_ALLOWED"),
        ("224.0.0.251", "NOT_ALLOWED"),
        ("255.255.255.255", "NOT_ALLOWED"),
        ("10.60.0.53", "NOT_ALLOWED"),
        ("10.60.0.0/24", "NOT_ALLOWED"),
        ("::ffff:10.60.0.53", "NOT_ALLOWED"),
        ("10.9.0.77", "NOT_ALLOWED"),
        ("203.0.113.7 }; flush ruleset", "COMMAND_WRONG"),
        ("203.0.113.7\nflush ruleset", "COMMAND_WRONG"),
        ("203.0.113.7; reboot", "COMMAND_WRONG"),
        ("$(reboot)", "COMMAND_WRONG"),
        ("-f", "COMMAND_WRONG"),
        ("fe80::1%eth0", "COMMAND_WRONG"),
        ("2130706433", "COMMAND_WRONG"),
    ],
)
def test_what_is_never_blocked(gateway: Gateway, address: str, code: str) -> None:
    with pytest.raises(ActionError) as caught:
        gateway.block(address)
    assert caught.value.code == code
    assert "liandun" not in gateway.listed()


@needed
@pytest.mark.parametrize("address", [GATEWAY[0], PLATFORM[0], f"{GATEWAY[0]}/24"])
def test_the_gateway_and_we_ourselves_are_protected_without_being_named(
    there: Street, server: SshServer, gateway: Gateway, address: str
) -> None:
    gateway.settings = server.settings()
    with pytest.raises(ActionError) as caught:
        gateway.block(address)
    assert caught.value.code == "NOT_ALLOWED"


@needed
def test_what_stands_on_the_gateway_is_not_believed(there: Street, gateway: Gateway) -> None:
    """Whoever can write there could otherwise have us write more."""
    gateway.block(ATTACKER[0], minutes=5)
    element = f'{ATTACKER[0]} timeout 300s comment "liandun 5 }};flush 莲盾 7"'
    there.run("gateway", "nft", f"delete element inet liandun blocked4 {{ {ATTACKER[0]} }}")
    there.run("gateway", "nft", f"add element inet liandun blocked4 {{ {element} }}")
    assert gateway.block(ATTACKER[0], minutes=60)["block_state"] == "longer"
    assert 'comment "liandun 5 7"' in gateway.listed()


@needed
def test_a_gateway_speaks_to_itself_whatever_is_blocked(there: Street, gateway: Gateway) -> None:
    gateway.block("203.0.113.1")
    assert there.reaches("gateway", "203.0.113.1", port=22)


@needed
def test_nothing_is_left_where_the_filter_refuses(there: Street, gateway: Gateway) -> None:
    there.run("gateway", "nft", "add table inet liandun; add set inet liandun blocked4 { type ipv6_addr; }")
    with pytest.raises(ActionError) as caught:
        gateway.block(ATTACKER[0])
    assert caught.value.code == "NFT_FAILED"
    assert "chain" not in gateway.listed()


@needed
def test_a_gateway_that_lacks_a_program_or_rights_says_so(there: Street, server: SshServer, gateway: Gateway) -> None:
    asked = _request("liandun-nft-block", {"address": ATTACKER[0]}, server.party())
    asked = msgspec.structs.replace(asked, authentication=login("password", USER))
    kind = system(server.settings(privilege=("/nowhere/sudo", "-n")))["liandun-nft-block"]
    with there.inside("platform"), pytest.raises(ActionError) as caught:
        kind.run(asked, Context(time.monotonic() + 30, server.secrets()))
    assert caught.value.code == "PROGRAM_MISSING"
    plain = system(server.settings())["liandun-nft-block"]
    with there.inside("platform"), pytest.raises(ActionError, match="not permitted") as caught:
        plain.run(asked, Context(time.monotonic() + 30, server.secrets()))
    assert caught.value.code == "NFT_FAILED"


@needed
def test_this_very_machine_only_where_the_configuration_says_so(there: Street) -> None:
    request = _request("liandun-nft-block", {"address": ATTACKER[0]}, None)
    with there.inside("server"):
        with pytest.raises(ActionError) as caught:
            system(Settings())["liandun-nft-block"].run(request, Context(time.monotonic() + 30))
        assert caught.value.code == "NOT_ALLOWED"
        given = system(Settings(local_firewall=True))["liandun-nft-block"].run(request, Context(time.monotonic() + 30))
    assert given["__block_state__"] == "new"
    assert not there.reaches("attacker", SERVER[0])
    there.run("server", "nft", "flush", "ruleset")


def test_a_plan_says_what_would_be_blocked_and_refuses_what_never_is() -> None:
    target = Party(type="ssh", address={"ipv4": ["10.9.0.1"]})
    kind = system()["liandun-nft-block"]
    plan = kind.plan(_request("liandun-nft-block", {"address": "::ffff:203.0.113.7", "minutes": "5"}, target))
    assert plan.line == "block 203.0.113.7/32 at 10.9.0.1 for 5 min: test"
    assert plan.touches == ("203.0.113.7/32", "10.9.0.1")
    with pytest.raises(ActionError):
        kind.plan(_request("liandun-nft-block", {"address": "0.0.0.0/0"}, target))
    with pytest.raises(ActionError):
        kind.plan(_request("liandun-nft-block", {"address": "203.0.113.7", "minutes": 0}, target))
