"""Indicators met in events: which rule, which level, which alert; what is not met."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.intel import FIELDS, IntelDetector
from kernel.detection import Detection
from kernel.indicators.index import Index, Indicator, write_index

BAD = {
    1: ("address", "203.0.113.9", 90),
    2: ("address", "2001:db8::bad", 90),
    3: ("network", "198.51.100.0/24", 60),
    4: ("domain", "*.evil.example", 90),
    5: ("url", "https://load.example/x?y=1", 90),
    6: ("hash", "ab" * 32, 90),
    7: ("email", "boss@evil.example", 20),
    8: ("address", "203.0.113.77", 90),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    path = tmp_path_factory.mktemp("intel") / "index"
    end = {8: "2026-06-01T00:00:00.000000Z"}
    found = [
        Indicator(number, kind, value, sure, "feed", "", "why", "https://r.example", end.get(number, ""))
        for number, (kind, value, sure) in BAD.items()
    ]
    write_index(path, "1", found)
    return Index(path)


def _event(**fields: Any) -> dict[str, Any]:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return {"@timestamp": "2026-11-20T08:00:00.000000Z", "event.id": "e1", **named}


def _met(index: Index, **fields: Any) -> list[Detection]:
    return IntelDetector(lambda: index).process([_event(**fields)])


@pytest.mark.parametrize(
    ("fields", "rule", "level", "group"),
    [
        (
            {"source__ip": "10.1.1.1", "destination__ip": "203.0.113.9"},
            "contact",
            "high",
            {"indicator": "203.0.113.9", "source.ip": "10.1.1.1"},
        ),
        (
            {"source__ip": "fd00::5", "destination__ip": "2001:db8::bad"},
            "contact",
            "high",
            {"indicator": "2001:db8::bad", "source.ip": "fd00::5"},
        ),
        ({"source__ip": "203.0.113.9", "destination__ip": "10.1.1.1"}, "approach", "medium", {"indicator": "203.0.113.9"}),
        ({"source__ip": "198.51.100.200", "destination__ip": "10.1.1.1"}, "approach", "low", {"indicator": "198.51.100.0/24"}),
        ({"source__ip": "203.0.113.9", "event__type": ["connection", "denied"]}, "approach", "low", {"indicator": "203.0.113.9"}),
        (
            {"host__name": "pc1", "dns__question__name": "A.Evil.Example."},
            "contact",
            "high",
            {"indicator": "*.evil.example", "host.name": "pc1"},
        ),
        (
            {"dns__resolved_ip": ["192.0.2.1", "203.0.113.9"], "source__ip": "10.1.1.1"},
            "contact",
            "high",
            {"indicator": "203.0.113.9", "source.ip": "10.1.1.1"},
        ),
        ({"tls__client__server_name": "evil.example"}, "contact", "high", {"indicator": "*.evil.example"}),
        ({"url__full": "HTTPS://load.example:443/x?y=1#z"}, "contact", "high", {"indicator": "https://load.example/x?y=1"}),
        ({"process__hash__sha256": "AB" * 32, "host__name": "pc1"}, "file", "high", {"indicator": "ab" * 32, "host.name": "pc1"}),
        ({"email__from__address": ["Boss@evil.example"]}, "mail", "low", {"indicator": "boss@evil.example"}),
    ],
)
def test_met(index: Index, fields: dict[str, Any], rule: str, level: str, group: dict[str, str]) -> None:
    (found,) = _met(index, **fields)
    assert (found.rule_id, found.level, found.group, found.engine) == (f"indicator-{rule}", level, group, "intel")
    assert found.matched
    assert all(one.pattern == group["indicator"] and one.selection.startswith("feed #") for one in found.matched)
    assert found.references == ["https://r.example"]


@pytest.mark.parametrize(
    "fields",
    [
        {"source__ip": "10.1.1.1", "destination__ip": "203.0.113.8"},
        {"source__ip": "203.0.113.77"},  # it had ended
        {"dns__question__name": "notevil.example"},
        {"url__full": "https://load.example/x?y=2"},
        {"url__full": "no url"},
        {"message": "203.0.113.9"},
        {"file__hash__sha256": 7},
    ],
)
def test_not_met(index: Index, fields: dict[str, Any]) -> None:
    assert _met(index, **fields) == []


def test_a_device_and_an_indicator_are_told_once_a_minute(index: Index) -> None:
    detector = IntelDetector(lambda: index)
    events = [
        {
            **_event(source__ip=f"10.1.1.{device}", destination__ip="203.0.113.9"),
            "event.id": f"e{second}-{device}",
            "@timestamp": f"2026-11-20T08:0{second // 60}:{second % 60:02}.000000Z",
        }
        for second in range(0, 90, 10)
        for device in (1, 2)
    ]
    found = detector.process(events)
    assert [(one.group["source.ip"], one.time[14:19]) for one in found] == [
        ("10.1.1.1", "00:00"),
        ("10.1.1.2", "00:00"),
        ("10.1.1.1", "01:00"),
        ("10.1.1.2", "01:00"),
    ]
    again = IntelDetector(lambda: index)
    again.restore(detector.state())
    assert again.process(events[-2:]) == []
    with pytest.raises(ValueError, match="memory"):
        again.restore(b"\xc1")


def test_one_event_may_meet_several(index: Index) -> None:
    found = _met(
        index,
        source__ip="10.1.1.1",
        destination__ip="203.0.113.9",
        tls__client__server_name="x.evil.example",
        url__domain="x.evil.example",
    )
    assert [(one.group["indicator"], [field.field for field in one.matched]) for one in found] == [
        ("203.0.113.9", ["destination.ip"]),
        ("*.evil.example", ["tls.client.server_name", "url.domain"]),
    ]
    assert len({one.id for one in found}) == 2


def test_without_an_index_nothing_is_looked_up() -> None:
    assert IntelDetector(Index).process([_event(destination__ip="203.0.113.9")]) == []


_VALUES = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.integers(),
    st.booleans(),
    st.lists(st.one_of(st.text(max_size=10), st.none(), st.integers()), max_size=4),
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), _VALUES, max_size=6))
def test_no_event_breaks_it(index: Index, fields: dict[str, Any]) -> None:
    assert isinstance(IntelDetector(lambda: index).process([{**_event(), **fields}]), list)
