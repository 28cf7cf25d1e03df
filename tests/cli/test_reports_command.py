"""``liandun reports`` as a person uses it: made, listed, verified, exported; a changed report is told with what is broken."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from cli.__main__ import main, run
from kernel.db import open_database
from kernel.errors import LiandunError
from kernel.layout import Layout
from operations.audit.models import AuditEntry
from operations.reports.models import OperationsReport


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a platform that has been started once."""
    folder = tmp_path / "data"
    done = CliRunner().invoke(main, ["crypto", "ca", "init", "-o", "City", "--data", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder


def _run(data: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["reports", *map(str, arguments), "--data", str(data)], catch_exceptions=False)


def test_made_listed_verified_and_exported(data: Path, tmp_path: Path) -> None:
    made = _run(data, "make", "daily", "2026-01-02", "--json")
    assert made.exit_code == 0, made.output
    record = json.loads(made.stdout)
    assert (record["kind"], record["period"], record["origin"], record["language"]) == ("daily", "2026-01-02", "demand", "zh")
    assert record["issued_by"].startswith("cli:")
    assert "report 2: weekly, 2025-12-29 – 2026-01-04, the city" in _run(data, "make", "weekly", "2026-01-02").stdout
    assert "report 3: monthly" in _run(data, "make", "monthly").stdout
    assert [one["id"] for one in json.loads(_run(data, "list", "--json").stdout)] == [3, 2, 1]
    assert json.loads(_run(data, "list", "--kind", "daily", "--json").stdout) == [record]
    assert json.loads(_run(data, "list", "--since", "2199-01-01", "--json").stdout) == []
    assert len(json.loads(_run(data, "list", "--since", "2020-01-01", "--json").stdout)) == 3
    assert "only the newest 2; there are more" in _run(data, "list", "--limit", "2").stdout
    assert "are what was issued" in _run(data, "verify", "1").stdout
    assert json.loads(_run(data, "verify", "1", "--json").stdout)["ok"]
    for name, magic in (("r.pdf", b"%PDF"), ("r.docx", b"PK"), ("R.XLSX", b"PK")):
        assert _run(data, "export", "1", tmp_path / name).exit_code == 0
        assert (tmp_path / name).read_bytes().startswith(magic)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert _run(data, "export", "1", tmp_path / "plain", "--format", "pdf").exit_code == 0
    database = open_database(Layout(data).state_url)
    with database.read() as session:
        acts = [one.action for one in session.query(AuditEntry).order_by(AuditEntry.id) if one.object_type == "report"]
    database.close()
    assert acts == ["report.make"] * 3 + ["report.read"] * 4


def test_a_changed_report_is_told_with_what_is_broken(data: Path, tmp_path: Path) -> None:
    assert _run(data, "make", "daily", "2026-01-02").exit_code == 0
    database = open_database(Layout(data).state_url)
    with database.write() as session:
        session.execute(update(OperationsReport).values(xlsx=b"PK other"))
    database.close()
    found = _run(data, "verify", "1")
    assert found.exit_code == 1
    assert "report 1 is not what was issued: signature, xlsx" in found.output
    told = _run(data, "verify", "1", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout.splitlines()[0])["broken"] == ["signature", "xlsx"]
    with pytest.raises(LiandunError, match="its SM3 differs"):
        _run(data, "export", "1", tmp_path / "r.xlsx")
    assert not (tmp_path / "r.xlsx").exists()


def test_mistakes_are_told_in_one_line(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there.pdf").write_bytes(b"mine")
    here, nowhere = ("--data", str(data)), ("--data", str(tmp_path / "nowhere"))
    for arguments, code, text in (
        (("verify", "7", *here), 1, "there is no report 7"),
        (("export", "7", str(tmp_path / "new.pdf"), *here), 1, "there is no report 7"),
        (("export", "7", str(tmp_path / "there.pdf"), *here), 1, "exists and is not overwritten"),
        (("export", "7", str(tmp_path / "r.exe"), *here), 1, "names no form of a report"),
        (("make", "daily", "2199-01-01", *here), 1, "has not begun"),
        (("make", "daily", "2026-01-02", "--for", "nobody", *here), 1, "is no organisation of yours"),
        (("list", *nowhere), 1, "there is no platform"),
        (("make", "hourly", *here), 2, "'hourly' is not one of"),
        (("make", "daily", "yesterday", *here), 2, "'yesterday'"),
        (("verify", "0", *here), 2, "0 is not in the range"),
    ):  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["liandun", "reports", *arguments])
        assert run() == code, arguments
        told = capfd.readouterr().err
        assert text in told, told
        assert "Traceback" not in told
    assert (tmp_path / "there.pdf").read_bytes() == b"mine"
    assert not (tmp_path / "new.pdf").exists()
    assert not (tmp_path / "nowhere").exists()
