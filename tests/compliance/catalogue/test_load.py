"""The catalogue against the published counts of GB/T 22239-2019 and its neighbours (../shared/mlps names the sources)."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from compliance.catalogue.load import (
    FOLDER,
    CatalogueError,
    crypto_requirements,
    high_risk_guide,
    probes,
    put_together,
    requirements,
)

PUBLISHED = {
    "8.1.1": 22, "8.1.2": 8, "8.1.3": 20, "8.1.4": 34, "8.1.5": 12, "8.1.6": 7, "8.1.7": 14, "8.1.8": 12, "8.1.9": 34, "8.1.10": 48,
}  # fmt: skip
EXTENSIONS = {"8.2": 46, "8.3": 19, "8.4": 20, "8.5": 21}


def test_the_general_items_are_as_many_as_the_standard_has() -> None:
    found = Counter(placed.security_class.id for placed in requirements().placed() if not placed.extension)
    assert dict(found) == PUBLISHED
    assert sum(found.values()) == 211
    assert sum(len(security_class.control_points) for security_class in requirements().classes) == 71


def test_the_extensions_are_as_many_as_the_standard_has() -> None:
    found = Counter(placed.extension for placed in requirements().placed() if placed.extension)
    assert dict(found) == EXTENSIONS
    assert len(requirements().reference) == 24


def test_clause_ids_are_keys_and_lie_below_their_control_point_and_class() -> None:
    placed = list(requirements().placed())
    assert len({one.item.id for one in placed}) == len(placed) == 317
    for one in placed:
        assert one.item.id == one.control_point.id or re.fullmatch(re.escape(one.control_point.id) + r"\.[a-z]", one.item.id)
        assert one.control_point.id.startswith(one.security_class.id)


def test_every_item_is_said_in_both_languages_and_in_words_of_its_own() -> None:
    texts = Counter(placed.item.zh for placed in requirements().placed())
    assert all(re.search("[一-鿿]", text) for text in texts)
    for placed in requirements().placed():
        assert re.search("[A-Za-z]{3}", placed.item.en)
        assert not re.search("[一-鿿]", placed.item.en)


def test_what_items_name_is_there() -> None:
    known, cases = probes(), {case.id for case in high_risk_guide(2025).cases}
    hazards = {hazard.id for hazard in high_risk_guide(2025).hazards}
    for placed in requirements().placed():
        assert set(placed.item.probes) <= known.keys()
        assert set(placed.item.high_risk_2025) <= cases
        assert set(placed.item.major_hazard_2025) <= hazards
    assert (len(known), len(cases), len(hazards)) == (141, 81, 32)


def test_cases_and_items_name_one_another() -> None:
    """A case of the guide for level 3 or lower is one of the item of its clause, and the other way round."""
    by_item = {placed.item.id: set(placed.item.high_risk_2025) for placed in requirements().placed()}
    by_case: dict[str, set[str]] = {}
    for case in high_risk_guide(2025).cases:
        if case.min_level <= 3 and case.clause in by_item:
            by_case.setdefault(case.clause, set()).add(case.id)
    assert by_case == {item: cases for item, cases in by_item.items() if cases}


def test_what_nobody_compared_is_marked() -> None:
    units = [unit for _, unit in crypto_requirements().units()]
    assert all("modal" in unit.to_be_confirmed for unit in units)
    old = high_risk_guide(2020).cases
    assert len(old) == 71
    assert sum(not case.to_be_confirmed for case in old) == 4
    assert sum("assessment_unit" in placed.item.to_be_confirmed for placed in requirements().placed()) == 5


def test_cryptography_has_41_units_and_100_points() -> None:
    whole = crypto_requirements()
    groups = Counter(layer.group for layer, _ in whole.units())
    assert dict(groups) == {"technical": 22, "management": 19}
    assert sum(layer.points for layer in whole.layers) == 100
    assert all(unit.id.startswith(layer.id + ".") for layer, unit in whole.units())


def test_the_ids_are_those_of_the_material(shared: Path) -> None:
    found = yaml.safe_load((shared / "mlps" / "gbt22239-2019-level3.yaml").read_text("utf-8"))
    wanted = [
        (item["id"], point["attribute"], item["level3"], item["assessment_unit"])
        for one in found["classes"] for point in one["control_points"] for item in point["items"]
    ]  # fmt: skip
    ours = [
        (one.item.id, one.control_point.attribute, one.item.level3, one.item.assessment_unit)
        for one in requirements().placed() if not one.extension
    ]  # fmt: skip
    assert ours == wanted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("attribute: G", "attribute: X", 1), "Invalid enum value 'X'"),
        (lambda text: text.replace("evidence: manual", "evidences: manual", 1), "unknown field"),
        (lambda text: text.replace("id: 8.1.1.1.b", "id: 8.1.1.1.a", 1), "8.1.1.1.a is there twice"),
        (lambda text: text[:5000] + "\n  - [", "line"),
        (lambda text: "[" * 100_000, ""),
    ],
)
def test_a_file_with_mistakes_is_refused(change, message: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    wrong = tmp_path / "general.yaml"
    wrong.write_text(change((FOLDER / "gbt22239-level3.yaml").read_text("utf-8")), "utf-8")
    with pytest.raises(CatalogueError, match=re.escape(message)):
        put_together(wrong, FOLDER / "gbt22239-level3-extensions.yaml")
