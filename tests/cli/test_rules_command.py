"""``./liandun rules`` from the outside."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main

OWN = Path(__file__).resolve().parents[2] / "rules"


def liandun(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["rules", *map(str, arguments)], catch_exceptions=True)


@pytest.mark.slow
def test_the_sigmahq_tarball_is_imported_listed_and_its_failures_told(shared: Path, tmp_path: Path) -> None:
    result = liandun("import", shared / "corpora" / "sigma-rules.tar.gz", "--data", tmp_path)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("sigma-rules: 3754 sigma files")
    manifest = json.loads((tmp_path / "rules" / "sigma-rules" / "manifest.json").read_bytes())
    assert manifest["licence"] == "LICENSE"
    assert len(manifest["sm3"]) == 64

    listed = [
        json.loads(line)
        for line in liandun("list", "--data", tmp_path, "--format", "jsonl", "--engine", "sigma").stdout.splitlines()
    ]
    assert len(listed) >= 3_754 * 0.99

    failures = liandun("failures", "--data", tmp_path)
    lines = [line for line in failures.stdout.splitlines() if line]
    assert failures.exit_code == (1 if lines else 0)
    assert all(line.count(":") >= 2 for line in lines)
    assert "sigma-rules" in liandun("sets", "--data", tmp_path).stdout


def test_yara_and_suricata_sets_are_imported_from_folders(tmp_path: Path) -> None:
    assert liandun("import", OWN / "yara", "--data", tmp_path, "--name", "my-yara").exit_code == 0
    assert liandun("import", (OWN / "suricata" / "liandun.rules").as_uri(), "--data", tmp_path).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(liandun("list", "--data", tmp_path, "--format", "csv", "--level", "critical").stdout)))
    assert {row["engine"] for row in rows} >= {"sigma", "yara"}
    assert sum("my-yara" in row["file"] for row in rows) == 3


def test_the_list_is_limited_by_level_and_engine(tmp_path: Path) -> None:
    lines = liandun("list", "--data", tmp_path, "--format", "jsonl", "--engine", "yara", "--level", "high").stdout.splitlines()
    assert {json.loads(line)["level"] for line in lines} == {"high", "critical"}
    assert "33 rules" in liandun("list", "--data", tmp_path, "--engine", "yara").stdout


def test_refused_imports_say_why_in_one_line(tmp_path: Path) -> None:
    for source, words in (
        ("https://127.0.0.1/rules.zip", "private, local or reserved"),
        ("https://[::1]/rules.zip", "private, local or reserved"),
        (str(tmp_path / "missing.zip"), "no such file"),
    ):
        result = liandun("import", source, "--data", tmp_path / "data")
        assert result.exit_code != 0
        assert words in str(result.exception)
    assert not list((tmp_path / "data").rglob("manifest.json"))


def test_our_own_rules_pass_their_tests() -> None:
    result = liandun("test")
    assert result.exit_code == 0, result.output
    assert " 0 failed, 0 rule files without tests" in result.output


def test_a_failing_case_is_shown_and_ends_with_1(tmp_path: Path) -> None:
    rule = (OWN / "sigma" / "platform" / "liandun_source_silenced.yml").read_text()
    (tmp_path / "a.yml").write_text(rule)
    (tmp_path / "a.test.jsonl").write_text('{"match": true, "event": {"event.dataset": "liandun.sources", "event.action": "x"}}\n')
    result = liandun("test", tmp_path)
    assert result.exit_code == 1
    assert "should have fired" in " ".join(result.output.split())
    assert "0 cases passed, 1 failed" in result.output


def test_lint_ends_with_1_on_a_warning_and_0_on_our_rules(tmp_path: Path) -> None:
    assert liandun("lint", OWN / "sigma", "--tests").exit_code == 0
    assert liandun("lint").exit_code == 0
    (tmp_path / "a.yml").write_text("title: bad\nlogsource: {category: nothing}\ndetection: {s: {a: b}, condition: s}\n")
    result = liandun("lint", tmp_path)
    assert result.exit_code == 1
    assert "a.yml:1: warning: logsource" in result.output


@pytest.mark.parametrize("arguments", [("import",), ("list", "--level", "worst"), ("test", "/no/such/place")])
def test_wrong_usage_is_explained(arguments: tuple[str, ...]) -> None:
    result = liandun(*arguments)
    assert result.exit_code == 2
    assert "Usage" in result.output
