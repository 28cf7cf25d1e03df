"""Correlation rules: Sigma specification 2.0, "Sigma correlation rules" (types, group-by, aliases, timespan, chains, generate)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.sigma.engine import SigmaEngine
from detectors.sigma.rule import CorrelationSpec
from detectors.sigma.windows import Entry, Windows, percentile
from kernel.event import timestamp
from tests.detectors.sigma.sigma_rules import engine_of, rule

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)

LOGIN = rule({"s": {"event.action": "login-failed"}, "condition": "s"}, number=1, name="failed_login")
SUCCESS = rule({"s": {"event.action": "login"}, "condition": "s"}, number=2, name="login")
CREATED = rule({"s": {"event.action": "user-created"}, "condition": "s"}, number=3, name="user_created")


def correlation(kind: str, rules: list[str], *, number: int = 9, level: str = "high", **section: Any) -> dict[str, Any]:
    more = {key.replace("_", "-"): value for key, value in section.items()}
    return {
        "title": f"Correlation {number}",
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "name": more.pop("name", f"correlation_{number}"),
        "level": level,
        "correlation": {"type": kind, "rules": rules, "timespan": "5m", **more},
    }


def happening(second: float, action: str, number: int = 0, **fields: Any) -> dict[str, Any]:
    moment = timestamp(START + timedelta(seconds=second))
    base = {"@timestamp": moment, "event.id": f"e{second:g}-{number}", "event.dataset": "liandun.test", "event.action": action}
    return base | fields


def fired(engine: SigmaEngine, events: Iterable[dict[str, Any]]) -> list[tuple[str, dict[str, str], int]]:
    """(rule, group, number of events) of each correlation detection."""
    found = engine.process(list(events))
    return [(one.rule_name, one.group, len(one.event_ids)) for one in found if one.engine == "correlation"]


def test_event_count_by_group(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, LOGIN, correlation("event_count", ["failed_login"], group_by=["user.name"], condition={"gte": 3}))
    events = [happening(n, "login-failed", **{"user.name": "eve" if n % 2 else "bob"}) for n in range(5)]
    assert fired(engine, events) == [("Correlation 9", {"user.name": "bob"}, 3)]
    # what fired is used up: bob needs three more
    assert fired(engine, [happening(6, "login-failed", **{"user.name": "bob"})]) == []


def test_what_lies_outside_the_timespan_does_not_count(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, LOGIN, correlation("event_count", ["failed_login"], condition={"gte": 3}))
    assert fired(engine, [happening(n, "login-failed") for n in (0, 200, 400, 600, 800)]) == []
    assert fired(engine, [happening(n, "login-failed") for n in (900, 1000)]) == [("Correlation 9", {}, 3)]


def test_the_detection_carries_what_a_person_needs(tmp_path: Path) -> None:
    document = correlation("event_count", ["failed_login"], group_by=["source.ip"], condition={"gt": 1})
    engine = engine_of(tmp_path, LOGIN, document)
    (found,) = engine.process([happening(n, "login-failed", **{"source.ip": "fe80::1"}) for n in range(2)])
    assert (found.rule_id, found.level, found.engine, found.group) == (
        document["id"],
        "high",
        "correlation",
        {"source.ip": "fe80::1"},
    )
    assert found.event_ids == ["e0-0", "e1-0"]
    assert found.event["event.id"] == "e1-0"
    assert [(one.field, one.value, one.pattern) for one in found.matched] == [
        ("source.ip", "fe80::1", ""),
        ("events", "2", "gt 1 within 300 s"),
    ]


def test_rules_that_feed_a_correlation_are_reported_only_with_generate(tmp_path: Path) -> None:
    quiet = engine_of(tmp_path / "a", LOGIN, correlation("event_count", ["failed_login"], condition={"gte": 9}))
    loud = engine_of(tmp_path / "b", LOGIN, correlation("event_count", ["failed_login"], condition={"gte": 9}, generate=True))
    assert quiet.process([happening(0, "login-failed")]) == []
    assert quiet.match(happening(0, "login-failed")) == []
    assert [one.rule_name for one in loud.process([happening(0, "login-failed")])] == ["Rule 1"]


def test_value_count_counts_distinct_values(tmp_path: Path) -> None:
    document = correlation("value_count", ["failed_login"], group_by=["source.ip"], condition={"field": "user.name", "gte": 3})
    engine = engine_of(tmp_path, LOGIN, document)
    names = ["a", "a", "b", "a", "b", "c"]
    events = [happening(n, "login-failed", **{"source.ip": "10.0.0.1", "user.name": name}) for n, name in enumerate(names)]
    assert fired(engine, events[:5]) == []
    assert fired(engine, events[5:]) == [("Correlation 9", {"source.ip": "10.0.0.1"}, 6)]


@pytest.mark.parametrize(
    ("kind", "condition", "values", "expected"),
    [
        ("value_sum", {"gt": 99}, [40, 59, 1], 3),
        ("value_sum", {"gt": 100}, [40, 59, 1], 0),
        ("value_avg", {"gte": 50}, [10, 20, 120], 3),
        ("value_percentile", {"gte": 90, "percentile": 50}, [10, 100, 100], 3),
        ("value_median", {"gt": 60}, [10, 70, 80], 3),
        ("value_sum", {"gte": 5}, ["many", "5"], 1),
    ],
)
def test_numbers(tmp_path: Path, kind: str, condition: dict[str, Any], values: list[Any], expected: int) -> None:
    document = correlation(kind, ["failed_login"], condition={"field": "network.bytes", **condition})
    engine = engine_of(tmp_path, LOGIN, document)
    found = fired(engine, [happening(n, "login-failed", **{"network.bytes": value}) for n, value in enumerate(values)])
    assert [events for _, _, events in found] == ([expected] if expected else [])


def test_few_events_are_judged_when_the_window_closes(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, LOGIN, correlation("event_count", ["failed_login"], condition={"lt": 3}))
    assert fired(engine, [happening(0, "login-failed"), happening(100, "login-failed"), happening(299, "x")]) == []
    assert fired(engine, [happening(301, "anything")]) == [("Correlation 9", {}, 2)]
    assert fired(engine, [happening(400 + n, "login-failed") for n in range(3)] + [happening(900, "x")]) == []


@pytest.mark.parametrize(("condition", "counts"), [({"eq": 2}, [2]), ({"neq": 2}, [1, 3]), ({"lte": 1}, [1])])
def test_exact_counts(tmp_path: Path, condition: dict[str, Any], counts: list[int]) -> None:
    engine = engine_of(tmp_path, LOGIN, correlation("event_count", ["failed_login"], condition=condition))
    events = [happening(window * 1000 + n, "login-failed") for window, size in enumerate((1, 2, 3)) for n in range(size)]
    assert [size for _, _, size in fired(engine, [*events, happening(9000, "x")])] == counts


def test_temporal_needs_all_rules_in_any_order(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, LOGIN, SUCCESS, correlation("temporal", ["failed_login", "login"], group_by=["user.name"]))
    eve, bob = {"user.name": "eve"}, {"user.name": "bob"}
    events = [happening(0, "login", **eve), happening(10, "login-failed", **bob), happening(20, "login-failed", **eve)]
    assert fired(engine, events) == [("Correlation 9", {"user.name": "eve"}, 2)]


def test_temporal_ordered_needs_the_order(tmp_path: Path) -> None:
    engine = engine_of(
        tmp_path, LOGIN, SUCCESS, CREATED, correlation("temporal_ordered", ["failed_login", "login", "user_created"])
    )
    assert fired(engine, [happening(0, "login"), happening(1, "login-failed"), happening(2, "user-created")]) == []
    assert fired(engine, [happening(3, "login"), happening(4, "user-created")]) == [("Correlation 9", {}, 5)]


def test_events_may_come_late(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, LOGIN, SUCCESS, correlation("temporal_ordered", ["failed_login", "login"]))
    assert fired(engine, [happening(50, "login"), happening(20, "login-failed")]) == [("Correlation 9", {}, 2)]
    assert fired(engine, [happening(1000, "login"), happening(600, "login-failed")]) == []  # too old for the window


def test_temporal_with_an_expression(tmp_path: Path) -> None:
    document = correlation(
        "temporal", ["failed_login", "login", "user_created"], condition="failed_login and (login or user_created)"
    )
    engine = engine_of(tmp_path, LOGIN, SUCCESS, CREATED, document)
    assert fired(engine, [happening(0, "login"), happening(1, "user-created")]) == []
    assert len(fired(engine, [happening(2, "login-failed")])) == 1


def test_temporal_with_not_waits_for_the_close(tmp_path: Path) -> None:
    document = correlation("temporal", ["failed_login", "login"], condition="failed_login and not login")
    engine = engine_of(tmp_path, LOGIN, SUCCESS, document)
    assert fired(engine, [happening(0, "login-failed"), happening(10, "login"), happening(400, "x")]) == []
    assert len(fired(engine, [happening(500, "login-failed"), happening(900, "x")])) == 1


def test_aliases_join_different_fields(tmp_path: Path) -> None:
    aliases = {"ip": {"failed_login": "source.ip", "login": "destination.ip"}}
    document = correlation("temporal", ["failed_login", "login"], group_by=["ip"], aliases=aliases)
    engine = engine_of(tmp_path, LOGIN, SUCCESS, document)
    events = [happening(0, "login-failed", **{"source.ip": "10.0.0.1"}), happening(1, "login", **{"destination.ip": "10.0.0.1"})]
    assert fired(engine, events) == [("Correlation 9", {"ip": "10.0.0.1"}, 2)]


def test_group_by_goes_through_the_field_mapping(tmp_path: Path) -> None:
    windows = rule(
        {"s": {"EventID": 4625}, "condition": "s"}, number=4, name="logon", logsource={"product": "windows", "service": "security"}
    )
    engine = engine_of(tmp_path, windows, correlation("event_count", ["logon"], group_by=["TargetUserName"], condition={"gte": 2}))
    fields = {"winlog.channel": "Security", "event.code": "4625", "winlog.event_data.TargetUserName": "eve"}
    events = [happening(n, "x") | fields | {"event.dataset": "windows.security"} for n in range(2)]
    assert fired(engine, events) == [("Correlation 9", {"TargetUserName": "eve"}, 2)]


def test_an_event_without_the_group_takes_no_part(tmp_path: Path) -> None:
    engine = engine_of(tmp_path, LOGIN, correlation("event_count", ["failed_login"], group_by=["user.name"], condition={"gte": 1}))
    assert fired(engine, [happening(0, "login-failed")]) == []


def test_correlations_of_correlations(tmp_path: Path) -> None:
    lower = correlation("event_count", ["failed_login"], number=8, name="brute", group_by=["user.name"], condition={"gte": 3})
    upper = correlation("temporal_ordered", ["brute", "login"], number=9, group_by=["user.name"], level="critical")
    engine = engine_of(tmp_path, upper, LOGIN, lower, SUCCESS)
    eve = {"user.name": "eve"}
    events = [happening(n, "login-failed", **eve) for n in range(3)] + [happening(10, "login", **eve)]
    assert fired(engine, events) == [("Correlation 9", eve, 4)]


def test_circles_are_refused(tmp_path: Path) -> None:
    one = correlation("temporal", ["correlation_8"], number=9)
    two = correlation("temporal", ["correlation_9"], number=8)
    engine = engine_of(tmp_path, one, two)
    assert engine.rules == []
    assert {failure.reason for failure in engine.failures} == {"correlation refers to itself"}


def test_windows_survive_a_restart(tmp_path: Path) -> None:
    document = correlation("event_count", ["failed_login"], group_by=["user.name"], condition={"gte": 3})
    closing = correlation("event_count", ["failed_login"], number=8, condition={"lt": 9})
    eve = {"user.name": "eve"}
    first = engine_of(tmp_path, LOGIN, document, closing)
    assert fired(first, [happening(n, "login-failed", **eve) for n in range(2)]) == []
    second = SigmaEngine.load([tmp_path])
    second.restore(first.state())
    assert fired(second, [happening(2, "login-failed", **eve)]) == [("Correlation 9", eve, 3)]
    assert fired(second, [happening(400, "x")]) == [("Correlation 8", {}, 3)]


def test_state_of_a_changed_rule_is_left_out_and_damage_is_said(tmp_path: Path) -> None:
    engine = engine_of(tmp_path / "a", LOGIN, correlation("event_count", ["failed_login"], condition={"gte": 3}))
    engine.process([happening(n, "login-failed") for n in range(2)])
    changed = engine_of(tmp_path / "b", LOGIN, correlation("event_count", ["failed_login"], condition={"gte": 2}))
    changed.restore(engine.state())
    assert fired(changed, [happening(2, "login-failed")]) == []
    with pytest.raises(ValueError, match="cannot be read"):
        changed.restore(b"\xc1 damaged")


def test_filters_narrow_rules(tmp_path: Path) -> None:
    by_name = {
        "title": "Not the backup account",
        "logsource": {"product": "liandun", "service": "test"},
        "filter": {"rules": ["failed_login"], "selection": {"user.name": "backup"}, "condition": "not selection"},
    }
    elsewhere = {
        "title": "Other logsource",
        "logsource": {"product": "windows"},
        "filter": {"rules": "any", "selection": {"user.name|exists": True}, "condition": "not selection"},
    }
    engine = engine_of(tmp_path, LOGIN, SUCCESS, by_name, elsewhere)
    assert not engine.failures
    assert engine.match(happening(0, "login-failed", **{"user.name": "backup"})) == []
    assert len(engine.match(happening(0, "login-failed", **{"user.name": "eve"}))) == 1
    assert len(engine.match(happening(0, "login", **{"user.name": "backup"}))) == 1
    assert [info.kind for info in engine.rules] == ["detection", "detection", "filter", "filter"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab")), max_size=40), st.integers(1, 6), st.integers(1, 20))
def test_counting_equals_a_plain_count(arrivals: list[tuple[int, str]], count: int, seconds: int) -> None:
    arrivals.sort()
    windows = Windows(CorrelationSpec("event_count", ("r",), ("g",), float(seconds), "gte", float(count)))
    waiting: dict[str, list[int]] = {}
    for moment, group in arrivals:
        held = [one for one in waiting.get(group, []) if one >= moment - seconds] + [moment]
        expected = len(held) >= count
        waiting[group] = [] if expected else held
        assert (windows.add((group,), Entry(float(moment), 0, "", []), {}) is not None) is expected


def test_percentile_is_linear_between_neighbours() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.5
    assert percentile([7.0], 99) == 7.0
    assert percentile([0.0, 10.0], 95) == 9.5
