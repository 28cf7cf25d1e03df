"""Drafts that make themselves: from real alerts in real zones, each pattern once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from kernel.db import Database
from kernel.detection import Detection
from operations import clock
from operations.alerts import service as alerts
from operations.audit.schema import SYSTEM
from operations.errors import Invalid
from operations.warnings import patterns, service, settings
from operations.warnings.models import WarningHistory, WarningRow
from operations.warnings.schema import BoardFilter
from tests.operations.warnings.conftest import DUTY, LEADER, START, WRITER, Clock

ZONES = ("water-ot", "traffic-iot", "gov-cloud")
Fire = Callable[..., None]


@pytest.fixture
def fire(city: Database, make: Callable[..., Detection], time: Clock) -> Fire:
    """``fire(zone, rule=…, level=…, engine=…, tags=…)``: an alert of a host of its own in that zone, now."""
    number = iter(range(10_000))

    def run(zone: str, times: int = 1, **more: Any) -> None:
        for _ in range(times):
            found = make(host=f"H{next(number)}", time=time.now, host__zone=zone, **more)
            with city.write() as session:
                alerts.record_detections(session, [found])

    return run


def drafts(database: Database) -> list[Any]:
    with database.read() as session:
        rows = service.board(session, BoardFilter(source=("pattern",)), limit=200).rows
    return [row.warning for row in reversed(rows)]


def test_one_rule_in_three_zones_drafts_one_warning(city: Database, fire: Fire) -> None:
    for zone in ZONES[:2]:
        fire(zone, times=5)
    assert patterns.draft_from_patterns(city) == []
    fire(ZONES[2])
    (number,) = patterns.draft_from_patterns(city)
    (made,) = drafts(city)
    assert (made.id, made.status, made.author, made.contributors) == (number, "draft", SYSTEM.name, [])
    assert sorted(made.zones) == sorted(ZONES)
    assert (made.importance, made.harm, made.level) == ("special", "large", "yellow")  # water-ot has five of five; high alerts
    assert {name: made.reasons[0][name] for name in ("pattern", "subject", "count", "alert_count")} == {
        "pattern": "rule", "subject": "rule-1", "count": 3, "alert_count": 11,
    }  # fmt: skip


def test_one_indicator_met_in_two_zones_drafts_one_warning(city: Database, fire: Fire) -> None:
    met = {"engine": "intel", "rule": "indicator-contact", "group": {"indicator": "203.0.113.9"}}
    fire(ZONES[0], times=3, **met)
    fire(ZONES[1], engine="intel", rule="indicator-contact", group={"indicator": "203.0.113.10"})
    for zone in ZONES:  # everybody's doors are knocked at
        fire(zone, engine="intel", rule="indicator-approach", group={"indicator": "198.51.100.7"})
    assert patterns.draft_from_patterns(city) == []
    fire(ZONES[1], **met)
    (number,) = patterns.draft_from_patterns(city)
    (made,) = drafts(city)
    assert (made.id, made.title) == (number, "2 个区域命中同一威胁情报：203.0.113.9")
    assert made.reasons[0]["pattern"] == "indicator"
    assert patterns.draft_from_patterns(city) == []


def test_what_is_lower_elsewhere_or_long_ago_does_not_count(city: Database, fire: Fire, time: Clock) -> None:
    for zone in ZONES:
        fire(zone, level="medium", rule="quiet")
    for zone in (*ZONES[:2], "no-such-zone", "unknown"):
        fire(zone, rule="two")
    assert patterns.draft_from_patterns(city) == []
    fire(ZONES[0], rule="slow")
    fire(ZONES[1], rule="slow")
    time.move(hours=25)
    fire(ZONES[2], rule="slow")
    assert patterns.draft_from_patterns(city) == []


def test_a_technique_counts_over_rules_but_a_rule_and_its_technique_are_one(city: Database, fire: Fire) -> None:
    for number, zone in enumerate(ZONES):
        fire(zone, rule=f"r{number}", tags=["attack.execution", "attack.ta0002", "attack.t1059.001"])
    assert len(patterns.draft_from_patterns(city)) == 1
    assert drafts(city)[0].reasons[0]["subject"] == "t1059.001"
    for zone in ZONES:
        fire(zone, rule="wide", tags=["attack.t1021.002"])
    assert len(patterns.draft_from_patterns(city)) == 1
    assert drafts(city)[1].reasons[0]["subject"] == "wide"
    for _round in range(3):
        assert patterns.draft_from_patterns(city) == []


def test_boundary_violations_of_one_zone(city: Database, fire: Fire, make: Callable[..., Detection], time: Clock) -> None:
    def cross(times: int) -> None:
        for _ in range(times):
            crossing = make(
                rule="zones-denied", engine="zone", host="", time=time.now, level="medium", source__ip="10.60.0.9",
                destination__ip="10.50.0.1", source__zone="water-ot", destination__zone="traffic-iot",
            )  # fmt: skip
            with city.write() as session:
                alerts.record_detections(session, [crossing])

    cross(19)
    assert patterns.draft_from_patterns(city) == []
    cross(1)
    assert len(patterns.draft_from_patterns(city)) == 1
    (made,) = drafts(city)
    assert (made.title, made.reasons[0]["count"]) == ("水务控制网多次违规跨区访问", 20)
    assert sorted(made.zones) == ["traffic-iot", "water-ot"]
    cross(40)
    assert patterns.draft_from_patterns(city) == []


def test_nothing_comes_back_until_it_happens_anew(city: Database, fire: Fire, time: Clock) -> None:
    for zone in ZONES:
        fire(zone)
    (first,) = patterns.draft_from_patterns(city)
    time.move(hours=1)
    assert patterns.draft_from_patterns(city) == []
    with city.write() as session:
        service.discard(session, WRITER, first, expected_version=1, note="演练")
    for _round in range(3):
        time.move(hours=1)
        assert patterns.draft_from_patterns(city) == []  # the same alerts are still in the window
    for zone in ZONES[:2]:
        fire(zone)
    assert patterns.draft_from_patterns(city) == []
    fire(ZONES[2])
    assert len(patterns.draft_from_patterns(city)) == 1
    assert patterns.draft_from_patterns(city) == []


def test_it_waits_while_the_warning_is_in_force(city: Database, fire: Fire, time: Clock) -> None:
    for zone in ZONES:
        fire(zone)
    (number,) = patterns.draft_from_patterns(city)
    with city.write() as session:
        draft = service.draft_of(service.get(session, number))
        texts = dict.fromkeys(("nature", "threat", "extent", "objects", "effect", "measures"), "如题")
        service.edit(session, WRITER, number, msgspec.structs.replace(draft, **texts), expected_version=1)
        service.submit(session, WRITER, number, expected_version=None)
        service.approve(session, LEADER, number, expected_version=None)
        service.publish(session, DUTY, number, expected_version=None)
    for _day in range(4):
        time.move(hours=20)
        for zone in ZONES:
            fire(zone)
        assert patterns.draft_from_patterns(city) == []
    with city.write() as session:
        service.lift(session, DUTY, number, expected_version=None, note="over")
    assert patterns.draft_from_patterns(city) == []
    time.move(hours=1)
    for zone in ZONES:
        fire(zone)
    assert len(patterns.draft_from_patterns(city)) == 1


def test_many_schedulers_at_once_make_one_draft(city: Database, fire: Fire) -> None:
    for zone in ZONES:
        fire(zone)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(patterns.draft_from_patterns(city))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    with city.read() as session:
        assert session.execute(select(func.count()).select_from(WarningRow)).scalar_one() == 1
        assert session.execute(select(func.count()).select_from(WarningHistory)).scalar_one() == 1


def test_a_flood_of_patterns_is_taken_in_turns(city: Database, fire: Fire) -> None:
    for rule in range(patterns.MOST + 5):
        for zone in ZONES:
            fire(zone, rule=f"rule-{rule:02d}")
    assert len(patterns.draft_from_patterns(city)) == patterns.MOST
    assert len(patterns.draft_from_patterns(city)) == 5
    assert patterns.draft_from_patterns(city) == []


def test_the_numbers_are_those_of_the_site(city: Database, fire: Fire) -> None:
    for zone in ZONES[:2]:
        fire(zone, level="medium")
    value = {"zones": 2, "indicator_zones": 2, "violations": 20, "window_hours": 1, "min_level": "medium"}
    with city.write() as session:
        settings.change(session, DUTY, "patterns", value, "x", True, expected_version=0)
    assert len(patterns.draft_from_patterns(city)) == 1


def test_what_made_itself_cannot_be_submitted_before_a_person_wrote(city: Database, fire: Fire) -> None:
    for zone in ZONES:
        fire(zone)
    (number,) = patterns.draft_from_patterns(city)
    with pytest.raises(Invalid), city.write() as session:
        service.submit(session, WRITER, number, expected_version=1)
    assert clock.now() == START
