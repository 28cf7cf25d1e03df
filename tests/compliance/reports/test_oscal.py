"""OSCAL of a system against the schemas of NIST (draft-07), and what stands in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from compliance.reports import oscal
from compliance.reports.material import gather
from compliance.systems import objects, service
from compliance.systems.applicability import decide
from operations.errors import Invalid
from tests.compliance.assessment.small_system import PASSWORDS, TWO_FACTORS, SmallSystem
from tests.compliance.reports.conftest import HOSTILE
from tests.compliance.reports.oscal_material import filled, material_of

_OTHER_NAMES = {"plan": "assessment-plan", "results": "assessment-results"}


def _validator(shared: Path, model: str) -> Any:
    """Of the real schema. Python's re knows no \\p{L} and \\p{N}; these patterns use them outside of sets only."""
    text = (shared / "oscal" / f"oscal_{_OTHER_NAMES.get(model, model)}_schema.json").read_text("utf-8")
    assert not re.search(r"\[[^\]]*\\\\p\{", text)
    return jsonschema.Draft7Validator(json.loads(text.replace(r"\\p{L}", r"[^\\W\\d_]").replace(r"\\p{N}", r"\\d")))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("model", list(oscal.MODELS))
def test_each_document_is_valid(small: SmallSystem, shared: Path, model: str, language: str) -> None:
    filled(small)
    octets = oscal.document(material_of(small), model, language)
    errors = [
        f"{'/'.join(map(str, one.path))}: {one.message[:200]}" for one in _validator(shared, model).iter_errors(json.loads(octets))
    ]
    assert errors == []


def test_the_validator_sees_a_mistake(small: SmallSystem, shared: Path) -> None:
    told = json.loads(oscal.document(material_of(small), "results", "zh"))
    told["assessment-results"]["results"][0]["findings"][0]["target"]["target-id"] = "8.1.4.1.a"
    assert [list(one.path)[-1] for one in _validator(shared, "results").iter_errors(told)] == ["target-id"]


def test_equal_material_gives_equal_files_and_documents_refer_to_each_other(small: SmallSystem) -> None:
    first, again = (oscal.bundle(material_of(small), "zh") for _ in range(2))
    assert first == again
    small.person("met", target=small.base)
    assert oscal.bundle(material_of(small), "zh") != first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        told = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert told["profile.json"]["profile"]["imports"][0]["href"] in told
    assert told["ssp.json"]["system-security-plan"]["import-profile"]["href"] in told
    assert told["assessment-plan.json"]["assessment-plan"]["import-ssp"]["href"] in told
    assert told["assessment-results.json"]["assessment-results"]["import-ap"]["href"] in told
    assert len(told["profile.json"]["profile"]["imports"][0]["include-controls"][0]["with-ids"]) == 211
    for name, document in told.items():
        numbers = re.findall(r'"uuid":"([0-9a-f-]{36})"', json.dumps(document, separators=(",", ":")))
        assert len(numbers) == len(set(numbers)), name


def test_results_tell_what_was_found_where(small: SmallSystem) -> None:
    result = json.loads(oscal.document(material_of(small), "results", "zh"))["assessment-results"]["results"][0]
    states = {one["title"].split()[0]: one["target"]["status"]["state"] for one in result["findings"]}
    assert states == {PASSWORDS: "not-satisfied", TWO_FACTORS: "not-satisfied", "8.1.1.2": "not-satisfied"}
    observed = {one["title"]: one for one in result["observations"]}
    assert observed[f"{PASSWORDS} · h2"]["methods"] == ["TEST"]
    assert observed[f"{PASSWORDS} · h2"]["description"] == HOSTILE
    assert observed[f"{PASSWORDS} · d1"]["methods"] == ["EXAMINE"]
    assert result["risks"][0]["status"] == "open"
    props = {one["name"]: one["value"] for one in result["props"]}
    assert (props["template"], props["provisional"]) == ("2025", "true")


def test_without_a_problem_there_is_no_plan_of_action(small: SmallSystem, shared: Path) -> None:
    with small.database.write() as session:
        draft = service.draft_of(service.get_system(session, small.id))
        made = service.create_system(session, small.who, msgspec.structs.replace(draft, name="空"))
    with small.database.read() as session:
        empty = gather(session, made.id)
    assert "poam.json" not in oscal.files(empty, "en")
    with pytest.raises(Invalid, match="no problem"):
        oscal.document(empty, "poam", "en")
    for model in ("ssp", "plan", "results"):
        assert not list(_validator(shared, model).iter_errors(json.loads(oscal.document(empty, model, "en"))))


def test_what_people_took_away_and_took_out_is_not_in_it(small: SmallSystem) -> None:
    with small.database.write() as session:
        decide(session, small.who, small.id, TWO_FACTORS, False, "没有远程管理")
        objects.take_out(session, small.who, small.id, small.other, "退役", expected_version=None)
    told = material_of(small)
    assert "mlps3-" + TWO_FACTORS not in oscal.document(told, "profile", "zh").decode()
    assert "h2" not in oscal.document(told, "results", "zh").decode()
