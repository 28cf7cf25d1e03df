"""``./liandun compliance`` as people call it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "compliance", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_catalogue_in_three_forms() -> None:
    table = run("catalogue", "--lang", "en")
    assert (table.returncode, "211 items" in table.stderr) == (0, True)
    whole = json.loads(run("catalogue", "--format", "json", "--extension", "all").stdout)
    assert (whole["count"], len(whole["items"]), len(whole["reference"])) == (317, 317, 24)
    lines = run("catalogue", "--format", "csv", "--levels", "S3A2", "--extension", "8.4").stdout.splitlines()
    assert len(lines) == 1 + 209 + 20


def test_a_score_says_what_it_rests_on(tmp_path: Path) -> None:
    given = tmp_path / "verdicts.json"
    given.write_text(
        json.dumps({"verdicts": [{"item": "8.1.4.1.a", "verdict": "符合"}, {"item": "8.1.4.1.b", "verdict": "不符合"}]})
    )
    done = run("score", "--template", "2025", str(given))
    assert done.returncode == 0
    for word in (
        "50.00",
        "不符合",
        "PROVISIONAL",
        "items met ÷ items that apply",
        "at_90 = basically_met",
        "209 no_verdict",
        "待确认",
    ):
        assert word in done.stdout
    assert json.loads(run("score", "--template", "2021", "--json", str(given)).stdout)["template"] == "2021"


@pytest.mark.parametrize(("place", "templates"), [(0, ("2021", "2025")), (1, ("39786",))])
def test_the_examples_of_the_documentation(tmp_path: Path, place: int, templates: tuple[str, ...]) -> None:
    given = tmp_path / "example.json"
    given.write_text(re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "compliance.md").read_text("utf-8"), re.DOTALL)[place])
    for template in templates:
        done = run("score", "--template", template, str(given))
        assert (done.returncode, done.stderr) == (0, "")
        assert "assessor" in done.stdout, "what a person decided is told"


def test_a_mistake_is_one_line_that_says_where(tmp_path: Path) -> None:
    given = tmp_path / "verdicts.json"
    given.write_text('{"verdicts": [{"item": "8.1.4.1.zz", "verdict": "met"}]}')
    done = run("score", "--template", "2021", str(given))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "verdicts[0]" in done.stderr


def test_a_version_against_itself() -> None:
    folder = ROOT / "compliance" / "catalogue"
    done = run("diff", str(folder / "gbt22239-level3.yaml"), str(folder / "gbt22239-level3-extensions.yaml"), "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_from_a_system_to_its_score(tmp_path: Path) -> None:
    data, given = str(tmp_path / "data"), tmp_path / "systems.json"
    given.write_text(json.dumps([{"name": "供水调度", "level": "S3A2", "extensions": ["8.5"]}]))
    listed = json.loads(run("systems", "--add", str(given), "--json", "--data", data).stdout)
    assert [(one["id"], one["name"], one["level"]) for one in listed] == [(1, "供水调度", "S3A2G3")]
    assert run("objects", "供水调度", "--take-over", "--data", data).stderr.splitlines() == [
        "0 objects made, 0 were there",
        "0 objects",
    ]
    findings = tmp_path / "findings.json"
    words = [("8.1.4.1.a", "met"), ("8.1.4.1.d", "not_met"), ("8.2.1.1", "met")]
    findings.write_text(
        json.dumps([{"item_id": item, "object_id": None, "verdict": verdict, "reason": "probe"} for item, verdict in words])
    )
    done = run("assess", "1", "--findings", str(findings), "--data", data)
    assert (done.returncode, "2 findings recorded, 2 changed something" in done.stderr) == (0, True)
    assert "finding 2 refused: the item 8.2.1.1 does not apply to this system" in done.stderr
    assert "重大风险隐患 A-19 found" in done.stdout
    told = json.loads(run("assess", "供水调度", "--json", "--data", data).stdout)
    assert len(told["gaps"]) == 209 + 21 - 1
    score = run("score", "供水调度", "--template", "2025", "--keep", "--data", data)
    assert (score.returncode, "50.00" in score.stdout) == (0, True)
    assert run("score", "没有", "--data", data).returncode == 1
