"""``liandun compliance targets``: entered, run, opened; and the platform as a system of its own."""

from __future__ import annotations

import json
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
from tests.state_database import migrated


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
