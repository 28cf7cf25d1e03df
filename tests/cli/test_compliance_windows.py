"""``compliance probe`` on Windows hosts: exported files, and WinRM against a service with real TLS and NTLM (windows_host.py)."""

from __future__ import annotations

import json
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.compliance import command
from cli.compliance_winrm import windows_host, with_port
from cli.playbook_secrets import secret_group
from compliance.probes.reading import windows_script
from compliance.probes.registry import of_source
from compliance.probes.run import run
from kernel.config import Config
from kernel.config.playbooks import Playbooks
from kernel.layout import Layout
from kernel.programs.ssh_host import SshHost, read_host
from playbooks.actions.contract import Destination
from tests.compliance.probes import windows_hosts
from tests.playbooks.actions.windows_host import DOMAIN, PASSWORD, USER, Authority, WindowsHost, user_file
from tests.state_database import migrated

LOGIN = f"{DOMAIN}\\{USER}"


def test_a_folder_and_a_zip(tmp_path: Path) -> None:
    hard, weak = windows_hosts.hard(tmp_path / "hard"), windows_hosts.weak(tmp_path / "weak")
    with zipfile.ZipFile(tmp_path / "weak.zip", "w") as archive:
        for one in weak.iterdir():
            archive.write(one, one.name)
    good = CliRunner().invoke(command, ["probe", "--windows-export", str(hard)])
    assert good.exit_code == 0, good.output
    both = CliRunner().invoke(
        command, ["probe", "--windows-export", str(hard), "--windows-export", str(tmp_path / "weak.zip"), "--format", "json"]
    )
    assert both.exit_code == 1
    outcomes = {(one["target"], one["outcome"]) for one in json.loads(both.stdout)}
    assert {("hard", "met"), ("weak.zip", "not_met")} <= outcomes
    found = CliRunner().invoke(command, ["probe", "--windows-export", str(weak), "--format", "findings", "--object", "3"])
    assert {one["item_id"] for one in json.loads(found.stdout)} >= {"8.1.4.1.a", "8.1.4.3.a", "8.1.4.10.b"}


def test_the_script_is_printed_as_it_is() -> None:
    assert CliRunner().invoke(command, ["windows-script"]).stdout_bytes == windows_script.FILE.read_bytes()


def test_wrong_usage() -> None:
    told = CliRunner().invoke(command, ["probe", "--winrm", "host"])
    assert (told.exit_code, "--windows-user" in told.output) == (2, True)


@pytest.mark.parametrize(
    ("text", "host"),
    [("a.example.cn", SshHost("a.example.cn", 5986)), ("10.0.0.1:443", SshHost("10.0.0.1", 443)),
     ("2001:db8::1", SshHost("2001:db8::1", 5986)), ("[2001:db8::1]:99", SshHost("2001:db8::1", 99)),
     ("[2001:db8::1]", SshHost("2001:db8::1", 5986))],
)  # fmt: skip
def test_the_port_of_winrm_where_none_is_said(text: str, host: SshHost) -> None:
    assert read_host(with_port(text)) == host


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def service(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WindowsHost]:
    """In place of PowerShell it runs sh: the script is one with the same marks that prints what the hardened host would."""
    monkeypatch.setenv("NTLM_USER_FILE", str(user_file(tmp_path)))
    lines = ['# -- begin\nprintf \'{"liandun":"windows-export"\'\n']
    whole = json.loads(windows_hosts.answer(windows_hosts.HARD))
    whole["products"] = {"problem": "Invalid namespace"}
    for name in windows_script.parts():
        said = tmp_path / f"{name}.part"
        said.write_text(f',"{name}":{json.dumps(whole.get(name, {"problem": "access denied"}))}')
        lines.append(f"# -- part {name}\ncat '{said}'\n# {'x' * 5_000}\n: {'x' * 1_200}\n")
    stand_in = tmp_path / "export.sh"
    stand_in.write_text("".join([*lines, "# -- end\nprintf '}'\n"]))
    monkeypatch.setattr(windows_script, "FILE", stand_in)
    made = WindowsHost(authority.certificate("localhost", "127.0.0.1"))
    yield made
    made.close()


def _config(authority: Authority, *networks: str) -> Config:
    return Config(playbooks=Playbooks(windows_ca=authority.file, allowed_networks=list(networks)))


def test_a_host_by_winrm(service: WindowsHost, authority: Authority) -> None:
    asked: list[tuple[str, list[Destination]]] = []

    def secret(name: str, places: Sequence[Destination] | None) -> str:
        asked.append((name, list(places or ())))
        return PASSWORD

    target = windows_host(SshHost("localhost", service.port), LOGIN, "win", _config(authority, "127.0.0.0/8"), secret)
    found = {one.probe: one for one in run([target], of_source("windows"), seconds=60)}
    assert found["windows.firewall.default_deny"].outcome == "met", found["windows.firewall.default_deny"].reason
    assert found["windows.patch_level.updates"].outcome == "met"
    assert (found["windows.audit.policy"].outcome, "access denied" in found["windows.audit.policy"].reason) == ("error", True)
    assert asked[0] == ("win", [Destination("localhost", service.port)])
    assert len(service.opened) > 3, "as many scripts as it takes"
    assert service.shells == {}, "all are closed"
    assert PASSWORD not in "".join(one.evidence + one.reason for one in found.values())


def test_the_command_with_a_configuration_and_a_secret(
    service: WindowsHost, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(tmp_path / "data").create()
    database = migrated(layout.state_url)
    database.close()
    configured = tmp_path / "liandun.toml"
    configured.write_text(f'[playbooks]\nwindows_ca = "{authority.file}"\nallowed_networks = ["127.0.0.0/8"]\n')
    monkeypatch.setenv("LIANDUN_DATA", str(layout.root))
    monkeypatch.setenv("LIANDUN_CONFIG", str(configured))
    for name, host in (("right", f"localhost:{service.port}"), ("other", "win-2.example.cn")):
        kept = CliRunner().invoke(secret_group, ["set", name, "--host", host], input=PASSWORD)
        assert kept.exit_code == 0, kept.output
    words = ["probe", "--winrm", f"localhost:{service.port}", "--windows-user", LOGIN, "--probe", "windows.firewall"]
    told = CliRunner().invoke(command, [*words, "--windows-secret", "right", "--lang", "en"])
    assert told.exit_code == 0, told.output
    assert "met: the firewall is on in each profile" in told.stdout
    refused = CliRunner().invoke(command, [*words, "--windows-secret", "other", "--lang", "en"])
    assert (refused.exit_code, PASSWORD in refused.output) == (1, False)
    assert "other" in refused.stdout


def test_a_host_outside_of_the_networks_is_not_reached(service: WindowsHost, authority: Authority) -> None:
    target = windows_host(SshHost("localhost", service.port), LOGIN, "win", _config(authority), lambda name, places: PASSWORD)
    found = list(run([target], of_source("windows"), seconds=20))
    assert {one.outcome for one in found} == {"error"}
    assert "no network" in found[0].reason
    assert service.actions == []


def test_a_run_that_is_called_off_ends_what_runs_there(service: WindowsHost, authority: Authority) -> None:
    windows_script.FILE.write_text("# -- begin\n# -- part system\nsleep 73.25\n# -- end\n:\n")
    target = windows_host(
        SshHost("localhost", service.port), LOGIN, "win", _config(authority, "127.0.0.0/8"), lambda name, places: PASSWORD
    )
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    found = list(run([target], of_source("windows"), seconds=60, stop=stop))
    assert {one.outcome for one in found} == {"error"}
    assert time.monotonic() - began < 15
    assert [shell.process.poll() is not None for shell in service.opened if shell.process] == [True]


def test_a_host_that_refuses_the_script(service: WindowsHost, authority: Authority) -> None:
    windows_script.FILE.write_text("# -- begin\n# -- part system\necho no >&2; exit 3\n# -- part audit\necho x\n# -- end\n:\n")
    target = windows_host(
        SshHost("localhost", service.port), LOGIN, "win", _config(authority, "127.0.0.0/8"), lambda name, places: PASSWORD
    )
    found = list(run([target], of_source("windows"), seconds=20))
    assert {one.outcome for one in found} == {"error"}
    assert "PowerShell ended with 3: no" in found[0].reason
