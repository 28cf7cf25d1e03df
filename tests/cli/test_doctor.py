"""cli/doctor.py on this machine, and on one that lacks things."""

from __future__ import annotations

import json
import os
import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import doctor
from crypto import selftest
from crypto.certificates import SERVER, issue, make_root, name
from crypto.channel.tlcp import library
from crypto.sm2 import PrivateKey


def _findings(*arguments: str) -> dict[str, dict[str, str]]:
    result = CliRunner().invoke(doctor.command, ["--json", *arguments])
    lines = [json.loads(line) for line in result.output.splitlines()]
    return {line["check"]: line for line in lines}


def test_every_check_reports_in_both_forms() -> None:
    found = _findings()
    assert set(found) >= {
        "config",
        "python",
        "suricata",
        "capture",
        "yara",
        "tshark",
        "sm3",
        "crypto",
        "links",
        "tlcp",
        "tcp-info",
        "disk",
        "console",
    }
    assert found["sm3"]["state"] == found["tcp-info"]["state"] == found["yara"]["state"] == "ok"
    text = CliRunner().invoke(doctor.command, []).output
    assert all(check in text for check in found)


def test_what_is_missing_comes_with_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_a, **_k: None)
    found = _findings()
    assert found["suricata"]["state"] == "warn"
    assert "apt install suricata" in found["suricata"]["hint"]
    assert found["tshark"]["hint"] == "apt install tshark"
    shown = CliRunner().invoke(doctor.command, [])
    assert shown.exit_code == 0
    assert "warning  suricata" in shown.output
    assert "→ " + found["suricata"]["hint"] in shown.output


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("LIANDUN_CONSOLE_PORT", str(port))
        found = _findings()
    assert found["console"]["state"] == "warn"
    assert f"port {port}/tcp on 127.0.0.1: Address already in use" in found["console"]["detail"]


def test_a_data_directory_that_cannot_be_written_makes_it_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = [tmp_path / "file", tmp_path / "file" / "var", Path("/proc/var")]
    if os.geteuid():
        (tmp_path / "closed").mkdir(mode=0o500)
        places.append(tmp_path / "closed")
    for place in places:
        monkeypatch.setenv("LIANDUN_DATA", str(place))
        found = _findings()
        assert found["disk"]["state"] == "bad"
        assert f"{place} cannot be written: " in found["disk"]["detail"]
    monkeypatch.setenv("LIANDUN_DATA", str(tmp_path / "new" / "var"))
    assert _findings()["disk"]["state"] != "bad"
    assert not (tmp_path / "new").exists()


def test_a_wrong_configuration_makes_it_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANDUN_CONSOLE_PORT", "many")
    result = CliRunner().invoke(doctor.command, [])
    assert result.exit_code == 1
    assert "BAD      config" in result.output


def test_an_elasticsearch_that_is_away_makes_it_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANDUN_STORE_ENGINE", "elasticsearch")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("LIANDUN_STORE_ELASTICSEARCH_URLS", f"http://127.0.0.1:{port}")
    found = _findings()
    assert found["elasticsearch"]["state"] == "bad"
    assert f"http://127.0.0.1:{port} cannot be reached" in found["elasticsearch"]["detail"]
    assert CliRunner().invoke(doctor.command, []).exit_code == 1


def test_an_interface_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "liandun.toml"
    config.write_text('[[ingest.interface]]\nid = "mirror"\nname = "nosuch0"\n[[ingest.interface]]\nid = "local"\nname = "lo"\n')
    monkeypatch.setenv("LIANDUN_CONFIG", str(config))
    found = {finding.check: finding for finding in doctor.examine()}
    assert found["if mirror"].state == "bad"
    assert "there is no interface nosuch0" in found["if mirror"].detail
    assert found["if local"].state == "ok"


def test_the_crypto_self_test_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _findings()
    assert found["crypto"]["state"] == "ok"
    assert "second implementation agree" in found["crypto"]["detail"]
    assert found["links"]["state"] == "ok"
    broken = selftest.Finding("SM2", "libcrypto", "FAILED", "wrong answer")
    monkeypatch.setattr(selftest, "run", lambda: iter([broken]))
    found = _findings()
    assert (found["crypto"]["state"], "SM2 libcrypto: wrong answer" in found["crypto"]["detail"]) == ("bad", True)
    monkeypatch.setenv("LIANDUN_TONGSUO", "/nonexistent.so")
    library.cache_clear()
    try:
        assert _findings()["tlcp"]["state"] == "warn"
    finally:
        library.cache_clear()


def test_link_ports_and_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = make_root(name("Root"), PrivateKey.generate(), at=datetime.now(UTC) - timedelta(days=10))
    key = PrivateKey.generate()
    for stem, days in (("soon", 14), ("over", 1)):
        leaf = issue(root, name(stem), key.public, SERVER, days, at=datetime.now(UTC) - timedelta(days=9))
        (tmp_path / f"{stem}.crt").write_text(leaf.to_pem())
    (tmp_path / "ca.crt").write_text(root.certificate.to_pem())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        lines = [f'[links]\nkey = "x"\nca = "{tmp_path}/ca.crt"\n']
        for stem, port, suite in (("soon", taken.getsockname()[1], "domestic"), ("over", 47_113, "classic")):
            lines.append(
                f'[[links.listener]]\nid = "{stem}"\nkind = "https"\nhost = "127.0.0.1"\nport = {port}\nsuite = "{suite}"\n'
                f'certificate = "{tmp_path}/{stem}.crt"\n'
            )
        (tmp_path / "liandun.toml").write_text("".join(lines))
        monkeypatch.setenv("LIANDUN_CONFIG", str(tmp_path / "liandun.toml"))
        monkeypatch.setenv("LIANDUN_DATA", str(tmp_path / "data"))
        found = doctor.examine()
    ports = {one.check: one for one in found if one.check.startswith("link ")}
    assert (ports["link soon"].state, "Address already in use" in ports["link soon"].detail) == ("warn", True)
    assert (ports["link over"].state, "(classic)" in ports["link over"].detail) == ("ok", True)
    told = {one.detail.partition(" (")[0]: one for one in found if one.check == "certificate"}
    assert (told["Common Name: over"].state, told["Common Name: soon"].state) == ("bad", "warn")
    assert "within 7 day(s)" in told["Common Name: soon"].detail


def test_a_data_directory_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = doctor._disk(Path("/proc"))
    assert (finding.state, "cannot be written" in finding.detail) == ("bad", True)
