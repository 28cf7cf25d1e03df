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
