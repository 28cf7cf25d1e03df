"""Running a rule's test events, and linting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sigma.cli.check import check, setup_validator

from detectors.rule_lint import DOWNLOADING, available_validators, lint
from detectors.rule_tests import run_tests
from kernel.errors import ParseError, RuleError
from kernel.event import Event

RULE = """\
title: Marked Word
id: 3f6a1f0e-5c3b-4e0a-9b0a-2f9a4f6f3b11
name: marked
status: experimental
description: A rule for this test that looks for one word in one field
author: Liandun
date: 2026-11-23
references: [https://liandun.example/]
tags: [attack.execution, attack.t1059]
logsource: {product: liandun, service: toy}
detection:
    selection: {labels.word: marked}
    condition: selection
falsepositives: [None]
level: low
"""


def read(form: str, raw: bytes) -> list[Event]:
    if form != "toy":
        raise ParseError("unknown form")
    return [{"event.dataset": "liandun.toy", "labels.word": raw.decode()}]


def write(folder: Path, cases: list[Any], rule: str = RULE) -> Path:
    (folder / "toy.yml").write_text(rule)
    (folder / "toy.test.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    return folder / "toy.yml"


def test_cases_pass_and_fail_as_they_should(tmp_path: Path) -> None:
    cases = [
        {"match": True, "format": "toy", "raw": "marked"},
        {"match": False, "format": "toy", "raw": "other"},
        {"match": True, "event": {"event.dataset": "liandun.toy", "labels.word": "MARKED"}},
        {"match": True, "format": "toy", "raw": "other"},
        {"match": False, "rule": "marked", "format": "toy", "raw": "marked"},
        {"match": True, "rule": "nobody", "format": "toy", "raw": "marked"},
        {"match": True, "format": "none", "raw": "marked"},
    ]
    outcomes = run_tests(write(tmp_path, cases), read)
    assert [one.line for one in outcomes] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.passed for one in outcomes] == [True, True, True, False, False, False, False]
    assert outcomes[0].fired == ("marked",)
    assert "should have fired" in outcomes[3].reason
    assert "stayed silent" in outcomes[4].reason
    assert "no rule 'nobody'" in outcomes[5].reason
    assert "not understood" in outcomes[6].reason


def test_sequences_count_and_are_forgotten_between_cases(tmp_path: Path) -> None:
    counting = RULE + (
        "---\ntitle: Three Marked Words\nid: 9a1d2c7e-0b1f-4c55-8d3a-6b8f0f2f1c22\nname: three\nstatus: test\n"
        "correlation: {type: event_count, rules: [marked], group-by: [labels.word], timespan: 1m, "
        "condition: {gte: 3}}\nlevel: high\n"
    )
    word = {"event.dataset": "liandun.toy", "labels.word": "marked"}
    cases = [
        {"match": True, "rule": "three", "sequence": [{"event": word, "repeat": 3, "every": 20}]},
        {"match": False, "rule": "three", "sequence": [{"event": word, "repeat": 2}]},
        {"match": False, "rule": "three", "sequence": [{"event": word, "repeat": 3, "every": 40}]},
    ]
    assert [one.reason for one in run_tests(write(tmp_path, cases, counting), read)] == ["", "", ""]


WRONG_LINES = (
    "{",
    '{"match": 1}',
    '{"match": true}',
    '{"match": true, "raw": "x", "event": {}}',
    '{"match": true, "typo": 1}',
)


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    file = write(tmp_path, [])
    (tmp_path / "toy.test.jsonl").write_text(f"\n{line}\n")
    with pytest.raises(RuleError, match=r"toy\.test\.jsonl:2"):
        run_tests(file, read)


def test_a_rule_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"toy\.yml"):
        run_tests(write(tmp_path, [], RULE.replace("condition: selection", "condition: selection and")), read)


def test_lint_is_content_with_a_good_rule(tmp_path: Path) -> None:
    assert lint([write(tmp_path, [])], need_tests=True) == []


@pytest.mark.parametrize(
    ("change", "check", "severity"),
    [
        (("condition: selection", "condition: selection and nothing"), "load", "error"),
        (("attack.t1059]", "attack.t9999]"), "attack-tag", "note"),
        (("{product: liandun, service: toy}", "{category: no_such_category}"), "logsource", "warning"),
        (("{product: liandun, service: toy}", "{category: firewall}\nfields: []"), "field", "warning"),
        (("id: 3f6a1f0e-5c3b-4e0a-9b0a-2f9a4f6f3b11\n", ""), "IdentifierExistence", "warning"),
        (("{labels.word: marked}", "{labels.word: '*marked*'}"), "WildcardsInsteadOfContainsModifier", "note"),
    ],
)
def test_lint_finds(tmp_path: Path, change: tuple[str, str], check: str, severity: str) -> None:
    rule = RULE.replace(*change)
    if check == "field":
        rule = rule.replace("labels.word", "no_such_field")
    findings = lint([write(tmp_path, [], rule)])
    assert findings
    assert (check, severity) in [(finding.check, finding.severity) for finding in findings]
    assert all(finding.file.endswith("toy.yml") and finding.line >= 1 for finding in findings)


def test_lint_runs_every_validator_of_sigma_cli_but_those_that_download() -> None:
    chosen = {type(validator) for validator in setup_validator(None, []).validators}
    ours = {validator for name, validator in available_validators().items() if name not in DOWNLOADING}
    left_out = {type_.__name__ for type_ in chosen - ours}
    assert ours <= chosen
    assert left_out == {"ATTACKTagValidator", "D3FENDTagValidator"}
    assert all(DOWNLOADING.values())


def test_correlation_rules_are_validated_too(tmp_path: Path) -> None:
    counting = RULE + (
        "---\ntitle: Marked Word\nid: 9a1d2c7e-0b1f-4c55-8d3a-6b8f0f2f1c22\nname: three\nstatus: test\n"
        "correlation: {type: event_count, rules: [marked], group-by: [labels.word], timespan: 1m, "
        "condition: {gte: 3}}\nlevel: high\n"
    )
    assert {finding.check for finding in lint([write(tmp_path, [], counting)])} >= {"DuplicateTitle"}


def test_what_pysigma_refuses_to_read_is_a_warning(tmp_path: Path) -> None:
    findings = lint([write(tmp_path, [], RULE.replace("status: experimental", "status: wonderful"))])
    assert [(finding.check, finding.severity) for finding in findings] == [("SigmaStatusError", "warning")]


def test_sigma_check_itself_has_nothing_to_say_about_our_rules() -> None:
    """The command of sigma-cli, offline: the two validators that download are excluded by name."""
    rules = Path(__file__).resolve().parents[2] / "rules" / "sigma"
    excluded = [word for name in DOWNLOADING for word in ("--exclude", name)]
    result = CliRunner().invoke(check, ["--fail-on-error", "--fail-on-issues", *excluded, str(rules)])
    assert "Found 0 errors, 0 condition errors and 0 issues." in result.output
    assert result.exit_code == 0


def test_lint_asks_for_tests(tmp_path: Path) -> None:
    (tmp_path / "alone.yml").write_text(RULE)
    assert [finding.check for finding in lint([tmp_path / "alone.yml"], need_tests=True)] == ["test"]
    assert lint([tmp_path / "alone.yml"]) == []


def test_two_rules_of_one_identity_are_found(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yml").write_text(RULE)
    checks = {finding.check for finding in lint([tmp_path / "one.yml", tmp_path / "two.yml"])}
    assert "IdentifierCollision" in checks
