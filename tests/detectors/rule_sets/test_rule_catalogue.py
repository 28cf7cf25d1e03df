"""The list of rules: all three engines, and every failure with file, line and reason."""

from __future__ import annotations

from pathlib import Path

from detectors.rule_sets.catalogue import read_catalogue

OWN = Path(__file__).resolve().parents[3] / "rules"


def test_our_own_rules_are_all_listed() -> None:
    catalogue = read_catalogue([OWN / "sigma", OWN / "yara", OWN / "suricata"])
    assert catalogue.failures == []
    engines = [entry.engine for entry in catalogue.entries]
    assert engines.count("sigma") >= 40
    assert engines.count("yara") == 33
    assert engines.count("suricata") == 48
    assert all(entry.title and entry.id and entry.level for entry in catalogue.entries)
    shell = next(entry for entry in catalogue.entries if entry.id == "webshell_php_hidden_code")
    assert (shell.level, shell.tags) == ("high", ("attack.t1505.003", "attack.t1027"))
    fetched = next(entry for entry in catalogue.entries if entry.id == "1000002")
    assert fetched.title == "LIANDUN Web shell: operating system command in a query parameter"
    assert fetched.tags == ("attack.t1505.003",)


def test_failures_name_file_line_and_reason(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("title: a\nlogsource: {product: x}\ndetection:\n  s: {f: v}\n  condition: s and missing\n")
    (tmp_path / "b.yar").write_text("rule b\n{\n  condition: undefined_word\n}\n")
    (tmp_path / "c.rules").write_text(
        '# a comment\nalert tcp any any -> any any (msg:"no sid";)\nnonsense\n#alert ip any any -> any any (msg:"off"; sid:7;)\n'
    )
    catalogue = read_catalogue([tmp_path])
    told = {(Path(failure.file).name, failure.line) for failure in catalogue.failures}
    assert told >= {("b.yar", 3), ("c.rules", 2), ("c.rules", 3)}
    assert any(name == "a.yml" for name, _ in told)
    assert [(entry.id, entry.active) for entry in catalogue.entries] == [("7", False)]


def test_one_engine_can_be_asked_for() -> None:
    assert {entry.engine for entry in read_catalogue([OWN / "yara", OWN / "suricata"], engine="yara").entries} == {"yara"}
