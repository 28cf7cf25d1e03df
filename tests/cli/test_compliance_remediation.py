"""``./liandun compliance findings|waivers|documents`` as people call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from cli.compliance import command
from cli.compliance_systems import find, opened
from kernel.errors import LiandunError


class Said(NamedTuple):
    """What a command said."""

    returncode: int
    stdout: str
    stderr: str


def run(*words: str) -> Said:
    """In this process. Exit code 1 with the message where a command refuses."""
    try:
        done = CliRunner().invoke(command, list(words), catch_exceptions=False, standalone_mode=False)
    except LiandunError as error:
        return Said(1, "", str(error))
    return Said(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """A platform with a system that has one weak verdict."""
    folder, given, findings = str(tmp_path / "data"), tmp_path / "systems.json", tmp_path / "findings.json"
    given.write_text(json.dumps([{"name": "供水调度", "level": "S3A3"}]))
    assert run("systems", "--add", str(given), "--data", folder).returncode == 0
    findings.write_text(json.dumps([{"item_id": "8.1.4.1.a", "object_id": None, "verdict": "not_met", "reason": "probe"}]))
    assert run("assess", "1", "--findings", str(findings), "--data", folder).returncode == 0
    return folder


def test_findings_and_waivers(data: str) -> None:
    (found,) = json.loads(run("findings", "list", "供水调度", "--json", "--data", data).stdout)
    assert (found["item"], found["state"], found["verdict"]) == ("8.1.4.1.a", "open", "not_met")
    number = str(found["id"])
    first = json.loads(run("findings", "assign", number, "--note", "整改", "--json", "--data", data).stdout)
    again = json.loads(run("findings", "assign", number, "--json", "--data", data).stdout)
    assert first["ticket_id"] == again["ticket_id"]
    table = run("findings", "progress", "1", "--months", "2", "--data", data)
    assert (table.returncode, "1 assigned" in table.stderr) == (0, True)
    asked = run(
        "waivers", "ask", number, "--reason", "年底更换", "--measure", "堡垒机", "--until", "2020-01-01T00:00:00Z", "--data", data
    )
    assert (asked.returncode, "within a year" in asked.stderr) == (1, True)


def test_nobody_decides_alone(data: str) -> None:
    run("findings", "list", "1", "--data", data)
    (found,) = json.loads(run("findings", "list", "1", "--json", "--data", data).stdout)
    until = found["opened_at"].replace(found["opened_at"][:4], str(int(found["opened_at"][:4]) + 1), 1)
    words = ("--reason", "年底更换", "--measure", "堡垒机", "--until", until[:10] + "T00:00:00Z", "--json", "--data", data)
    asked = json.loads(run("waivers", "ask", str(found["id"]), *words).stdout)
    told = run("waivers", "list", "1", "--data", data)
    assert f"{until[:10]} 08:00" in told.stdout, "midnight of UTC as the pages show it, in Shanghai"
    alone = run("waivers", "decide", str(asked["id"]), "--approve", "--data", data)
    assert (alone.returncode, "does not decide" in alone.stderr) == (1, True)
    (left,) = json.loads(run("waivers", "list", "1", "--json", "--data", data).stdout)
    assert left["state"] == "asked"


def test_documents(data: str, tmp_path: Path) -> None:
    made = run("documents", "add", "安全管理制度", "--owner", "张三", "--item", "8.1.6.1", "--json", "--data", data)
    assert json.loads(made.stdout)["id"] == 1
    file = tmp_path / "制度.txt"
    file.write_text("第一章 总则\n", "utf-8")
    added = json.loads(run("documents", "edition", "1", str(file), "--label", "V1", "--json", "--data", data).stdout)
    assert (added["number"], added["media"], added["state"]) == (1, "txt", "draft")
    alone = run("documents", "act", "1", "1", "approve", "--data", data)
    assert (alone.returncode, "another person" in alone.stderr) == (1, True)
    target = tmp_path / "copy.txt"
    assert run("documents", "open", "1", "1", str(target), "--data", data).returncode == 0
    assert target.read_bytes() == file.read_bytes()
    assert run("documents", "open", "1", "1", str(target), "--data", data).returncode == 1
    assert "in order" in run("documents", "show", "1", "--data", data).stdout
    told = run("documents", "lacking", "1", "--data", data)
    assert (told.returncode, "115 of 115 management items" in told.stderr) == (0, True)
    (listed,) = json.loads(run("documents", "list", "--item", "8.1.6.1", "--json", "--data", data).stdout)
    assert listed["title"] == "安全管理制度"


def test_a_waiver_is_answered_in_the_zone_that_the_pages_show(data: str) -> None:
    run("findings", "list", "1", "--data", data)
    (found,) = json.loads(run("findings", "list", "1", "--json", "--data", data).stdout)
    until = f"{int(found['opened_at'][:4]) + 1}-01-02"
    words = ("--reason", "年底更换", "--measure", "堡垒机", "--until", f"{until}T00:00:00+08:00", "--data", data)
    assert f"until {until} 00:00 (UTC+8)" in run("waivers", "ask", str(found["id"]), *words).stdout


def test_a_system_is_found_by_any_name(data: str, tmp_path: Path) -> None:
    given = tmp_path / "more.json"
    names = ("ＳＣＡＤＡ系统", "ÄB", "2026", "1")
    given.write_text(json.dumps([{"name": name, "level": "S3A3"} for name in names]))
    assert run("systems", "--add", str(given), "--data", data).returncode == 0
    with opened(Path(data)) as database:
        assert [find(database, name) for name in (*names, "供水调度", "2")] == [2, 3, 4, 5, 1, 2], "a name comes before a number"
        with pytest.raises(LiandunError, match="no system"):
            find(database, "äb")
