"""``compliance import`` as people call it, up to findings that an assessment records."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from cli.compliance import command
from compliance.assessment.schema import Finding
from crypto.sm3 import sm3

REPORTS = Path(__file__).resolve().parents[1] / "compliance" / "importers" / "reports"


def test_findings_and_counts() -> None:
    told = CliRunner().invoke(command, ["import", "--format", "arf", str(REPORTS / "openscap-arf.xml"), "--object", "5"])
    assert told.exit_code == 0, told.output
    found = msgspec.json.decode(told.stdout, type=list[Finding])
    assert {one.object_id for one in found} == {5}
    assert {one.verdict for one in found} == {"met", "not_met"}
    assert "53 results: 34 speak to 12 items (to be confirmed), 16 are not mapped, 3 give no verdict" in told.stderr


def test_results_with_their_excerpts() -> None:
    words = ["import", "--format", "nessus", "--target", "10.1.0.8", "--results", str(REPORTS / "two-hosts.nessus")]
    for one in json.loads(CliRunner().invoke(command, words).stdout):
        assert one["sm3"] == sm3(one["evidence"].encode()).hex()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nessus", "two-hosts.nessus"], "2 objects (choose one: 10.1.0.8, 10.1.0.9)"),
        (["nessus", "two-hosts.nessus", "--target", "x"], "not about x"),
        (["arf", "two-hosts.nessus"], "begins with NessusClientData_v2"),
        (["wazuh", "lynis-report.dat"], "no answer of the API"),
    ],
)
def test_what_is_not_taken(words: list[str], why: str) -> None:
    told = CliRunner().invoke(command, ["import", "--format", words[0], str(REPORTS / words[1]), *words[2:]])
    assert (told.exit_code, why in told.stderr) == (1, True), told.stderr
    assert told.stdout == ""
