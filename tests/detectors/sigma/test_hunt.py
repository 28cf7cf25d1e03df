"""Rules looked for in a lake: numbers, lists, correlations in the order of time, limits, and rules that cannot be looked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detectors.sigma import hunt as module
from detectors.sigma.artifacts import Artifacts
from detectors.sigma.engine import SigmaEngine
from detectors.sigma.hunt import Hunt
from detectors.sigma.loader import load_file
from detectors.sigma.logsource import load_routes
from detectors.sigma.source import RuleFile
from kernel.errors import RuleError
from kernel.event import Event
from kernel.query import Query
from kernel.query.tree import And
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake
from kernel.store.pages import pages_of

RULE = """title: Word
logsource: {product: liandun, service: test}
detection:
  selection: {process.command_line|contains: 'whoami /'}
  filter: {user.name: 'svc_*'}
  condition: selection and not filter
"""
MANY = """title: Base
name: base
logsource: {product: liandun, service: test}
detection:
  selection: {process.command_line|contains: 'whoami /'}
  condition: selection
---
title: Many
correlation:
  type: event_count
  rules: [base]
  group-by: [host.name]
  timespan: 15m
  condition: {gte: 3}
"""
ALWAYS = TimeRange()


def _time(event: Event) -> str:
    return str(event["@timestamp"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake.open(tmp_path / "lake", writable=True)
    events = [
        {
            "@timestamp": f"2026-11-2{number % 3 + 1}T04:{number:02d}:00.000000Z",
            "event.id": f"e{number:02d}",
            "event.dataset": "liandun.test" if number < 30 else "liandun.other",
            "host.name": f"web-{number % 3}",
            "user.name": "svc_backup" if number % 10 == 0 else "zhang",
            "source.ip": "192.0.2.7",
            "process.command_line": "WHOAMI /all" if number % 2 == 0 else "dir",
        }
        for number in range(40)
    ]
    lake.commit(Commit(events=events[::-1]))
    yield lake
    lake.close()


def test_what_a_rule_finds(store: Lake) -> None:
    found = Hunt(RULE).run(store, ALWAYS)
    assert (found.matches, found.events) == (12, 15)  # the filter is the engine's
    assert found.event_ids == sorted(found.event_ids, key=lambda one: (int(one[1:]) % 3, one))
    assert len(found.event_ids) == 12
    assert sorted(found.hosts) == ["web-0", "web-1", "web-2"]
    assert (found.users, found.addresses) == (["zhang"], ["192.0.2.7"])
    assert (found.first, found.last) == ("2026-11-21T04:06:00.000000Z", "2026-11-23T04:26:00.000000Z")


def test_only_in_the_time_asked_for(store: Lake) -> None:
    found = Hunt(RULE).run(store, TimeRange("2026-11-22T00:00:00.000000Z", "2026-11-23T00:00:00.000000Z"))
    assert (found.matches, found.hosts) == (4, ["web-1"])
    nothing = Hunt(RULE).run(store, TimeRange("2027-01-01T00:00:00.000000Z", ""))
    assert (nothing.matches, nothing.event_ids, nothing.first) == (0, [], "")


def _correlated(given: list[Event]) -> set[str]:
    """Events of the correlations that an engine makes which sees them one by one."""
    engine = SigmaEngine(*load_file(RuleFile("rule", MANY.encode()), {}, load_routes()), Artifacts(), load_routes())
    return {one for event in given for detection in engine.process([event]) for one in detection.event_ids}


def test_a_correlation_sees_events_in_the_order_of_time(store: Lake) -> None:
    found = Hunt(MANY).run(store, ALWAYS)
    in_order = sorted((event for page in pages_of(store, Query("", And()), ALWAYS, ["*"], set()) for event in page), key=_time)
    assert set(found.event_ids) == _correlated(in_order)
    assert set(found.event_ids) != _correlated(in_order[::-1])  # else the order would show nothing
    assert found.events == 15
    assert Hunt(MANY.replace("gte: 3", "gte: 300")).run(store, ALWAYS).matches == 0


def test_each_hunt_begins_without_memory(store: Lake) -> None:
    hunt = Hunt(MANY)
    assert hunt.run(store, ALWAYS) == hunt.run(store, ALWAYS)


def test_too_much_for_a_correlation(store: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_HELD", 5)
    with pytest.raises(RuleError, match="a shorter time"):
        Hunt(MANY).run(store, ALWAYS)


def test_it_is_called_off_even_where_nothing_is_found(store: Lake) -> None:
    def enough() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        Hunt(RULE.replace("contains: 'whoami /'", "contains|all: [whoami, dir]")).run(store, ALWAYS, enough)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no rule"),
        ("a: [", "YAML"),
        ("title: x", "no logsource"),
        (RULE.replace("selection and", "selektion and"), "selektion"),
        (RULE.replace("contains", "contians"), "line 4: Unknown modifier"),
        (RULE.replace("{product: liandun, service: test}", "{category: nobody_knows}"), "no events are known"),
        (RULE + "---\ntitle: y\n", "no logsource"),
        (MANY.split("---\n", 1)[1], "refers to 'base'"),
        ("x" * 3_000_000, "more than"),
        (RULE.replace("contains: 'whoami /'", f"re: {[f'x{number}' for number in range(101)]}"), "more than 100 regular"),
    ],
)
def test_rules_that_cannot_be_looked_for(text: str, reason: str) -> None:
    with pytest.raises(RuleError, match=reason):
        Hunt(text)
