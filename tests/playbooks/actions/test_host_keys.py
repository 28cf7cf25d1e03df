"""Host keys against a real sshd: shown, taken over by fingerprint, changed, revoked; IPv4, IPv6, other ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from kernel.db import open_database
from kernel.errors import LiandunError
from kernel.layout import Layout
from playbooks.actions import host_keys, known_hosts, ssh_host
from playbooks.actions.contract import ActionError, Context
from playbooks.actions.ssh_host import SshHost
from tests.playbooks.actions.ssh_server import SshServer
from tests.playbooks.actions.street import GATEWAY, SERVER, Street, available, street
from tests.state_database import migrated

needed = pytest.mark.skipif(not available("sshd", "ssh-keyscan"), reason="needs root, iproute2 and openssh-server")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def there() -> Iterator[Street]:
    with street() as made:
        yield made


@pytest.fixture(scope="module")
def server(there: Street, tmp_path_factory: pytest.TempPathFactory) -> SshServer:
    return SshServer(there, "gateway", GATEWAY[0], tmp_path_factory.mktemp("sshd"))


@pytest.fixture(scope="module")
def six(there: Street, tmp_path_factory: pytest.TempPathFactory) -> SshServer:
    return SshServer(there, "server", SERVER[1], tmp_path_factory.mktemp("sshd6"), port=2222)


class Platform:
    """A data directory whose configuration names a file of host keys."""

    def __init__(self, there: Street, folder: Path) -> None:
        self.there, self.layout, self.file = there, Layout(folder / "data").create(), folder / "known_hosts"
        (folder / "liandun.toml").write_text(
            f'[platform]\ndata_dir = "{self.layout.root}"\n[playbooks]\nknown_hosts = "{self.file}"\n'
        )
        self.config = folder / "liandun.toml"
        database = migrated(self.layout.state_url)
        database.close()

    def run(self, *words: str, code: int = 0) -> str:
        line = [sys.executable, "-m", "cli", "playbook", "host-keys", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_CONFIG": str(self.config)}
        with self.there.inside("platform"):
            ended = subprocess.run(line, capture_output=True, cwd=ROOT, env=environment, timeout=120)
        told = (ended.stdout + ended.stderr).decode()
        assert ended.returncode == code, told
        return told

    def trail(self) -> list[tuple[str, str]]:
        database = open_database(self.layout.state_url)
        try:
            with database.read() as session:
                query = "SELECT object_id, detail FROM audit_entries WHERE action = 'playbook.host_key' ORDER BY 1"
                return [(row[0], row[1]) for row in session.execute(text(query))]
        finally:
            database.close()


@pytest.fixture
def platform(there: Street, tmp_path: Path) -> Platform:
    return Platform(there, tmp_path)


def fingerprint(server: SshServer, key: str = "host") -> str:
    """As OpenSSH itself says it."""
    line = subprocess.run(["ssh-keygen", "-lf", server.folder / f"{key}.pub"], capture_output=True, text=True, check=True).stdout
    return line.split()[1]


@needed
def test_a_key_is_shown_taken_over_and_then_known(platform: Platform, server: SshServer) -> None:
    shown = platform.run(server.address)
    assert f"{fingerprint(server)}  ssh-ed25519  not known" in shown
    assert not platform.file.exists()
    assert "is written to" in platform.run(server.address, "--accept", fingerprint(server))
    kind, base64 = (server.folder / "host.pub").read_text().split()[:2]
    assert platform.file.read_text() == f"{server.address} {kind} {base64}\n"
    assert platform.file.stat().st_mode & 0o777 == 0o644
    assert "ssh-ed25519  known" in platform.run(server.address)
    assert "known already" in platform.run(server.address, "--accept", fingerprint(server))
    [(host, detail)] = platform.trail()
    assert host == server.address
    assert json.loads(detail) == {"kind": "ssh-ed25519", "fingerprint": fingerprint(server), "replaced": []}


@needed
def test_ipv6_and_another_port_have_the_form_that_ssh_looks_for(platform: Platform, six: SshServer, there: Street) -> None:
    host = f"[{six.address}]:2222"
    platform.file.write_text("# ours\nother.example ssh-ed25519 " + (six.folder / "other.pub").read_text().split()[1] + "\n")
    platform.run(host, "--accept", fingerprint(six))
    first, second, third = platform.file.read_text().splitlines()
    assert (first, second.split()[0]) == ("# ours", "other.example")
    assert third.startswith(f"{host} ssh-ed25519 ")
    with there.inside("platform"):
        known = ssh_host.known(six.party(), platform.file, Context(time.monotonic() + 20))
    assert known == [SshHost(six.address, 2222)]


@needed
def test_a_fingerprint_that_was_not_shown_writes_nothing(platform: Platform, server: SshServer) -> None:
    assert "does not show a key with this fingerprint" in platform.run(
        server.address, "--accept", fingerprint(server, "other"), code=1
    )
    assert "is no fingerprint" in platform.run(server.address, "--accept", "SHA256:abc", code=1)
    assert "shows no host key" in platform.run(f"{server.address}:23", code=1)
    assert not platform.file.exists()
    assert platform.trail() == []


@needed
def test_a_changed_key_is_told_and_only_replaced_on_demand(platform: Platform, server: SshServer) -> None:
    old = (server.folder / "other.pub").read_text().split()[1]
    platform.file.write_text(f"{server.address},gw.example ssh-ed25519 {old}\n")
    told = platform.run(server.address, code=1)
    assert f"CHANGED: known is {fingerprint(server, 'other')} (line 1)" in told
    assert "known by another" in platform.run(server.address, "--accept", fingerprint(server), code=1)
    assert old in platform.file.read_text()
    platform.run(server.address, "--accept", fingerprint(server), "--replace")
    first, second = platform.file.read_text().splitlines()
    assert first == f"gw.example ssh-ed25519 {old}"
    assert second.startswith(f"{server.address} ssh-ed25519 ")
    assert json.loads(platform.trail()[0][1])["replaced"] == [fingerprint(server, "other")]


@needed
def test_hashed_names_patterns_and_revoked_keys(platform: Platform, server: SshServer) -> None:
    mine, old = (((server.folder / f"{name}.pub").read_text().split()[1]) for name in ("host", "other"))
    platform.file.write_text(f"{server.address} ssh-ed25519 {old}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", platform.file], check=True, capture_output=True)
    assert platform.file.read_text().startswith("|1|")
    platform.run(server.address, "--accept", fingerprint(server), "--replace")
    assert platform.file.read_text() == f"{server.address} ssh-ed25519 {mine}\n"
    platform.file.write_text(f"10.9.0.* ssh-ed25519 {old}\n")
    assert "speaks of several hosts" in platform.run(server.address, "--accept", fingerprint(server), "--replace", code=1)
    platform.file.write_text(f"@revoked * ssh-ed25519 {mine}\n")
    assert "REVOKED" in platform.run(server.address, code=1)
    assert "is revoked" in platform.run(server.address, "--accept", fingerprint(server), code=1)
    assert platform.file.read_text() == f"@revoked * ssh-ed25519 {mine}\n"


@pytest.mark.parametrize(
    ("written", "entry"),
    [
        ("GW.example.cn", "gw.example.cn"),
        ("gw:22", "gw"),
        ("gw:2222", "[gw]:2222"),
        ("10.9.0.1:2222", "[10.9.0.1]:2222"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:DB8:0::7]", "2001:db8::7"),
        ("[2001:db8::7]:2222", "[2001:db8::7]:2222"),
    ],
)
def test_how_a_host_is_written(written: str, entry: str) -> None:
    assert ssh_host.written(written).entry() == entry


@pytest.mark.parametrize(
    "text_", ["", "-oProxyCommand=id", "a b", "gw:", "gw:0", "gw:70000", "[gw", "fe80::1%eth0", "10.9.0.999", "a;b"]
)
def test_what_is_no_host(text_: str) -> None:
    with pytest.raises(ActionError):
        print(ssh_host.written(text_))


def test_a_file_that_changed_since_it_was_looked_at_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIFkZbGBO1dXJ9kK1T9T4rRZ0Fq1pJ5mQ5E5uQm6m0m0m"
    file.write_text(f"a ssh-ed25519 {key}\n")
    [line] = known_hosts.lines(file)
    file.write_text(f"# more\na ssh-ed25519 {key}\n")
    with pytest.raises(LiandunError, match="changed meanwhile"):
        known_hosts.add(file, "a", line.key, [line])
    assert file.read_text() == f"# more\na ssh-ed25519 {key}\n"
    assert [one.name for one in tmp_path.iterdir()] == ["known_hosts"]
    assert host_keys.FINGERPRINT.fullmatch(line.key.fingerprint)
