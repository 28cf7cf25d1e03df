"""Names diverted on real dnsmasq and unbound: answers before and after, what breaks, and who may take it back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.settings import DnsServer, Settings
from playbooks.actions.system_kinds import system
from playbooks.model import Command
from tests.playbooks.actions.dns_question import AAAA, A, ask
from tests.playbooks.actions.ssh_server import SshServer, login
from tests.playbooks.actions.street import SERVER, Street, available, street

pytestmark = pytest.mark.skipif(
    not available("sshd", "ssh", "dnsmasq", "unbound"), reason="needs root, iproute2, openssh-server, dnsmasq and unbound"
)
SINKHOLE = ("10.9.9.9", "2001:db8:9::9")
_NXDOMAIN = 3


@pytest.fixture(scope="module")
def there() -> Iterator[Street]:
    with street() as made:
        yield made


@pytest.fixture(scope="module")
def server(there: Street, tmp_path_factory: pytest.TempPathFactory) -> SshServer:
    return SshServer(there, "server", SERVER[0], tmp_path_factory.mktemp("sshd"))


class Dns:
    """A DNS server in the namespace of the server, that knows good.example and asks nobody."""

    port = 53

    def __init__(self, there: Street, server: SshServer, kind: str, folder: Path) -> None:
        self.there, self.server, self.kind, self.folder = there, server, kind, folder
        (folder / "conf.d").mkdir()
        self.conf = folder / "server.conf"
        self.commands = DnsServer(str(folder / "conf.d"), *getattr(self, f"_{kind}")())
        there.run("server", *self.commands.reload[:0], "sh", str(folder / "start"))

    def _dnsmasq(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        pid = self.folder / "pid"
        self.conf.write_text(
            f"no-resolv\nno-hosts\nno-daemon\nlisten-address={SERVER[0]}\nbind-interfaces\nuser=root\n"
            f"address=/good.example/192.0.2.1\nconf-dir={self.folder}/conf.d\n"
        )
        line = f"/usr/sbin/dnsmasq -C {self.conf} </dev/null >/dev/null 2>&1 9>&- & echo $! >{pid}\n"
        (self.folder / "start").write_text(line)
        (self.folder / "restart").write_text(f"kill $(cat {pid}); sleep 0.2; {line}sleep 0.3; kill -0 $(cat {pid})\n")
        return ("/usr/sbin/dnsmasq", "--test", "-C", str(self.conf)), ("sh", str(self.folder / "restart"))

    def _unbound(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        self.conf.write_text(
            f'server:\n  interface: {SERVER[0]}\n  access-control: 0.0.0.0/0 allow\n  chroot: ""\n  username: ""\n'
            f'  directory: "{self.folder}"\n  pidfile: "{self.folder}/pid"\n  use-syslog: no\n  logfile: "{self.folder}/log"\n'
            f'  local-zone: "." static\n  local-zone: "good.example." static\n  local-data: "good.example. A 192.0.2.1"\n'
            f'remote-control:\n  control-enable: yes\n  control-interface: "{self.folder}/control"\n'
            f'include: "{self.folder}/conf.d/*.conf"\n'
        )
        (self.folder / "start").write_text(f"/usr/sbin/unbound -c {self.conf}\n")
        return ("/usr/sbin/unbound-checkconf", str(self.conf)), ("/usr/sbin/unbound-control", "-c", str(self.conf), "reload")

    def asks(self, name: str, kind: int = A) -> tuple[int, list[str]]:
        """The code of the answer and its addresses."""
        end = time.monotonic() + 10
        while True:
            try:
                with self.there.inside("platform"):
                    return ask(SERVER[0], name, kind)
            except OSError:
                assert time.monotonic() < end, "the DNS server does not answer"

    def add(self, domain: str, run: int = 7, **settings: Any) -> dict[str, Any]:
        return self._do("liandun-sinkhole-add", domain, run, settings)

    def remove(self, domain: str, run: int = 7, *, force: bool = False, **settings: Any) -> str:
        return str(self._do("liandun-sinkhole-remove", domain, run, settings, force=force)["__undiverted__"])

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "conf.d").glob("[!.]*"))

    def stop(self) -> None:
        subprocess.run(["kill", (self.folder / "pid").read_text().strip()], check=False)
        time.sleep(0.3)

    def _do(self, kind: str, domain: str, run: int, settings: dict[str, Any], **more: Any) -> dict[str, Any]:
        parameters = {"domain": domain, "server": self.kind, "reason": "test", **more}
        request = Request(
            key=f"{run}.1",
            step_id="action--1",
            command=Command(type=kind, more={"parameters": parameters}),
            target_id="ssh--1",
            target=self.server.party(),
            authentication=login("key"),
            out_args=("__diverted__", "__divert_state__", "__undiverted__"),
        )
        given = self.server.settings(**{"sinkhole": SINKHOLE, "dns": {self.kind: self.commands}, **settings})
        with self.there.inside("platform"):
            return dict(system(given)[kind].run(request, Context(time.monotonic() + 30, self.server.secrets())))


@pytest.fixture(params=["dnsmasq", "unbound"])
def dns(request: pytest.FixtureRequest, there: Street, server: SshServer, tmp_path: Path) -> Iterator[Dns]:
    made = Dns(there, server, request.param, tmp_path)
    yield made
    made.stop()


def test_a_name_and_all_below_it_go_to_the_sinkhole_and_back(dns: Dns) -> None:
    assert dns.asks("good.example") == (0, ["192.0.2.1"])
    before = dns.asks("evil.example")
    assert before[1] == []
    assert dns.add("Evil.Example.") == {"__diverted__": "evil.example", "__divert_state__": "new"}
    assert dns.asks("evil.example") == (0, [SINKHOLE[0]])
    assert dns.asks("c2.evil.example") == (0, [SINKHOLE[0]])
    assert dns.asks("evil.example", AAAA) == (0, [SINKHOLE[1]])
    assert dns.asks("notevil.example")[1] == []
    assert dns.asks("good.example") == (0, ["192.0.2.1"])
    assert dns.add("evil.example")["__divert_state__"] == "already"
    assert dns.remove("evil.example") == "true"
    assert dns.asks("evil.example") == before
    assert dns.remove("evil.example") == "true"
    assert dns.files() == []


def test_without_addresses_the_name_does_not_exist(dns: Dns) -> None:
    dns.add("evil.example", sinkhole=())
    assert dns.asks("c2.evil.example") == (_NXDOMAIN, [])
    assert dns.asks("evil.example", AAAA) == (_NXDOMAIN, [])


def test_a_run_takes_back_only_its_own(dns: Dns) -> None:
    dns.add("evil.example", run=7)
    assert dns.add("evil.example", run=8)["__divert_state__"] == "already"
    assert dns.remove("evil.example", run=8) == "false"
    with pytest.raises(ActionError) as caught:
        dns.add("evil.example", run=9, sinkhole=("192.0.2.99",))
    assert caught.value.code == "CONFLICT"
    assert dns.asks("evil.example") == (0, [SINKHOLE[0]])
    assert dns.remove("evil.example", run=8, force=True) == "true"
    assert dns.asks("evil.example")[1] == []


def test_what_the_server_does_not_take_is_taken_back(dns: Dns) -> None:
    (dns.folder / "conf.d" / "other.conf").write_text("this is no configuration\n")
    with pytest.raises(ActionError, match="broken before"):
        dns.add("evil.example")
    (dns.folder / "conf.d" / "other.conf").unlink()
    good = dns.commands
    dns.commands = DnsServer(good.folder, ("sh", "-c", f"! ls {good.folder}/liandun-*"), good.reload)
    with pytest.raises(ActionError, match="as before"):
        dns.add("evil.example")
    dns.commands = DnsServer(good.folder, good.check, ("false",))
    with pytest.raises(ActionError, match="as before"):
        dns.add("evil.example")
    assert dns.files() == []
    dns.commands = good
    dns.add("evil.example")
    dns.commands = DnsServer(good.folder, good.check, ("false",))
    with pytest.raises(ActionError, match="as before"):
        dns.remove("evil.example")
    assert dns.files() == ["liandun-evil.example.conf"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("com", "COMMAND_WRONG"),
        ("gov.cn", "NOT_ALLOWED"),
        ("city.gov.cn", "NOT_ALLOWED"),
        ("mail.city.gov.cn", "NOT_ALLOWED"),
        ("10.0.0.1", "COMMAND_WRONG"),
        ("a/b.example", "COMMAND_WRONG"),
        ("../../etc/passwd.example", "COMMAND_WRONG"),
        ("evil.example/\naddress=/#/10.0.0.1", "COMMAND_WRONG"),
        ('evil.example" redirect', "COMMAND_WRONG"),
        ("$(id).example", "COMMAND_WRONG"),
        ("-evil.example", "COMMAND_WRONG"),
        ("*", "COMMAND_WRONG"),
        ("#", "COMMAND_WRONG"),
    ],
)
def test_names_that_are_never_diverted(name: str, code: str) -> None:
    request = Request(
        key="7.1",
        step_id="action--1",
        command=Command(type="liandun-sinkhole-add", more={"parameters": {"domain": name, "reason": "x"}}),
        target_id="ssh--1",
        target=None,
    )
    with pytest.raises(ActionError) as caught:
        system(Settings(protected_domains=("City.gov.cn.",)))["liandun-sinkhole-add"].plan(request)
    assert caught.value.code == code


def test_a_name_in_chinese_letters_goes_as_dns_carries_it(dns: Dns) -> None:
    assert dns.add("恶意.example")["__diverted__"] == "xn--5bu4m.example"
    assert dns.asks("xn--5bu4m.example") == (0, [SINKHOLE[0]])
