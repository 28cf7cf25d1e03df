"""detectors/yara.py and yara_load.py: loading with failures, limits, hits, detections; the yara command line as second opinion."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from detectors.yara import YaraDetector, YaraScanError, YaraScanner, level_of

_MIXED = """import "nomodule"
rule good { strings: $a = "EICAR-STANDARD" condition: $a }
rule unknown { condition: foo }
private rule badregex {
  strings:
    $x = /(/
  condition: $x
}
rule dependent { condition: unknown }
rule names : tagx {
  meta: score = 70 mitre_attack = "T1059.001" author = "A" description = "D" reference = "https://example.org/r"
  condition: extension == ".com" and filetype == "EXE" and owner == "" and filename == "x.COM"
}
"""


def _rules(tmp_path: Path, text: str, name: str = "mixed.yar") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_what_does_not_compile_is_named_and_the_rest_runs(tmp_path: Path) -> None:
    path = _rules(tmp_path, _MIXED)
    scanner = YaraScanner.load([path, tmp_path / "absent"])
    assert [rule.id for rule in scanner.rules] == ["yara:mixed:good", "yara:mixed:names"]
    assert {(failure.file, failure.line) for failure in scanner.failures} == {
        (str(path), 1),
        (str(path), 3),
        (str(path), 6),
        (str(path), 9),
        (str(tmp_path / "absent"), 0),
    }
    assert f'{path}:3: undefined identifier "foo"' in map(str, scanner.failures)
    hits = scanner.scan_bytes(b"MZ EICAR-STANDARD", "x.COM")
    assert [(hit.rule_id, hit.strings) for hit in hits] == [
        ("yara:mixed:good", [("$a", 3, "EICAR-STANDARD")]),
        ("yara:mixed:names", []),
    ]


_HOPELESS = ["", "rule", "}{", "\0\0\xff", "rule x {", "/* rule y { condition: true }", 'include "/etc/passwd"']


@pytest.mark.parametrize("text", _HOPELESS)
def test_hopeless_files_fail_alone(tmp_path: Path, text: str) -> None:
    scanner = YaraScanner.load([_rules(tmp_path, text, "bad.yar"), _rules(tmp_path, "rule ok { condition: true }", "ok.yar")])
    assert [rule.name for rule in scanner.rules] == ["ok"]
    assert all(failure.file.endswith("bad.yar") for failure in scanner.failures)
    assert bool(scanner.failures) == bool(text)
    assert [hit.rule for hit in scanner.scan_bytes(b"x")] == ["ok"]


def test_equal_names_in_different_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        _rules(tmp_path / folder, "rule same { condition: true }", "set.yara")
    scanner = YaraScanner.load([tmp_path])
    assert [hit.rule_id for hit in scanner.scan_bytes(b"")] == ["yara:set:same", "yara:b.set:same"]


def test_no_rules_no_hits() -> None:
    assert YaraScanner.load([]).scan_bytes(b"anything") == []


@pytest.mark.slow
def test_public_sets_load_whole(shared: Path) -> None:
    for folder, at_least in (("reversinglabs", 1204), ("signature-base", 2400)):
        scanner = YaraScanner.load([shared / "corpora/yara" / folder])
        assert {failure.reason for failure in scanner.failures} <= {"holds no rule"}  # some files are comments only
        assert len(scanner.rules) >= at_least


@pytest.mark.skipif(shutil.which("yara") is None, reason="the yara command is the oracle here")
def test_same_hits_as_the_yara_command(shared: Path, tmp_path: Path) -> None:
    rules = sorted((shared / "corpora/yara/reversinglabs/trojan").glob("*.yara"))[:20]
    target = tmp_path / "target"
    target.write_bytes(b"".join(path.read_bytes() for path in rules))
    ours = {hit.rule for hit in YaraScanner.load(rules).scan_file(target)}
    theirs: set[str] = set()
    for path in rules:
        lines = subprocess.run(["yara", "-w", path, target], capture_output=True, text=True, check=True).stdout.splitlines()
        theirs |= {line.split()[0] for line in lines}
    assert ours == theirs


def test_limits(tmp_path: Path) -> None:
    scanner = YaraScanner.load([_rules(tmp_path, "rule slow { condition: for all i in (1..100000000): (i > 0) }")])
    with pytest.raises(YaraScanError, match="limit of 1 s"):
        scanner.scan_bytes(b"a" * 1000, "a.bin", timeout=1)
    large = tmp_path / "large"
    large.write_bytes(b"x" * 2000)
    with pytest.raises(YaraScanError, match="2000 bytes, more than the limit of 1000"):
        scanner.scan_file(large, max_size=1000)
    with pytest.raises(YaraScanError, match="cannot be read"):
        scanner.scan_file(tmp_path / "absent")


@pytest.mark.parametrize(
    ("meta", "level"),
    [
        ({}, "high"),
        ({"level": "critical"}, "critical"),
        ({"severity": "Low"}, "low"),
        ({"score": 80}, "high"),
        ({"score": 65}, "medium"),
        ({"score": 40}, "low"),
        ({"severity": "9000", "score": "x"}, "high"),
    ],
)
def test_level(meta: dict[str, Any], level: str) -> None:
    assert level_of(meta) == level


def _stored(path: Path, name: str) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "0"
    event = {"event.dataset": "suricata.file_stored", "event.id": f"id-{path.name}", "@timestamp": "2026-11-22T00:00:00.000000Z"}
    return event | {"file.path": str(path), "file.name": name, "file.hash.sha256": digest}


def test_detector_scans_stored_files_only_and_says_why(tmp_path: Path) -> None:
    scanner = YaraScanner.load([_rules(tmp_path, _MIXED)])
    store = tmp_path / "store"
    store.mkdir()
    (store / "f1").write_bytes(b"MZ\0EICAR-STANDARD\xff")
    detector = YaraDetector(scanner, [store])
    events = [_stored(store / "f1", "x.COM"), {"event.dataset": "suricata.fileinfo", "file.path": str(store / "f1")}]
    first, second = detector.process(events)
    assert (first.rule_id, first.engine, first.level) == ("yara:mixed:good", "yara", "high")
    assert (first.matched[0].value, first.matched[0].pattern, first.matched[0].selection) == ("EICAR-STANDARD", "$a at 3", "$a")
    assert (second.rule_name, second.level, second.author, second.description) == ("names", "medium", "A", "D")
    assert second.tags == ["attack.t1059.001", "tagx"]
    assert second.references == ["https://example.org/r"]
    assert second.rule_file == str(tmp_path / "mixed.yar")
    assert [d.id for d in detector.process(events)] == [first.id, second.id]
    assert detector.counters == {"scanned": 1, "hits": 2, "not_scanned": 0}, "the same content is scanned once"


def test_detector_reads_nothing_outside_its_folders(tmp_path: Path) -> None:
    scanner = YaraScanner.load([_rules(tmp_path, "rule any { condition: true }")])
    store = tmp_path / "store"
    store.mkdir()
    (store / "link").symlink_to("/etc/hostname")
    detector = YaraDetector(scanner, [store])
    events = [
        _stored(Path("/etc/hostname"), "a"),
        _stored(store / ".." / "mixed.yar", "b"),
        _stored(store / "link", "c"),
        _stored(store / "gone", "d"),
    ]
    assert detector.process(events) == []
    assert detector.counters["not_scanned"] == 4
    assert all(event["tags"] == ["yara-not-scanned"] for event in events)
    assert "cannot be read" in events[3]["error.message"]
