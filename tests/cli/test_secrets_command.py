"""``liandun secrets`` as its own process: SoftHSM2 and a compiled SDF device keep the key, it is killed, two run at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from crypto.sm2 import PrivateKey
from tests.key_devices import SoftHsm, build_sdf, make_softhsm
from tests.operations.secrets.conftest import City, build_city

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Host:
    """A data directory, its configuration, and the environment of commands."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)

    def configure(self, text: str) -> None:
        self.data.mkdir(exist_ok=True)
        (self.data / "liandun.toml").write_text(text, "utf-8")

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        ours = {"PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(self.data)}
        line = [sys.executable, "-m", "cli", *map(str, words)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(line, env={**os.environ, **ours, **self.environment}, cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload,no-any-return]

    def run(self, *words: str | Path, code: int = 0) -> str:
        """Standard output and error. The exit code is as told."""
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, out + err
        return out + err

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("secrets", "status", "--json"))
        return found


@pytest.fixture
def hsm(tmp_path: Path) -> SoftHsm:
    made = make_softhsm(tmp_path / "hsm")
    made.add_token("liandun")
    return made


def token_config(hsm: SoftHsm, folder: Path, keeper: str = "pkcs11") -> str:
    pin = folder / "pin"
    pin.write_text(hsm.pin + "\n")
    pin.chmod(0o600)
    return f'[secrets]\nkeeper = "{keeper}"\n[secrets.pkcs11]\nmodule = "{hsm.module}"\npin_file = "{pin}"\n'


@pytest.mark.slow
def test_a_platform_whose_key_was_born_in_a_token(hsm: SoftHsm, tmp_path: Path) -> None:
    host = Host(tmp_path / "data", hsm.environment)
    host.configure(token_config(hsm, tmp_path))
    host.run("crypto", "ca", "init", "-o", "City")
    kept = json.loads((host.data / "secret" / "master.key").read_text())["generations"]
    assert [(one["number"], one["keeper"]) for one in kept] == [(1, "pkcs11")]
    status = host.status()
    assert (status["state"], status["keeper"]) == ("ok", "pkcs11")
    assert status["generations"][0]["sealed"] == 2
    assert "generation 2 of the master key made: 2 secrets sealed again" in host.run("secrets", "rotate")
    assert [one["number"] for one in host.status()["generations"]] == [2]
    assert "BEGIN X509 CRL" in host.run("crypto", "ca", "crl")
    doctor = {one["check"]: one for one in map(json.loads, host.run("doctor", "--json").splitlines())}
    assert doctor["master-key"]["state"] == "ok"
    assert "PKCS#11 token 'liandun' (SoftHSM project SoftHSM v2)" in doctor["master-key"]["detail"]
    assert "master key: pkcs11: generation 2" in host.run("crypto", "selftest")
    told = host.run("audit", "verify")
    assert "in order" in told


@pytest.mark.slow
def test_what_is_told_when_the_token_does_not_open(hsm: SoftHsm, tmp_path: Path) -> None:
    host = Host(tmp_path / "data", dict(hsm.environment))
    host.configure(token_config(hsm, tmp_path))
    host.run("crypto", "ca", "init", "-o", "City")
    pin, key = tmp_path / "pin", host.data / "secret" / "master.key"

    pin.write_text("00000000")
    told = host.run("crypto", "ca", "crl", code=1)
    assert "refuses the PIN" in told
    assert "00000000" not in told
    pin.chmod(0o644)
    assert "chmod 600" in host.run("crypto", "ca", "crl", code=1)
    pin.unlink()
    assert "PIN cannot be read" in host.run("crypto", "ca", "crl", code=1)
    host.environment["LIANDUN_SECRETS_PKCS11_PIN"] = hsm.pin
    assert "BEGIN X509 CRL" in host.run("crypto", "ca", "crl")
    del host.environment["LIANDUN_SECRETS_PKCS11_PIN"]

    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "liandun-pin").write_text(hsm.pin + "\n")
    host.configure((host.data / "liandun.toml").read_text() + 'pin_credential = "liandun-pin"\n')
    assert "no systemd credentials" in host.run("crypto", "ca", "crl", code=1)
    host.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
    assert "BEGIN X509 CRL" in host.run("crypto", "ca", "crl")

    empty = make_softhsm(tmp_path / "empty")
    host.environment["SOFTHSM2_CONF"] = str(empty.conf)
    assert "no token labelled 'liandun'" in host.run("crypto", "ca", "crl", code=1)
    assert host.status()["state"] == "bad"
    assert "BAD" in host.run("doctor", code=1)
    empty.add_token("liandun")
    assert "has no AES key" in host.run("crypto", "ca", "crl", code=1)
    assert "has no AES key" in host.run("secrets", "rotate", code=1)
    host.environment["SOFTHSM2_CONF"] = str(hsm.conf)

    content = json.loads(key.read_text())
    kept = content["generations"][0]["kept"]
    flipped = "B" if kept[20] == "A" else "A"
    content["generations"][0]["kept"] = kept[:20] + flipped + kept[21:]
    key.write_text(json.dumps(content))
    assert "it was changed" in host.run("crypto", "ca", "crl", code=1)
    host.configure(f'[secrets]\nkeeper = "pkcs11"\n[secrets.pkcs11]\nmodule = "{hsm.module}"\npin = "{hsm.pin}"\n')
    told = host.run("secrets", "status", code=1)
    assert "liandun.toml:5: secrets.pkcs11.pin: no PIN in this file" in told
    assert hsm.pin not in told


@pytest.mark.slow
def test_moved_into_a_token_into_a_device_and_back(hsm: SoftHsm, tmp_path: Path) -> None:
    device = build_sdf(tmp_path)
    host = Host(tmp_path / "data", hsm.environment | device.environment)
    host.run("crypto", "ca", "init", "-o", "City")
    key = host.data / "secret" / "master.key"
    plain = json.loads(key.read_text())["generations"][0]["kept"]
    assert "pkcs11, which is not configured" in host.run("secrets", "move", "--to", "pkcs11", code=1)
    host.configure(token_config(hsm, tmp_path) + f'[secrets.sdf]\nlibrary = "{device.library}"\n')
    assert "secrets move --to pkcs11" in host.status()["hint"]
    for keeper in ("pkcs11", "sdf", "file"):
        told = host.run("secrets", "move", "--to", keeper)
        assert f"generation 1 of the master key is kept by {keeper}" in told
        assert (plain in key.read_text()) == (keeper == "file")
        assert key.stat().st_mode & 0o777 == 0o600
        assert "BEGIN X509 CRL" in host.run("crypto", "ca", "crl")
    assert "LEAK" not in device.calls()
    (device.folder / "kek1").unlink()
    assert "there is no such key" in host.run("secrets", "move", "--to", "sdf", code=1)
    assert host.status()["generations"][0]["keeper"] == "file"


@pytest.mark.slow
def test_backups_of_a_wrapped_key(hsm: SoftHsm, tmp_path: Path) -> None:
    host = Host(tmp_path / "data", hsm.environment)
    host.configure(token_config(hsm, tmp_path))
    officer = PrivateKey.generate()
    (tmp_path / "officer.key").write_text(officer.to_pem())
    (tmp_path / "officer.pub").write_text(officer.public.to_pem())
    host.run("crypto", "ca", "init", "-o", "City")
    to, private = ("--to", tmp_path / "officer.pub"), ("-k", tmp_path / "officer.key")
    config = ("--config", host.data / "liandun.toml")
    assert "opens only with the pkcs11" in host.run("backup", "create", tmp_path / "a", "--keys", tmp_path / "ak", *to, *config)
    host.run("secrets", "rotate")
    told = host.run("backup", "create", tmp_path / "b", "--keys", tmp_path / "bk", *to, "--portable")
    assert "opens only" not in told

    with_token = Host(tmp_path / "one", hsm.environment)
    with_token.run("backup", "restore", tmp_path / "a", "--keys", tmp_path / "ak", *private)
    assert "BEGIN X509 CRL" in with_token.run("crypto", "ca", "crl")
    assert with_token.status()["keeper"] == "pkcs11"

    without = Host(tmp_path / "two")
    told = without.run("backup", "restore", tmp_path / "b", "--keys", tmp_path / "ak", *private, code=1)
    assert "needs generation 2 of the master key, the key file has 1" in told
    assert not (without.data / "state.db").exists()
    without.run("backup", "restore", tmp_path / "b", "--keys", tmp_path / "bk", *private)
    assert "BEGIN X509 CRL" in without.run("crypto", "ca", "crl")
    assert without.status()["keeper"] == "file"


@pytest.fixture
def city(tmp_path: Path) -> City:
    """So much that a rotation takes a moment."""
    return build_city(tmp_path / "data", factors=3000, webhook_count=20)


@pytest.mark.slow
def test_killed_while_it_works_and_run_again(city: City) -> None:
    host, running, dice = Host(city.layout.root), city.key(), random.Random(7)
    caught = 0
    for _ in range(6):
        process = host.start("secrets", "rotate")
        first = city.file().mark()
        while city.file().mark() == first and process.poll() is None:
            time.sleep(0.002)  # the new generation is there: now it seals again
        time.sleep(dice.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        caught += len(city.file().read().generations) == 2
        assert city.open_all(city.key()) == city.open_all(running) == city.wanted
        if len(city.file().read().generations) == 2:
            assert host.status()["hint"].startswith("a rotation is not finished")
    assert caught > 0, "no kill fell into the work"
    host.run("secrets", "rotate")
    assert city.open_all(city.key()) == city.open_all(running) == city.wanted
    assert len(city.file().read().generations) == len(city.generations()) == 1


@pytest.mark.slow
def test_two_commands_at_once(city: City) -> None:
    host = Host(city.layout.root)
    both = [host.start("secrets", "rotate") for _ in range(2)]
    told = [process.communicate(timeout=120) for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1]), told
    if codes == [0, 1]:
        assert any("another command is changing the master key" in err for _, err in told)
    assert city.open_all(city.key()) == city.wanted
    assert len(city.file().read().generations) == len(city.generations()) == 1


def test_where_no_platform_is(tmp_path: Path) -> None:
    told = Host(tmp_path / "nothing").run("secrets", "rotate", code=1)
    assert "there is no platform in this data directory" in told
