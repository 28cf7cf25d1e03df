"""compliance-trestle loads the six documents, validates them, resolves the profile, and loses nothing of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from compliance.reports import oscal
from tests.compliance.assessment.small_system import SmallSystem
from tests.compliance.reports.oscal_material import filled, material_of
from tests.compliance.reports.trestle_tool import NotInstalled, trestle

PLACES = {
    "catalog.json": "catalogs",
    "profile.json": "profiles",
    "ssp.json": "system-security-plans",
    "assessment-plan.json": "assessment-plans",
    "assessment-results.json": "assessment-results",
    "poam.json": "plan-of-action-and-milestones",
}
_OWN_NAMES = {"ssp.json": "system-security-plan.json", "poam.json": "plan-of-action-and-milestones.json"}
Run = Callable[..., str]
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]


@pytest.fixture(scope="module")
def tool() -> Path:
    try:
        return trestle()
    except NotInstalled as error:
        pytest.skip(str(error))


@pytest.fixture
def run(tool: Path, tmp_path: Path) -> Run:
    """A command of trestle in a workspace of its own; what it printed."""

    def _run(*words: str) -> str:
        done = subprocess.run([tool, *words], capture_output=True, text=True, cwd=tmp_path / "workspace", timeout=120, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done.stdout + done.stderr

    (tmp_path / "workspace").mkdir()
    _run("init", "--local")
    return _run


@pytest.mark.parametrize("language", ["zh", "en"])
def test_trestle_loads_validates_and_resolves_all_of_them(small: SmallSystem, run: Run, tmp_path: Path, language: str) -> None:
    filled(small)
    files = oscal.files(material_of(small), language)
    assert set(files) == set(PLACES)
    workspace = tmp_path / "workspace"
    for name, octets in files.items():
        (tmp_path / name).write_bytes(octets)
        (workspace / name).write_bytes(octets)  # where references without a path lead
    for name in files:
        run("import", "-f", str(tmp_path / name), "-o", "ours")
    said = run("validate", "-a")
    assert said.count("VALID: ") == len(files)
    assert "INVALID" not in said
    for name, octets in files.items():
        loaded = json.loads((workspace / PLACES[name] / "ours" / _OWN_NAMES.get(name, name)).read_text("utf-8"))
        assert _moments(loaded) == _moments(json.loads(octets)), name
    run("author", "profile-resolve", "-n", "ours", "-o", "resolved")
    resolved = json.loads((workspace / "catalogs/resolved/catalog.json").read_text("utf-8"))
    profile = json.loads(files["profile.json"])["profile"]
    assert sorted(_controls(resolved["catalog"])) == sorted(profile["imports"][0]["include-controls"][0]["with-ids"])


def test_trestle_refuses_a_broken_one(small: SmallSystem, run: Run, tmp_path: Path) -> None:
    told = json.loads(oscal.document(material_of(small), "results", "zh"))
    told["assessment-results"]["results"][0]["findings"][0]["target"]["target-id"] = "8.1.4.1.a"
    (tmp_path / "broken.json").write_text(json.dumps(told))
    with pytest.raises(AssertionError, match="target-id"):
        run("import", "-f", str(tmp_path / "broken.json"), "-o", "ours")


def _moments(told: Any) -> Any:
    """The same with moments as trestle writes them: in whole milliseconds."""
    if isinstance(told, dict):
        return {name: _moments(value) for name, value in told.items()}
    if isinstance(told, list):
        return [_moments(value) for value in told]
    if isinstance(told, str) and len(told) >= 20 and told[4:5] == "-" and told[10:11] == "T":
        return datetime.fromisoformat(told).isoformat(timespec="milliseconds")
    return told


def _controls(told: dict[str, Any]) -> list[str]:
    found = [one["id"] for one in told.get("controls", [])]
    return found + [name for group in told.get("groups", []) for name in _controls(group)]
