"""A host isolated by its own packet filter: only the management reaches it, and nobody is locked out by mistake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from playbooks.actions import host_isolate
from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.protected import networks
from playbooks.actions.settings import Settings
from playbooks.actions.system_kinds import system
from playbooks.model import Command
from tests.playbooks.actions.ssh_server import SshServer, login
from tests.playbooks.actions.street import ATTACKER, SERVER, Street, available, street

pytestmark = pytest.mark.skipif(not available("sshd", "ssh", "nft"), reason="needs root, iproute2, nftables and openssh-server")


@pytest.fixture(scope="module")
def there() -> Iterator[Street]:
    with street() as made:
        made.listen("server")
        made.listen("attacker")
        yield made


@pytest.fixture(scope="module")
def server(there: Street, tmp_path_factory: pytest.TempPathFactory) -> SshServer:
    return SshServer(there, "server", SERVER[0], tmp_path_factory.mktemp("sshd"))


@pytest.fixture(autouse=True)
def _open(there: Street) -> None:
    for side in ("server", "gateway"):
        there.run(side, "nft", "flush", "ruleset")


def _do(there: Street, server: SshServer, kind: str, run: int = 7, settings: Settings | None = None, **more: Any) -> dict[str, Any]:
    request = Request(
        key=f"{run}.1",
        step_id="action--1",
        command=Command(type=kind, more={"parameters": {"reason": "test", **more}}),
        target_id="ssh--1",
        target=server.party(),
        authentication=login("key"),
        out_args=("__isolate_state__", "__isolated_until__", "__released__"),
    )
    with there.inside("platform"):
        context = Context(time.monotonic() + 40, server.secrets())
        return dict(system(settings or server.settings())[kind].run(request, context))


@pytest.mark.parametrize("place", [0, 1], ids=["IPv4", "IPv6"])
def test_only_the_management_reaches_an_isolated_host(there: Street, server: SshServer, place: int) -> None:
    assert there.reaches("attacker", SERVER[place])
    settings = server.settings(management=networks(["2001:db8:9::/64"]))
    given = _do(there, server, "liandun-host-isolate", settings=settings)
    assert (given["__isolate_state__"], given["__isolated_until__"] > "2026") == ("new", True)
    assert not there.reaches("attacker", SERVER[place])
    assert not there.reaches("server", ATTACKER[place])
    assert there.reaches("platform", SERVER[place])
    assert _do(there, server, "liandun-host-release")["__released__"] == "true"
    assert there.reaches("attacker", SERVER[place])
    assert "liandun" not in there.run("server", "nft", "list", "ruleset")


def test_a_run_ends_only_its_own_isolation(there: Street, server: SshServer) -> None:
    _do(there, server, "liandun-host-isolate", run=7, minutes=60)
    assert _do(there, server, "liandun-host-isolate", run=8, minutes=5)["__isolate_state__"] == "already"
    assert _do(there, server, "liandun-host-release", run=8)["__released__"] == "false"
    assert _do(there, server, "liandun-host-isolate", run=9, minutes=90)["__isolate_state__"] == "longer"
    assert _do(there, server, "liandun-host-release", run=7)["__released__"] == "false"
    assert not there.reaches("attacker", SERVER[0])
    assert _do(there, server, "liandun-host-release", run=8, force="true")["__released__"] == "true"
    assert there.reaches("attacker", SERVER[0])


def test_who_locks_himself_out_is_let_in_again_by_the_host(
    there: Street, server: SshServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a gateway that translates addresses the host sees another address than we do."""
    monkeypatch.setattr(host_isolate, "TRIAL", 12)
    there.run("gateway", "nft", "add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; }")
    there.run("gateway", "nft", "add rule ip nat post ip saddr 10.9.0.2 masquerade")
    with pytest.raises(ActionError) as caught:
        _do(there, server, "liandun-host-isolate")
    assert caught.value.code == "ISOLATION_UNDONE"
    assert there.becomes("platform", SERVER[0], reachable=True, seconds=20, port=22)
    assert there.reaches("attacker", SERVER[0])


def test_hosts_of_protected_networks_are_never_isolated(there: Street, server: SshServer) -> None:
    with pytest.raises(ActionError) as caught:
        _do(there, server, "liandun-host-isolate", settings=server.settings(protected=networks(["10.60.0.0/24"])))
    assert caught.value.code == "NOT_ALLOWED"
    assert there.run("server", "nft", "list", "ruleset") == ""
