"""What every EventStore must do. A test module of an engine derives from :class:`EventStoreContract` and provides ``store``."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.errors import StoreError
from kernel.event import Event, event_id
from kernel.query import parse_query
from kernel.store.contract import Commit, EventStore, Quarantined, TimeRange

ALWAYS = TimeRange()


def event(number: int, **fields: Any) -> Event:
    """An event at second ``number`` of 2026-11-23 04:00 UTC; keyword arguments are fields with ``__`` for the dot."""
    return {
        "@timestamp": f"2026-11-23T04:{number // 60:02d}:{number % 60:02d}.000000Z",
        "event.id": event_id("contract", number),
        **{name.replace("__", "."): value for name, value in fields.items()},
    }


def ids(events: list[Event]) -> list[str]:
    return [found["event.id"] for found in events]


class EventStoreContract:
    """Derive, and define the fixture ``store``: an empty writable EventStore."""

    def test_what_was_committed_is_found_whole(self, store: EventStore) -> None:
        original = event(
            1,
            process__name="PowerShell.exe",
            source__ip="10.1.2.3",
            source__port=445,
            tags=["a", "b"],
            winlog__event_data__Custom="Wert",
            custom__list=[1, "two", 3.5, True],
            event__original="<Event>…</Event>",
        )
        store.commit(Commit([dict(original)]))
        assert store.search(parse_query("*"), ALWAYS, fields=["*"]).events == [original]
        assert store.get(original["event.id"]) == original
        assert store.get(original["event.id"], near=original["@timestamp"]) == original
        assert store.get("0" * 32) is None

    def test_newest_first_and_pages_meet_without_gap_or_overlap(self, store: EventStore) -> None:
        events = [event(n // 3 * 3 + 0, n=n) | {"event.id": event_id("page", n)} for n in range(100)]  # equal times in threes
        for start in range(0, 100, 30):
            store.commit(Commit([dict(e) for e in events[start : start + 30]]))
        expected = ids(sorted(events, key=lambda e: (e["@timestamp"], e["event.id"]), reverse=True))
        found: list[str] = []
        cursor = ""
        for _ in range(20):
            page = store.search(parse_query("*"), ALWAYS, limit=7, cursor=cursor)
            found += ids(page.events)
            cursor = page.cursor
            if not cursor:
                break
        assert found == expected

    def test_time_range_is_half_open(self, store: EventStore) -> None:
        store.commit(Commit([event(n) for n in range(10)]))
        when = TimeRange(event(3)["@timestamp"], event(7)["@timestamp"])
        assert ids(store.search(parse_query("*"), when).events) == [event(n)["event.id"] for n in (6, 5, 4, 3)]
        assert store.count(parse_query("*"), when) == 4

    def test_fields_and_total(self, store: EventStore) -> None:
        store.commit(Commit([event(n, user__name="u", x__y="z", message="m") for n in range(5)]))
        page = store.search(parse_query("user.name:U"), ALWAYS, limit=2, fields=["x.y"], count=True)
        assert page.total == 5
        assert all(set(found) == {"@timestamp", "event.id", "x.y"} for found in page.events)

    def test_not_keeps_events_without_the_field(self, store: EventStore) -> None:
        store.commit(Commit([event(1, user__name="svc_backup"), event(2, user__name="li"), event(3)]))
        assert ids(store.search(parse_query("NOT user.name:svc_*"), ALWAYS).events) == [event(3)["event.id"], event(2)["event.id"]]

    def test_the_query_of_the_manual(self, store: EventStore) -> None:
        hit = event(1, process__name="PowerShell.EXE", destination__ip="10.200.3.4", user__name="li")
        misses = [
            event(2, process__name="cmd.exe", destination__ip="10.200.3.4", user__name="li"),
            event(3, process__name="powershell.exe", destination__ip="11.0.0.1", user__name="li"),
            event(4, process__name="powershell.exe", destination__ip="10.0.0.1", user__name="SVC_x"),
        ]
        store.commit(Commit([hit, *misses]))
        query = parse_query("process.name:powershell.exe AND destination.ip:10.0.0.0/8 AND NOT user.name:svc_*")
        assert ids(store.search(query, ALWAYS).events) == [hit["event.id"]]

    def test_ipv6_like_ipv4(self, store: EventStore) -> None:
        store.commit(
            Commit([event(1, source__ip="2001:db8::5"), event(2, source__ip="2001:db9::5"), event(3, source__ip="10.0.0.1")])
        )
        for text in (
            "source.ip:2001:db8::/32",
            "source.ip:2001:0DB8:0:0::5",
            "source.ip:[2001:db8:: TO 2001:db8::ff]",
            "2001:db8::/48",
        ):
            assert ids(store.search(parse_query(text), ALWAYS).events) == [event(1)["event.id"]], text

    def test_a_duplicate_event_id_is_stored_once(self, store: EventStore) -> None:
        store.commit(Commit([event(1), event(1), event(2)]))
        store.commit(Commit([event(2), event(3)]))
        assert store.count(parse_query("*"), ALWAYS) == 3

    def test_consumer_counters_and_quarantine_belong_to_the_commit(self, store: EventStore) -> None:
        assert store.consumer("pipeline") == (0, None)
        bad = [Quarantined(str(n), event(n)["@timestamp"], "s", "o", "broken", b"\xff\x00") for n in range(3)]
        store.commit(Commit([event(1)], quarantined=bad, consumer="pipeline", position=10, state=b"\x00s", counters={"stored": 1}))
        store.commit(Commit([], quarantined=bad[:1], consumer="pipeline", position=20, counters={"stored": 2, "x": 5}))
        assert store.consumer("pipeline") == (20, None)
        assert store.consumer("other") == (0, None)
        assert store.counters() == {"stored": 3, "x": 5}
        assert store.quarantine(limit=2) == [bad[2], bad[1]]
        assert store.quarantine(before="1") == [bad[0]]

    def test_a_position_that_goes_back_is_refused_and_stores_nothing(self, store: EventStore) -> None:
        store.commit(Commit([event(1)], consumer="pipeline", position=10))
        with pytest.raises(StoreError, match="stands at 10"):
            store.commit(Commit([event(2)], consumer="pipeline", position=5, counters={"stored": 1}))
        assert store.count(parse_query("*"), ALWAYS) == 1
        assert store.counters() == {}

    def test_histogram_counts_every_event_once(self, store: EventStore) -> None:
        store.commit(Commit([event(n) for n in range(60)]))
        when = TimeRange(event(0)["@timestamp"], event(60)["@timestamp"])
        assert [b.count for b in store.histogram(parse_query("*"), when, buckets=6)] == [10] * 6
        assert [b.key for b in store.histogram(parse_query("*"), when, buckets=2)] == [
            event(0)["@timestamp"],
            event(30)["@timestamp"],
        ]
        assert [b.count for b in store.histogram(parse_query("*"), ALWAYS, buckets=3)] == [20, 20, 20]
        sparse = store.histogram(parse_query("*"), TimeRange(event(0)["@timestamp"], event(120)["@timestamp"]), interval=30)
        assert [b.count for b in sparse] == [30, 30, 0, 0]

    def test_top_counts_elements(self, store: EventStore) -> None:
        store.commit(Commit([event(1, tags=["a", "b"], x=1), event(2, tags="a", x=1), event(3, tags=["a"], x="one"), event(4)]))
        assert [(b.key, b.count) for b in store.top(parse_query("*"), ALWAYS, "tags")] == [("a", 3), ("b", 1)]
        assert [(b.key, b.count) for b in store.top(parse_query("*"), ALWAYS, "x", limit=1)] == [(1, 2)]
        assert store.top(parse_query("*"), ALWAYS, "nothing.there") == []

    def test_sort(self, store: EventStore) -> None:
        store.commit(Commit([event(1, source__port=3), event(2, source__port=1), event(3, source__port=20), event(4)]))
        found = store.search(parse_query("* | sort source.port desc"), ALWAYS, fields=["source.port"], limit=3).events
        assert [e.get("source.port") for e in found] == [20, 3, 1]
        assert ids(store.search(parse_query("* | sort @timestamp"), ALWAYS, limit=2).events) == [
            event(1)["event.id"],
            event(2)["event.id"],
        ]

    def test_statistics(self, store: EventStore) -> None:
        assert store.statistics()["events"] == 0
        store.commit(Commit([event(1, event__dataset="a"), event(2, event__dataset="b"), event(3, event__dataset="b")]))
        facts = store.statistics()
        assert (facts["events"], facts["earliest"], facts["latest"]) == (3, event(1)["@timestamp"], event(3)["@timestamp"])
        assert facts["by_dataset"] == {"b": 2, "a": 1}
        assert facts["bytes"] > 0

    def test_retention_refuses_less_than_the_law_asks(self, store: EventStore) -> None:
        with pytest.raises(StoreError, match="网络安全法"):
            store.retain(179, "2026-11-23T00:00:00.000000Z")

    def test_retention_drops_whole_days(self, store: EventStore) -> None:
        days = ["2026-01-01", "2026-05-26", "2026-05-27", "2026-05-28", "2026-11-23"]
        store.commit(Commit([event(n) | {"@timestamp": f"{day}T23:59:59.999999Z"} for n, day in enumerate(days)]))
        assert store.retain(180, "2026-11-23T12:00:00.000000Z") == 2  # 180 days before is 2026-05-27
        left = store.search(parse_query("*"), ALWAYS).events
        assert [e["@timestamp"][:10] for e in left] == days[:1:-1]
        assert store.retain(180, "2026-11-23T12:00:00.000000Z") == 0
