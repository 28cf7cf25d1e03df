"""cli/serve.py: what ``./run`` understands before anything is started, and what the demo brings along."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from cli import demo, serve
from demo.city import NAME
from kernel.config import load_config
from kernel.db import open_database
from kernel.layout import Layout
from operations.warnings import service as warnings
from operations.warnings.models import WarningRow


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "1e9", "fast"])
def test_a_speed_that_is_none_is_refused_in_one_line(tmp_path: Path, speed: str) -> None:
    answer = CliRunner().invoke(serve.command, ["--demo", "--data", str(tmp_path / "data"), f"--speed={speed}"])
    assert answer.exit_code == 2
    line = answer.output.strip().splitlines()[-1]
    assert "--speed" in line
    assert speed in line or "0.01<=x<=100" in line
    assert not (tmp_path / "data").exists()


def test_the_stream_takes_the_same_speeds(tmp_path: Path) -> None:
    where = ["--syslog", "127.0.0.1:1", "--json", str(tmp_path / "j"), "--pcap-dir", str(tmp_path)]
    assert CliRunner().invoke(demo.command, ["stream", *where, "--speed=nan"]).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "written", "city"),
    [
        (["--demo"], "", NAME),
        ([], "", load_config(environ={}).platform.city),
        (["--demo"], '[platform]\ncity = "滨海市"\n', "滨海市"),
    ],
)
def test_the_demo_brings_its_city_unless_one_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], written: str, city: str
) -> None:
    for name in ("LIANDUN_DATA", "LIANDUN_CONFIG", "LIANDUN_PLATFORM_CITY", "LIANDUN_PLATFORM_DEMO"):
        monkeypatch.setenv(name, "")  # so that what the command sets is taken back
        monkeypatch.delenv(name)
    (tmp_path / "liandun.toml").write_text(written, "utf-8")
    seen: list[str] = []

    class NoSupervisor:
        def __init__(self, *_arguments: object) -> None:
            seen.append(load_config().platform.city)  # as a role reads it
            sys.exit(0)

    monkeypatch.setattr(serve, "Supervisor", NoSupervisor)
    CliRunner().invoke(serve.command, [*arguments, "--data", str(tmp_path)], catch_exceptions=False)
    assert seen == [city]


def test_the_demo_city_begins_with_warnings_of_its_own_and_makes_them_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "LIANDUN_DATA",
        "LIANDUN_CONFIG",
        "LIANDUN_PLATFORM_CITY",
        "LIANDUN_PLATFORM_DEMO",
        "LIANDUN_ACCOUNTS_SECOND_FACTOR",
    ):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    class Idle:
        def __init__(self, *_arguments: object) -> None: ...

        def run(self, _ready: object) -> None: ...

    monkeypatch.setattr(serve, "Supervisor", Idle)
    for _start in range(2):
        assert CliRunner().invoke(serve.command, ["--demo", "--data", str(tmp_path)], catch_exceptions=False).exit_code == 0
    database = open_database(Layout(tmp_path).state_url)
    with database.read() as session:
        assert session.execute(select(WarningRow.status).order_by(WarningRow.id)).scalars().all() == ["published", "submitted"]
        detail = warnings.detail(session, 1)
        assert detail.warning.level == "orange"
        assert {row.organisation: row.state for row in detail.receipts} == {"交通运输局": "waiting", "水务局": "done"}
    database.close()
