"""Statistics of a field in the lake, against counting the same events by hand with the matcher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.query import matches, parse_query
from kernel.query.matcher import elements
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake

EVER = TimeRange()
FIELDS = ("destination.port", "event.category", "user.name", "source.ip", "custom.size")
made = st.fixed_dictionaries(
    {"minute": st.integers(0, 59)},
    optional={
        "destination.port": st.integers(0, 65_535),
        "event.category": st.lists(st.sampled_from(["network", "process", "file"]), min_size=1, max_size=3, unique=True),
        "user.name": st.sampled_from(["li", "root", "='x'"]),
        "source.ip": st.sampled_from(["10.0.0.1", "2001:db8::1"]),
        "custom.size": st.one_of(st.integers(-5, 5), st.sampled_from(["12", "big"])),
    },
)


def _lake(folder: Path, drawn: list[dict[str, Any]]) -> tuple[Lake, list[dict[str, Any]]]:
    events = [
        {"@timestamp": f"2026-11-23T04:{one['minute']:02d}:00.000000Z", "event.id": f"{n:x}"}
        | {name: value for name, value in one.items() if name != "minute"}
        for n, one in enumerate(drawn)
    ]
    lake = Lake.open(folder, writable=True, demo=True)
    lake.commit(Commit([dict(event) for event in events], consumer="test", position=1))
    return lake, events


@settings(max_examples=25, deadline=None)
@given(st.lists(made, min_size=1, max_size=40))
def test_statistics_are_those_of_the_events(tmp_path_factory: Any, drawn: list[dict[str, Any]]) -> None:
    lake, events = _lake(tmp_path_factory.mktemp("lake"), drawn)
    query = parse_query("NOT user.name:root")
    hits = [event for event in events if matches(query, event)]
    for field in FIELDS:
        found = lake.field_statistics(query, EVER, field)
        values = [element for event in hits for element in elements(event.get(field))]
        numbers = [value for value in values if isinstance(value, int)]
        assert (found.events, found.present) == (len(hits), sum(field in event for event in hits))
        assert abs(found.distinct - len({(type(value), value) for value in values})) <= 1 + len(values) // 10, field
        assert (found.minimum, found.maximum) == (min(numbers, default=None), max(numbers, default=None)), field
        assert found.average is None if not numbers else abs((found.average or 0) - sum(numbers) / len(numbers)) < 1e-6
    lake.close()
