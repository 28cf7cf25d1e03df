"""``./liandun rules`` from the outside."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import terminal
from cli.__main__ import main
from kernel.rule_tuning.condition import Condition
from kernel.rule_tuning.snapshot import Measure, Snapshot, write_snapshot

OWN = Path(__file__).resolve().parents[2] / "rules"
RULE = b"title: x\nlogsource: {category: firewall}\ndetection:\n  s: {a: b}\n  condition: s\n"


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


ESCAPES = "\x1b]0;pwned\x07\x1b[31mRED\u202egnp\x9b0m"
HOSTILE = """title: "{title}"
id: 11111111-1111-4111-8111-111111111111
logsource: {{category: firewall}}
detection:
  s: {{destination.port: 1}}
  condition: s
level: high
"""


def test_what_a_set_calls_its_rules_does_not_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    title = ESCAPES.encode("unicode_escape").decode()
    (tmp_path / "set" / "a.yml").write_text(HOSTILE.format(title=title))
    (tmp_path / "set" / "b.yar").write_text(f'rule b {{ meta: description = "{ESCAPES}" condition: true }}')
    (tmp_path / "set" / "c.yml").write_text(HOSTILE.format(title="x").replace("condition: s", f'condition: "{title}"'))
    (tmp_path / "set" / "d.rules").write_text(f'alert tcp any any -> any 80 (msg:"{ESCAPES}"; sid:2000001; rev:1;)\n')
    outputs = [liandun("import", tmp_path / "set", "--data", tmp_path / "data")]
    # a set of an older version, which took any file name
    (tmp_path / "data" / "rules" / "set" / f"{ESCAPES}.yml").write_text(HOSTILE.format(title="y"))
    for arguments in (("list",), ("list", "--format", "csv"), ("failures",), ("sets",)):
        outputs.append(liandun(*arguments, "--data", tmp_path / "data"))
    outputs += [liandun("lint", tmp_path / "data" / "rules" / "set"), liandun("test", tmp_path / "data" / "rules" / "set")]
    assert outputs[1].stdout.count("�]0;pwned") >= 3
    for result in outputs:
        assert [sign for sign in result.output if not sign.isprintable() and sign not in "\r\n"] == []


def test_a_table_of_sets_is_readable_when_piped_and_in_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "rules-of-the-bureau-for-water-works-2026"
    assert liandun("import", OWN / "yara", "--data", tmp_path, "--name", name).exit_code == 0
    digest = json.loads((tmp_path / "rules" / name / "manifest.json").read_bytes())["sm3"]
    monkeypatch.setenv("COLUMNS", "80")
    for width in (terminal.PIPED_WIDTH, 80):
        monkeypatch.setattr(terminal, "PIPED_WIDTH", width)
        lines = liandun("sets", "--data", tmp_path).stdout.splitlines()
        assert len(lines) == 2
        assert lines[1].startswith(f"{name}  yara ")
        assert digest[:16] in lines[1]
    rows = liandun("list", "--data", tmp_path, "--engine", "sigma").stdout.splitlines()
    assert all(re.search(r"  [0-9a-f-]{36}  ", row) for row in rows[1:-1])


REFUSED = {
    "file and folder": {"a.yml": RULE, "a.yml/b.yml": RULE},
    "manifest as folder": {"a.yml": RULE, "manifest.json/b.yml": RULE},
    "no UTF-8": {"a\udcff.yml": RULE},
    "deep": {"/".join(["d" * 190] * 30) + "/a.yml": RULE},
}


@pytest.mark.parametrize("case", REFUSED)
def test_odd_archives_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    path = tmp_path / "s.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in REFUSED[case].items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert_one_line("import", path, "--data", tmp_path / "data")


def test_places_that_cannot_be_read_or_written_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(RULE)
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "x.yml")
    assert_one_line("import", tmp_path / "a.yml", "--data", tmp_path / "file" / "data")
    assert_one_line("import", tmp_path / "a.yml", "--data", "/proc/var")
    assert_one_line("import", tmp_path / "x.yml", "--data", tmp_path / "data")
    assert_one_line("import", tmp_path / ("a" * 300 + ".yml"), "--data", tmp_path / "data")
    assert_one_line("import", tmp_path / "a.yml", "--name", "a" * 300, "--data", tmp_path / "data")
    assert_one_line("import", "https://[::1/a.yml", "--data", tmp_path / "data")
    assert_one_line("lint", tmp_path / "x.yml")
    assert_one_line("test", tmp_path / "x.yml")


def assert_one_line(*arguments: str | Path) -> None:
    """The program as people start it: exit code 1 and one line of text that a terminal can show."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "rules", *map(str, arguments)], cwd=OWN.parent, capture_output=True, timeout=60, check=False
    )
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (1, b""), lines
    assert len(lines) == 1, lines
    assert lines[0].startswith("liandun: ")
    assert lines[0].isprintable()


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


def test_what_holds_detections_back_is_told(tmp_path: Path) -> None:
    entries = [json.loads(line) for line in liandun("list", "--data", tmp_path, "--format", "jsonl").stdout.splitlines()]
    rule = next(one["id"] for one in entries if one["engine"] == "sigma")
    assert "id" in liandun("tuning", "--data", tmp_path).stdout
    (tmp_path / "run").mkdir()
    condition = Condition("host.name", "equals", "backup-01")
    measures = [
        Measure(3, rule, by="an.quan", reason="tells nothing", since="2026-11-26T01:02:03.000000Z"),
        Measure(4, "other", (condition,), "2999-01-01T00:00:00.000000Z", "an.quan", "backup"),
        Measure(5, "past", (), "2020-01-01T00:00:00.000000Z"),
    ]
    write_snapshot(Snapshot("1", measures), tmp_path / "run" / "rule-tuning.msgpack")
    told = liandun("tuning", "--data", tmp_path).stdout
    assert "the whole rule is off" in told
    assert "tells nothing" in told
    assert "host.name equals backup-01" in told
    assert "past" not in told
    assert "off (an.quan)" in liandun("list", "--data", tmp_path).stdout
    entries = [json.loads(line) for line in liandun("list", "--data", tmp_path, "--format", "jsonl").stdout.splitlines()]
    assert [one["id"] for one in entries if one["off"]] == [rule]
