from __future__ import annotations

import csv
import io

import msgspec
import pytest

from compliance.catalogue.applicable import LevelError, Levels, applicable
from compliance.catalogue.difference import difference
from compliance.catalogue.load import requirements
from compliance.catalogue.table import COLUMNS, as_csv


def test_a_whole_level_3_system_has_all_general_items() -> None:
    found = applicable(requirements(), Levels.read("S3A3"))
    assert len(found) == 211
    assert {one.holds for one in found} == {"as level 3"}


def test_a_lower_a_level_leaves_out_what_is_new_at_level_3() -> None:
    """8.1.1.9.c (redundant mains) and 8.1.4.9.c (hot standby) are items of service assurance that level 2 has not."""
    all_of_them = {one.placed.item.id for one in applicable(requirements(), Levels.read("S3A3"))}
    found = {one.placed.item.id: one for one in applicable(requirements(), Levels.read("s3a2g3"))}
    assert all_of_them - found.keys() == {"8.1.1.9.c", "8.1.4.9.c"}
    assert {one.placed.control_point.id for one in found.values() if one.holds == "as level 2"} == {"8.1.1.9", "8.1.4.9"}


def test_an_enhanced_item_is_looked_up_at_level_2() -> None:
    found = [one for one in applicable(requirements(), Levels.read("S2A3")) if one.holds == "as level 2"]
    enhanced = [one for one in found if one.placed.item.level3 == "enhanced"]
    assert enhanced
    assert all(one.clause == one.placed.item.level2_ref and one.clause.startswith("7.") for one in enhanced)
    assert all(one.clause == one.placed.item.id for one in found if one.placed.item.level3 == "same")


def test_extensions_are_added_and_are_general() -> None:
    assert (
        len(applicable(requirements(), Levels.read("S1A3"), ["8.2", "8.5"])) - len(applicable(requirements(), Levels.read("S1A3")))
        == 46 + 21
    )


@pytest.mark.parametrize("text", ["", "S2A2", "S4A3", "S3", "A3S3", "S3A3G2", "S3A3 S3A3", "S٣A3"])
def test_what_is_no_level_is_refused(text: str) -> None:
    with pytest.raises(LevelError):
        Levels.read(text)


def test_an_extension_that_is_not_there_is_refused() -> None:
    with pytest.raises(LevelError, match=r"8\.2 Cloud"):
        applicable(requirements(), Levels(), ["8.6"])


def test_the_table_can_be_read_back() -> None:
    items = applicable(requirements(), Levels(), ["8.2", "8.3", "8.4", "8.5"])
    text = as_csv(items)
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert len(rows) == 317
    assert tuple(rows[0]) == COLUMNS
    assert [row["clause"] for row in rows] == [one.placed.item.id for one in items]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")]


def test_a_version_differs_from_itself_in_nothing() -> None:
    assert difference(requirements(), requirements()) == []


def test_a_changed_a_removed_and_an_added_item_are_found() -> None:
    whole = requirements()
    first = whole.classes[0]
    point = first.control_points[0]
    new = msgspec.structs.replace(point.items[0], en="Otherwise", id="8.1.1.1.z")
    changed = msgspec.structs.replace(point.items[1], probes=("doc.upload",))
    there = msgspec.structs.replace(
        whole,
        classes=(
            msgspec.structs.replace(
                first, control_points=(msgspec.structs.replace(point, items=(changed, new)), *first.control_points[1:])
            ),
            *whole.classes[1:],
        ),
    )
    found = [(one.item, one.kind, one.field, one.before, one.after) for one in difference(whole, there)]
    assert found == [
        ("8.1.1.1.b", "changed", "probes", ("site.inspection", "doc.upload"), ("doc.upload",)),
        ("8.1.1.1.z", "added", "", None, None),
        ("8.1.1.1.a", "removed", "", None, None),
    ]
