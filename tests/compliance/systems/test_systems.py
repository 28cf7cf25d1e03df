"""Systems: level, filing, people, zones; who sees them, and who was quicker."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.systems import service
from compliance.systems.levels import SystemLevel
from compliance.systems.schema import Filing, Responsible, SystemDraft, SystemFilter, SystemRecord
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from tests.operations.organisations_city import TRAFFIC, WATER, City

FILING = Filing("31010013579-25001", "2025-06-30", "兰亭市公安局", "水务局")
PEOPLE = (Responsible("leader", "赵局"), Responsible("security", "钱安", "021-5550 1234"))


def make(city: City, name: str = "供水调度", level: str = "S3A3", by: str = "planner", **more: Any) -> SystemRecord:
    who, database = city.as_(by)
    with database.write() as session:
        return service.create_system(session, who, SystemDraft(name, level, **more))


@pytest.mark.parametrize(
    ("text", "level", "overall"),
    [("S3A3", (3, 3, 3), 3), ("s3a2g3", (3, 2, 3), 3), (" S1A3 ", (1, 3, 3), 3), ("S2A2", (2, 2, 2), 2), ("S5A1", (5, 1, 5), 5)],
)
def test_the_level_of_a_system_is_the_higher_one_of_s_and_a(text: str, level: tuple[int, int, int], overall: int) -> None:
    found = SystemLevel.read(text)
    assert level == (found.S, found.A, found.G)
    assert found.overall == overall


@pytest.mark.parametrize("text", ["", "3", "S3", "S0A3", "S6A1", "S2A2G3", "S3A3G2", "S3A3G3X", "S３A3"])
def test_what_is_no_level(text: str) -> None:
    with pytest.raises(Invalid):
        SystemLevel.read(text)


def test_a_system_with_all_that_is_said_about_it(city: City) -> None:
    made = make(
        city, level="S3A2", organisation=WATER, extensions=("8.5", "8.4", "8.5"), zones=("water-ot", "water-office"), people=PEOPLE,
        filing=FILING, state="building", description=" 供水 \n调度 ",
    )  # fmt: skip
    assert (str(made.level), made.extensions, made.zones) == ("S3A2G3", ("8.4", "8.5"), ("water-office", "water-ot"))
    assert (made.people, made.filing, made.state, made.description) == (PEOPLE, FILING, "building", "供水 \n调度")
    with city.database.read() as session:
        assert service.get_system(session, made.id) == made
        entry = next(one for one in audit.listing(session).entries if one.action == "system.create")
    assert (entry.actor, entry.object_id, entry.detail["level"]) == ("planner", str(made.id), "S3A2G3")


WRONG: tuple[dict[str, Any], ...] = (
    {"name": " "},
    {"name": "x" * 129},
    {"level": "S9A1"},
    {"organisation": "海事局"},
    {"extensions": ("8.9",)},
    {"zones": ("nowhere",)},
    {"people": (Responsible("boss", "赵"),)},
    {"people": (Responsible("leader", ""),)},
    {"people": PEOPLE * 11},
    {"state": "dead"},
    {"filing": Filing(date="30.6.2025")},
)


def test_what_is_refused(city: City) -> None:
    for wrong in WRONG:
        with pytest.raises(Invalid):
            make(city, **wrong)


def test_a_name_is_there_once(city: City) -> None:
    make(city)
    with pytest.raises(Conflict, match="already"):
        make(city)


def change(city: City, number: int, draft: SystemDraft, version: int | None, by: str = "planner") -> SystemRecord:
    who, database = city.as_(by)
    with database.write() as session:
        return service.change_system(session, who, number, draft, expected_version=version)


def test_a_change_is_decided_on_a_version_and_audited(city: City) -> None:
    made = make(city, organisation=WATER)
    changed = change(city, made.id, SystemDraft("供水调度", "S3A1", organisation=WATER, filing=FILING), made.version, "planner.two")
    assert (str(changed.level), changed.filing, changed.version, changed.updated_by) == ("S3A1G3", FILING, 2, "planner.two")
    assert change(city, made.id, service.draft_of(changed), 2).version == 2, "the same again changes nothing"
    with pytest.raises(Stale):
        change(city, made.id, SystemDraft("供水", "S3A3"), made.version)
    with city.database.read() as session:
        entry = next(one for one in audit.listing(session).entries if one.action == "system.change")
    assert entry.detail["a"] == [3, 1]


def test_a_bureau_sees_its_own_and_describes_no_other(city: City) -> None:
    ours, theirs = make(city, organisation=WATER), make(city, "信号", organisation=TRAFFIC)
    make(city, "平台")
    _who, database = city.as_("water")
    with database.read() as session:
        assert [one.id for one in service.list_systems(session).systems] == [ours.id]
        with pytest.raises(NotFound):
            service.get_system(session, theirs.id)
    with pytest.raises(Denied):
        make(city, "别人的", organisation=TRAFFIC, by="water")
    with pytest.raises(NotFound):
        change(city, theirs.id, SystemDraft("x", "S3A3", organisation=WATER), None, "water")


def test_lists_are_filtered_and_paged_by_key(city: City) -> None:
    made = [make(city, f"系统 {number}", "S3A3" if number % 2 else "S2A2").id for number in range(5)]
    with city.database.read() as session:
        found, cursor = [], ""
        while True:
            page = service.list_systems(session, limit=2, cursor=cursor)
            found += [one.id for one in page.systems]
            cursor = page.cursor
            if not cursor:
                break
        assert found == made[::-1]
        assert len(service.list_systems(session, SystemFilter(level=2)).systems) == 3
        assert [one.id for one in service.list_systems(session, SystemFilter(text="系统 4")).systems] == [made[4]]
        assert service.list_systems(session, SystemFilter(text="100%")).systems == []
        with pytest.raises(Invalid):
            service.list_systems(session, cursor="nonsense")


def test_names_with_capital_letters_of_any_alphabet_are_found(city: City) -> None:
    made = {name: make(city, name).id for name in ("ＳＣＡＤＡ系统", "ÄB 100%", "Billing_2")}
    with city.database.read() as session:

        def found(text: str) -> list[int]:
            return [one.id for one in service.list_systems(session, SystemFilter(text=text)).systems]

        for name, number in made.items():
            assert found(name) == [number]
        assert found("äb") in ([], [made["ÄB 100%"]]), "SQLite knows the case of ASCII letters only"
        assert found("billING") == [made["Billing_2"]]
        assert found("billing/2") == found("100_") == found("g%2") == []


def test_one_is_found_by_its_exact_name(city: City) -> None:
    made, _theirs = make(city, "ÄB", organisation=WATER), make(city, "信号", organisation=TRAFFIC)
    _who, database = city.as_("water")
    with database.read() as session:
        assert service.find_named(session, "ÄB") == made
        assert [service.find_named(session, name) for name in ("äb", "B", "", "信号")] == [None] * 4
