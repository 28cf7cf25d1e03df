"""Who gets what, and when: rules, quiet hours, and the whole way from an alert to a digest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from kernel.detection import Detection
from operations import clock
from operations.alerts.record import record_detections
from operations.errors import Invalid
from operations.webhooks import service
from operations.webhooks.channels.wording import SHANGHAI
from operations.webhooks.routing import Matter, checked, due, read
from tests.operations.webhooks.bench import POLICY, Bench
from tests.operations.webhooks.receivers import HttpReceiver

MONDAY_10 = "2026-11-23T02:00:00.000000Z"  # 10:00 in the city
MONDAY_23 = "2026-11-23T15:00:00.000000Z"
TUESDAY_3 = "2026-11-23T19:00:00.000000Z"
NIGHT = {"start": "22:00", "end": "07:00"}
NOTHING: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())


def goes(
    routing: dict[str, Any], event_type: str = "alert.created", level: str = "high", at: str = MONDAY_10, **places: Any
) -> Any:
    def asked() -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(places.get("zones", ())), frozenset(places.get("organisations", ()))

    return due(read(checked(routing)), "low", Matter(event_type, level, asked), at)


@pytest.mark.parametrize(
    ("rule", "message", "wanted"),
    [
        ({}, {}, True),
        ({"types": ["alert.created"]}, {}, True),
        ({"types": ["incident.*"]}, {}, False),
        ({"types": ["incident.*"]}, {"event_type": "incident.overdue"}, True),
        ({"min_level": "critical"}, {}, False),
        ({"min_level": "critical"}, {"level": ""}, True),
        ({"zones": ["gov"]}, {}, False),
        ({"zones": ["gov"]}, {"zones": ["gov", "ot"]}, True),
        ({"organisations": ["水务局"]}, {"organisations": ["水务局"]}, True),
        ({"zones": ["gov"], "organisations": ["水务局"]}, {"zones": ["gov"]}, False),
        ({"hours": {"start": "09:00", "end": "18:00"}}, {}, True),
        ({"hours": {"start": "09:00", "end": "18:00"}}, {"at": MONDAY_23}, False),
        ({"hours": {"start": "09:00", "end": "18:00", "days": [6, 7]}}, {}, False),
        ({"hours": NIGHT | {"days": [1]}}, {"at": TUESDAY_3}, True),  # Monday's night
        ({"hours": NIGHT | {"days": [2]}}, {"at": TUESDAY_3}, False),
    ],
)
def test_a_rule(rule: dict[str, Any], message: dict[str, Any], wanted: bool) -> None:
    assert (goes({"rules": [rule]}, **message) is not None) == wanted


def test_one_rule_of_several_suffices_and_no_place_is_asked_for_nothing() -> None:
    def never() -> Any:
        raise AssertionError

    routing = {"rules": [{"types": ["incident.*"], "zones": ["gov"]}, {"types": ["alert.*"]}]}
    assert due(read(checked(routing)), "low", Matter("alert.created", "low", never), MONDAY_10) == MONDAY_10
    assert due(read("{}"), "medium", Matter("alert.created", "low", never), MONDAY_10) is None
    assert due(read("{}"), "medium", Matter("report.issued", "", never), MONDAY_10) == MONDAY_10


def test_quiet_hours_hold_back_what_does_not_break_through() -> None:
    quiet = {"quiet": NIGHT}
    morning = "2026-11-23T23:00:00.000000Z"  # Tuesday 07:00 in the city
    assert goes(quiet, at=MONDAY_10) == MONDAY_10
    assert goes(quiet, at=MONDAY_23) == morning
    assert goes(quiet, at=TUESDAY_3) == morning
    assert goes(quiet, at=MONDAY_23, level="critical") == MONDAY_23
    assert goes({"quiet": NIGHT | {"through": ""}}, at=MONDAY_23, level="critical") == morning
    assert goes({"quiet": NIGHT | {"through": "high"}}, at=MONDAY_23) == MONDAY_23
    assert goes(quiet, at=MONDAY_23, level="") == morning
    assert goes(quiet, at=morning) == morning


def test_whole_days() -> None:
    weekend = {"start": "00:00", "end": "00:00", "days": [6, 7]}
    saturday = "2026-11-28T02:00:00.000000Z"
    assert goes({"rules": [{"hours": weekend}]}, at=saturday) == saturday
    assert goes({"rules": [{"hours": weekend}]}, at=MONDAY_10) is None
    assert goes({"quiet": weekend}, at=saturday) == "2026-11-29T16:00:00.000000Z"  # Monday 00:00 in the city


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet": {"start": "00:00", "end": "00:00"}},
        {"rule": []},
        {"rules": [{"type": ["a.b"]}]},
        {"rules": [{"types": ["*"]}]},
        {"rules": [{"types": "alert.created"}]},
        {"rules": [{"min_level": "huge"}]},
        {"rules": [{"zones": [""]}]},
        {"rules": [{"zones": ["x"] * 51}]},
        {"rules": [{"hours": {"start": "24:00", "end": "07:00"}}]},
        {"rules": [{"hours": {"start": "07:00", "end": "07:00"}}]},
        {"rules": [{"hours": {"start": "07:00", "end": "08:00", "days": [8]}}]},
        {"rules": [{}] * 21},
        {"quiet": {"start": "22:00"}},
        {"quiet": NIGHT | {"through": "purple"}},
        {"quiet": 7},
        {"digest": {"minutes": 1441}},
        {"digest": {"minutes": 5, "through": "purple"}},
        [],
    ],
)
def test_routing_that_is_none(wrong: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        checked(wrong)
    assert refusal.value.field.split(".")[0] == "routing"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"rules": [{}, {"types": ["*"]}]}, "routing.rules.1.types"),
        ({"rules": [{"hours": {"start": "9", "end": "18:00"}}]}, "routing.rules.0.hours"),
        ({"rules": [{"hours": NIGHT | {"days": []}}]}, "routing.rules.0.hours.days"),
        ({"quiet": NIGHT | {"through": "purple"}}, "routing.quiet.through"),
        ({"digest": {"minutes": 0}}, "routing.digest"),
    ],
)
def test_a_refusal_names_the_place(wrong: Any, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        checked(wrong)
    assert refusal.value.field == field


def test_a_digest_holds_back_until_the_end_of_its_period() -> None:
    at = "2026-11-23T02:07:30.500000Z"  # 10:07:30 in the city
    assert goes({"digest": {"minutes": 15}}, at=at) == "2026-11-23T02:15:00.000000Z"
    assert goes({"digest": {"minutes": 15}}, at=at, level="critical") == at
    assert goes({"digest": {"minutes": 15, "through": "high"}}, at=at) == at
    assert goes({"digest": {"minutes": 60, "through": ""}}, at=at, level="critical") == "2026-11-23T03:00:00.000000Z"
    assert goes({"digest": {"minutes": 1000}}, at=MONDAY_23) == "2026-11-23T16:00:00.000000Z"  # midnight ends a period
    noon = {"digest": {"minutes": 60}, "quiet": {"start": "11:00", "end": "12:30"}}
    assert goes(noon, at=at) == "2026-11-23T04:30:00.000000Z"  # its digest ends within the quiet hours


def test_an_alert_goes_to_the_target_of_its_zone(bench: Bench, http: HttpReceiver, make: Callable[..., Detection]) -> None:
    bench.target("standard", http.url("/gov"), routing={"rules": [{"zones": ["gov"]}]})
    bench.target("standard", http.url("/water"), routing={"rules": [{"organisations": ["水务局"]}]})
    bench.target("standard", http.url("/all"))
    with bench.database.write() as session:
        record_detections(session, [make(host="a", host__zone="gov"), make(host="b", host__zone="ot")])
    assert bench.send().delivered == 3
    assert [json.loads(body)["data"]["host"] for path, _, body in http.requests if path == "/gov"] == ["a"]
    assert not [path for path, _, _ in http.requests if path == "/water"]


def test_what_waited_through_the_quiet_hours_comes_as_one_digest(bench: Bench, http: HttpReceiver) -> None:
    http.answers = [(200, {}, b'{"errcode":0}')]
    now = clock.moment(clock.now()).astimezone(SHANGHAI)
    hours = {"start": now.strftime("%H:00"), "end": f"{(now.hour + 3) % 24:02d}:00"}
    target, _ = bench.target("dingtalk", http.url(), routing={"quiet": hours})
    for number in range(5):
        bench.tell(host=f"h{number}")
    bench.tell(level="critical", rule_name="Ransomware")
    assert bench.send().delivered == 1
    assert "Ransomware" in http.requests[0][2].decode()
    assert {delivery.due_at for delivery in bench.deliveries(status="pending")} != {clock.now()}
    bench.later()
    assert bench.send().delivered == 5
    assert "合并 5 条通知" in http.requests[1][2].decode()
    with bench.database.write() as session:
        service.change_target(session, bench.who.actor, target.id, routing={}, policy=POLICY)
        assert session.execute(text("SELECT routing FROM webhook_targets")).scalar_one() == (
            '{"rules":[],"quiet":null,"digest":null}'
        )
