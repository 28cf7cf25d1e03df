"""``liandun compliance targets``: entered, run, opened; and the platform as a system of its own."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.compliance_self import SELF, set_up
from cli.demo_compliance import SECONDS, begin_with_self
from cli.roles.daily_probes import DailyProbes
from compliance.probing import service
from crypto.sm3 import sm3
from kernel.config import Config
from kernel.db import Database, open_database
from kernel.layout import Layout
from kernel.master_key import open_master_key
from operations import clock
from operations.accounts.schema import Principal
from tests.crypto.channel.authority import Authority
from tests.state_database import migrated

DEVICES = Path(__file__).parents[1] / "compliance" / "probes" / "devices"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    database = migrated(Layout(root).create().state_url)
    database.close()
    return root


@pytest.fixture
def database(data: Path) -> Iterator[Database]:
    opened = open_database(Layout(data).state_url)
    yield opened
    opened.close()


def call(data: Path, *arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["compliance", "targets", *arguments, "--data", str(data)])
    assert done.exit_code == code, done.output
    return done


def test_the_platform_enters_and_judges_itself(data: Path, tmp_path: Path) -> None:
    call(data, "self")
    assert "already" in call(data, "self").output
    listed = json.loads(call(data, "list", SELF, "--json").stdout)
    assert [one["way"] for one in listed] == ["platform", "platform", "platform", "local", "platform"]
    own = [one["id"] for one in listed if one["way"] == "platform"]
    done = json.loads(call(data, "run", *map(str, own), "--json").stdout)
    assert {one["error"] for one in done} == {""}
    assert sum(one["recorded"] for one in done) > 40
    evidence = done[0]["evidence"]
    call(data, "evidence", evidence, str(tmp_path / "read.json"))
    assert sm3((tmp_path / "read.json").read_bytes()).hex() == evidence
    assert (tmp_path / "read.json").stat().st_mode & 0o777 == 0o600
    call(data, "evidence", evidence, str(tmp_path / "read.json"), code=1)
    scored = CliRunner().invoke(main, ["compliance", "score", SELF, "--json", "--data", str(data)])
    assert json.loads(scored.stdout)["counts"]["met"] > 5
    assert "ok" in call(data, "list").stdout


def test_entering_by_hand_and_errors(data: Path) -> None:
    call(data, "self")
    made = json.loads(
        call(
            data, "add", SELF, "--way", "ssh", "--object", "4", "--place", "h1:2222", "--user", "audit", "--secret", "ops", "--json"
        ).stdout
    )
    number = str(made["id"])
    assert "no host may be reached" in call(data, "run", number, code=1).output
    assert "no host may be reached" in call(data, "list").stdout
    assert "paused" in call(data, "pause", number).output
    call(data, "resume", number)
    call(data, "remove", number)
    call(data, "run", number, code=1)
    call(data, "add", SELF, "--way", "tls", code=1)
    call(data, "add", "no such system", "--way", "local", code=1)


def test_files_by_a_place_and_brought(data: Path, tmp_path: Path) -> None:
    call(data, "self")
    drop = tmp_path / "drop"
    drop.mkdir()
    (data / "liandun.toml").write_text(f'[compliance]\nfolder = "{drop}"\n')
    path = Path(shutil.copy(DEVICES / "cisco-hard.cfg", drop / "sw-1.cfg"))
    moment = time.time() - 3_600
    os.utime(path, (moment, moment))
    placed = json.loads(call(data, "add", SELF, "--way", "cisco-config", "--place", "sw-*.cfg", "--json").stdout)["id"]
    weak = str(DEVICES / "cisco-weak.cfg")
    brought = json.loads(call(data, "add", SELF, "--way", "cisco-config", "--upload", weak, "--json").stdout)["id"]
    done = json.loads(call(data, "run", str(placed), str(brought), "--json").stdout)
    assert [(one["error"], one["recorded"] > 0) for one in done] == [("", True), ("", True)]
    assert "cisco-hard.cfg" in call(data, "bring", str(brought), str(DEVICES / "cisco-hard.cfg")).stdout
    call(data, "bring", str(placed), weak, code=1)
    call(data, "add", SELF, "--way", "cisco-config", "--place", "../sw.cfg", code=1)


def test_an_endpoint_of_an_authority_of_ones_own(data: Path, tmp_path: Path) -> None:
    call(data, "self")
    authority = tmp_path / "ca.pem"
    authority.write_text("no certificate")
    add = ("add", SELF, "--way", "tls", "--place", "gw.example.cn:443", "--ca-file", str(authority))
    call(data, *add, code=1)
    made = Authority(tmp_path / "authority").certificate.read_text()
    authority.write_text("Our own root:\n" + made + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    told = json.loads(call(data, *add, "--json").stdout)["ca"]
    assert told == made, "the certificate alone"


def test_the_scheduler_looks_daily_and_tells_what_failed(data: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config()
    config.platform.data_dir = data
    begin_with_self(database)
    probes = DailyProbes(database, config, open_master_key(config))
    probes()
    with database.write() as session:
        found = service.targets(session)
        assert {one.run_at for one in found} == {""}, "not while the demo starts"
        for one in found:
            if one.way == "local":
                service.remove(session, Principal(0, "x", "", "secadmin"), one.id)
        draft = service.TargetDraft(found[0].system_id, 0, "tls", "127.0.0.1:1")
        service.add(session, Principal(0, "x", "", "secadmin"), draft)
    soon = clock.shift(clock.now(), SECONDS + 1)
    monkeypatch.setattr(clock, "now", lambda: soon)
    probes()
    with database.read() as session:
        outcomes = {one.shown: (bool(one.read_at), bool(one.error)) for one in service.targets(session)}
    assert outcomes == {"platform": (True, False), "tls 127.0.0.1:1": (False, True)}
    assert "tls 127.0.0.1:1" in probes.problem
    assert "does not answer" in probes.problem


def test_entered_once(database: Database) -> None:
    who = Principal(0, "x", "", "secadmin")
    assert set_up(database, who)
    assert not set_up(database, who)
