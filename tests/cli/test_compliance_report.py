"""``liandun compliance report|checklist|evidence`` as a person uses them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from cli.__main__ import main
from cli.acting import actor
from cli.data_directory import config_of, state_of
from compliance.assessment.record import record
from kernel.errors import LiandunError
from kernel.master_key import open_master_key
from operations.incidents import service as incidents
from operations.incidents.schema import NewIncident


def run(data: Path | None, *arguments: str | Path) -> Result:
    more = ["--data", str(data)] if data else []
    return CliRunner().invoke(main, ["compliance", *map(str, arguments), *more], catch_exceptions=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A platform with one system and one finding."""
    folder, given = tmp_path / "data", tmp_path / "systems.json"
    assert CliRunner().invoke(main, ["crypto", "ca", "init", "-o", "City", "--data", str(folder)]).exit_code == 0
    given.write_text(json.dumps([{"name": "供水调度", "level": "S3A3", "extensions": ["8.5"]}]))
    assert run(folder, "systems", "--add", given).exit_code == 0
    given.write_text(json.dumps([{"item_id": "8.1.1.2", "object_id": 0, "verdict": "not_met", "reason": "门锁坏"}]))
    assert run(folder, "assess", "供水调度", "--findings", given).exit_code == 0
    return folder


def test_reports_of_every_sort(data: Path, tmp_path: Path) -> None:
    for kind, name, magic in (
        ("self-assessment", "s.pdf", b"%PDF"), ("board", "b.docx", b"PK"), ("checklist", "c.xlsx", b"PK"),
        ("oscal", "o.zip", b"PK"), ("oscal-results", "r.json", b"{"),
    ):  # fmt: skip
        done = run(data, "report", "供水调度", "--kind", kind, "-o", tmp_path / name)
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).read_bytes().startswith(magic)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    for arguments, why in (
        (("report", "1", "--kind", "board", "-o", tmp_path / "s.pdf"), "exists"),
        (("report", "9", "--kind", "board", "-o", tmp_path / "n.pdf"), "no system 9"),
        (("report", "1", "--kind", "board", "--format", "xlsx", "-o", tmp_path / "n.pdf"), "not made as"),
        (("report", "1", "--kind", "protection-plan", "--language", "en", "-o", tmp_path / "n.pdf"), "zh only"),
    ):
        with pytest.raises(LiandunError, match=why):
            run(data, *arguments)
    assert not (tmp_path / "n.pdf").exists()


def test_a_check_list_goes_out_and_comes_back(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "c.xlsx"
    assert run(data, "report", "1", "--kind", "checklist", "-o", file).exit_code == 0
    book = load_workbook(io.BytesIO(file.read_bytes()))
    sheet = book.worksheets[0]
    line = next(row[0].row for row in sheet.iter_rows(min_row=2) if row[0].value == "8.1.1.2")
    sheet.cell(line, 9).value, sheet.cell(line, 10).value = "符合", "门禁已更换"
    book.save(file)
    compared = json.loads(run(data, "checklist", "1", file, "--json").stdout)
    assert [(one["before"], one["after"]) for one in compared["changes"]] == [("not_met", "met")]
    done = run(data, "checklist", "1", file, "--apply")
    assert (done.exit_code, "1 recorded" in done.stderr) == (0, True)
    again = run(data, "checklist", "1", file, "--apply")
    assert (again.exit_code, "0 recorded, 0 cannot be taken in, 1 the same" in again.stderr) == (0, True)
    sheet.cell(line, 9).value = "差不多"
    book.save(file)
    refused = run(data, "checklist", "1", file, "--apply")
    assert (refused.exit_code, f"line {line}: 8.1.1.2" in refused.stderr) == (1, True)


def test_a_package_verifies_elsewhere_and_a_tampered_one_does_not(data: Path, tmp_path: Path) -> None:
    package, root, photo = tmp_path / "p.zip", tmp_path / "evidence.pem", tmp_path / "photo.jpg"
    photo.write_bytes(b"door")
    done = run(data, "report", "1", "--kind", "evidence", "--attach", photo, "-o", package)
    assert done.exit_code == 0, done.output
    root.write_text(run(data, "evidence", "authority").stdout)
    verified = run(None, "evidence", "verify", package, "--trust", root)
    assert (verified.exit_code, "attachments/photo.jpg" in verified.stdout) == (0, True)
    with zipfile.ZipFile(package) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["attachments/photo.jpg"] = b"wall"
    with zipfile.ZipFile(package, "w") as archive:
        for name, octets in files.items():
            archive.writestr(name, octets)
    with pytest.raises(LiandunError, match=r"attachments/photo\.jpg \(changed\)"):
        run(None, "evidence", "verify", package, "--trust", root)


def test_whoever_has_the_machine_has_evidence_of_incidents_in_the_package(data: Path, tmp_path: Path) -> None:
    config = config_of(data)
    with state_of(config) as database, database.write() as session:
        number = incidents.create_incident(session, actor(), NewIncident("x")).id
        key = open_master_key(config)
        sealed = incidents.seal(session, key, actor(), number, "mem.txt", b"memory", reason="check", origin="h1")
        record(session, actor(), 1, "8.1.1.2", 0, "met", source="person", reason="x", evidence=sealed.evidence)
    package = tmp_path / "p.zip"
    assert run(data, "report", "1", "--kind", "evidence", "-o", package).exit_code == 0
    with zipfile.ZipFile(package) as archive:
        assert f"evidence/{sealed.evidence}.lev" in archive.namelist()
        assert json.loads(archive.read("evidence-not-included.json")) == []
