"""Pipes decide what a query answers."""

from __future__ import annotations

from pathlib import Path

from kernel.query import parse_query
from kernel.store.answer import answer
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake
from tests.kernel.store.contract_suite import ALWAYS, event, ids


def test_each_kind(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path, writable=True)
    lake.commit(Commit([event(n, user__name=f"u{n % 2}") for n in range(5)]))
    events = answer(lake, parse_query("user.name:u0 | fields user.name"), ALWAYS, count=True)
    assert events.kind == "events"
    assert events.page is not None
    assert ids(events.page.events) == [event(n)["event.id"] for n in (4, 2, 0)]
    assert events.page.total == 3
    assert events.columns == ("user.name",)
    assert answer(lake, parse_query("user.name:u1 | count"), ALWAYS).total == 2
    top = answer(lake, parse_query("* | top user.name 1"), ALWAYS)
    assert (top.kind, top.field, [(b.key, b.count) for b in top.buckets]) == ("top", "user.name", [("u0", 3)])
    when = TimeRange(event(0)["@timestamp"], event(4)["@timestamp"])
    bars = answer(lake, parse_query("* | histogram 2s"), when)
    assert [b.count for b in bars.buckets] == [2, 2]
    lake.close()
