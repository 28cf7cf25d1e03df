"""Mappings: the counts of annex A, keys that are there, and that they are marked as own work wherever they show."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

from compliance.catalogue.applicable import Levels, applicable
from compliance.catalogue.load import requirements
from compliance.catalogue.mappings import iso_controls, iso_mapping, operations_mapping, watching
from compliance.catalogue.table import as_csv

ROOT = Path(__file__).resolve().parents[3]
ANNEX_A = {"5": 37, "6": 8, "7": 14, "8": 34}
"""Published numbers of controls by theme, 93 in all."""
WITHOUT = {"8.1.2.3", "8.1.3.6", "8.1.4.6", "8.4.3.4"}
POINTS = {placed.control_point.id for placed in requirements().placed()}


def test_annex_a_is_complete_and_every_control_is_said_in_both_languages() -> None:
    found = iso_mapping()
    assert Counter(one.theme for one in found.controls) == ANNEX_A
    assert [one.id for one in found.controls] == [f"{theme}.{n}" for theme, many in ANNEX_A.items() for n in range(1, many + 1)]
    assert {one.id for one in found.themes} == set(ANNEX_A)
    assert all(one.zh and not one.zh.isascii() and one.en.isascii() for one in found.controls)
    assert found.to_be_confirmed


def test_every_control_point_is_mapped_or_named_as_having_no_counterpart() -> None:
    known = {one.id for one in iso_mapping().controls}
    assert set(iso_mapping().maps) == POINTS - WITHOUT
    for point, controls in iso_mapping().maps.items():
        assert set(controls) <= known, point
        assert len(set(controls)) == len(controls) > 0
    text = (ROOT / "compliance/catalogue/mapping-iso27001.yaml").read_text("utf-8")
    assert all(point in text.partition("standard:")[0] for point in WITHOUT)
    assert [one.id for one in iso_controls("8.1.10.5")] == ["8.8"]
    assert iso_controls("8.1.2.3") == []


def test_what_watches_over_a_control_point_is_there() -> None:
    tactics = set((ROOT / "rules/mappings/attack.txt").read_text("utf-8").split())
    playbooks = {path.stem for path in (ROOT / "playbooks/library").glob("*.json")}
    assert operations_mapping().to_be_confirmed
    for point, found in operations_mapping().maps.items():
        assert point in POINTS
        assert set(found.tactics) <= tactics, point
        assert set(found.playbooks) <= playbooks, point
        assert found.tactics or found.playbooks
    assert watching("8.1.1.1").tactics == ()
    assert "brute-force" in watching("8.1.4.1").playbooks


def test_each_tactic_has_rules_of_ours() -> None:
    said = "\n".join(path.read_text("utf-8") for path in (ROOT / "rules/sigma").rglob("*.yml"))
    for found in operations_mapping().maps.values():
        for tactic in found.tactics:
            assert f"attack.{tactic}" in said, tactic


def test_the_table_says_that_it_is_own_work() -> None:
    items = applicable(requirements(), Levels.read("S3A3"), [])
    rows = {one["clause"]: one for one in csv.DictReader(io.StringIO(as_csv(items).lstrip("\ufeff")))}
    assert rows["8.1.4.1.a"]["iso27001_own_work"] == "A.5.16 A.5.17 A.8.5"
    assert rows["8.1.4.1.a"]["tactics_own_work"] == "credential-access initial-access"
    assert rows["8.1.4.1.a"]["playbooks_own_work"] == "brute-force account-takeover"
