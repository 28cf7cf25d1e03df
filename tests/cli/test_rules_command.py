"""``./liandun rules`` from the outside."""

from __future__ import annotations

import csv
import io
import json
import shutil
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
    assert sum("my-yara" in row["file"] for row in rows) == 12


def test_suricata_sources_are_merged_and_decisions_outlive_the_next_import(tmp_path: Path) -> None:
    line = 'alert tcp any any -> any 80 (msg:"n{0}"; sid:{0}; rev:1;)\n'
    (tmp_path / "one.rules").write_text(line.format(2_000_001) + line.format(2_000_002))
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "more.rules").write_text(line.format(2_000_003))
    (folder / "LICENSE").write_text("BSD")
    decisions = tmp_path / "decisions"
    decisions.mkdir()
    (decisions / "disable.conf").write_text("2000002\n")
    data = tmp_path / "data"
    result = liandun("import", tmp_path / "one.rules", folder.as_uri(), "--data", data, "--name", "city", "--decisions", decisions)
    assert result.exit_code == 0, result.output
    assert "suricata.rules: 3 rules merged, 2 of them enabled" in result.output
    kept = sorted(path.relative_to(data / "rules" / "city").as_posix() for path in (data / "rules" / "city").rglob("*"))
    assert kept == ["disable.conf", "manifest.json", "suricata.rules", "two", "two/LICENSE"]
    manifest = json.loads((data / "rules" / "city" / "manifest.json").read_bytes())
    assert (manifest["counts"], manifest["merged"], manifest["enabled"]) == ({"suricata": 1}, 3, 2)

    assert liandun("import", tmp_path / "one.rules", "--data", data, "--name", "city").exit_code == 0
    assert '# alert tcp any any -> any 80 (msg:"n2000002"' in (data / "rules" / "city" / "suricata.rules").read_text()


@pytest.mark.slow
@pytest.mark.suricata
@pytest.mark.skipif(shutil.which("suricata") is None, reason="needs suricata (apt install suricata)")
def test_an_old_et_open_set_is_imported_and_the_rule_that_the_engine_refuses_is_told(shared: Path, tmp_path: Path) -> None:
    packed = shared / "corpora" / "pcaps" / "rulesets" / "etopen-2019-04.rules.gz"
    result = liandun("import", packed, "--data", tmp_path)
    assert result.exit_code == 0, result.output
    assert "17301 rules merged, 17300 of them enabled, 1 refused by suricata -T" in result.output
    failures = liandun("failures", "--data", tmp_path, "--engine", "suricata")
    assert failures.exit_code == 1
    assert "sid 2025232: suricata -T: " in failures.stdout


def test_the_list_is_limited_by_level_and_engine(tmp_path: Path) -> None:
    lines = liandun("list", "--data", tmp_path, "--format", "jsonl", "--engine", "yara", "--level", "high").stdout.splitlines()
    assert {json.loads(line)["level"] for line in lines} == {"high", "critical"}
    assert "33 rules" in liandun("list", "--data", tmp_path, "--engine", "yara").stdout


def test_the_tables_in_the_documentation_are_those_of_the_rules() -> None:
    documentation = (OWN.parent / "docs" / "rules.md").read_text("utf-8")
    assert documentation.partition("<!-- ./liandun rules tables -->\n")[2].partition("<!-- end -->")[0] == liandun("tables").stdout


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


def test_texts_of_other_peoples_rules_do_not_steer_the_terminal(tmp_path: Path) -> None:
    rule = tmp_path / "rule.yml"
    rule.write_text(
        'title: "\\e]0;pwned\\a\\e[31mRED\\u202Eevil"\nid: 11111111-2222-4333-8444-555555555556\nstatus: test\n'
        "logsource: {product: linux}\n"
        "detection: {s: {a: b}, condition: s}\nlevel: high\n"
    )
    assert liandun("import", rule, "--data", tmp_path / "data").exit_code == 0
    for form in ("csv", "table"):
        output = liandun("list", "--data", tmp_path / "data", "--format", form).output
        assert "RED" in output
        assert not set("\x1b\x07\u202e") & set(output)
