"""What every EventStore must do. A test module of an engine derives from :class:`EventStoreContract` and provides ``store``, and
``reopen``: closes the store and opens it again for writing, as a new process would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kernel.errors import StoreError
from kernel.event import Event, event_id
from kernel.query import parse_query
from kernel.store.contract import Commit, EventStore, Quarantined, TimeRange
from kernel.store.storable import storable

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
    """Derive, and define the fixtures ``store`` (an empty writable EventStore) and ``reopen``."""

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
        assert store.get(original["event.id"], at=original["@timestamp"]) == original
        assert store.get(original["event.id"], at="2026-11-21T00:00:00.000000Z") is None
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

    def test_retention_goes_by_the_arrival_where_a_clock_is_wrong(self, store: EventStore) -> None:
        """A camera that thinks it is 2019: its records are kept from when they came."""
        arrivals = ["2026-11-23T04:00:00.000000Z", "2026-05-27T00:00:00.000000Z", "2026-05-26T23:59:59.999999Z", None, "2099"]
        events = [event(n, message=f"m{n}") | {"@timestamp": f"2019-01-01T00:00:{n:02d}.000000Z"} for n in range(5)]
        for found, arrival in zip(events, arrivals, strict=True):
            if arrival:
                found["event.ingested"] = arrival
        old_day = event(9) | {"@timestamp": "2026-05-01T00:00:00.000000Z", "event.ingested": "2026-05-01T00:00:01.000000Z"}
        store.commit(Commit([dict(e) for e in events[:3]]))
        store.commit(Commit([dict(e) for e in [*events[3:], old_day]]))
        assert store.retain(180, "2026-11-23T12:00:00.000000Z") == 4
        assert store.search(parse_query("*"), ALWAYS, fields=["*"]).events == [events[1], events[0]]
        assert store.count(parse_query("message:m1"), TimeRange(end="2020-01-01T00:00:00.000000Z")) == 1
        assert store.retain(180, "2026-11-24T12:00:00.000000Z") == 1
        assert ids(store.search(parse_query("*"), ALWAYS).events) == [event(0)["event.id"]]
        assert store.retain(180, "2026-11-24T13:00:00.000000Z") == 0

    def test_case_does_not_matter_and_what_was_written_comes_back(self, store: EventStore) -> None:
        names = ["CMD.EXE", "cmd.exe", "Straße", "STRASSE", "ΑΣ", "ας", "İx"]
        store.commit(
            Commit([event(n, process__name=name, winlog__event_data__Custom=name, x=[name, "b"]) for n, name in enumerate(names)])
        )
        for field in ("process.name", "winlog.event_data.Custom", "x"):
            for text, expected in (
                ("Cmd.exe", [1, 0]),
                ("cMd*", [1, 0]),
                ("/^CM[C-E]\\.exe$/", [1, 0]),
                ("STRAßE", [2]),
                ("ασ", [4]),
                ("?X", [6]),
                ("ix", [6]),
            ):
                hits = store.search(parse_query(f"{field}:{text}"), ALWAYS, fields=[field]).events
                assert ids(hits) == [event(n)["event.id"] for n in expected], (field, text)
        top = store.top(parse_query("process.name:cmd*"), ALWAYS, "process.name")
        assert [(bucket.key, bucket.count) for bucket in top] == [("CMD.EXE", 1), ("cmd.exe", 1)]

    def test_networks_in_any_field(self, store: EventStore) -> None:
        addresses = [
            "2001:db8::5",
            "2001:DB8:0:1::5",
            "fe80::1%eth0",
            "::ffff:10.1.2.3",
            "10.1.2.4",
            "10.2.0.1",
            "no address",
            "10.1.2.0/24",
        ]
        fields = ("source.ip", "host.name", "custom.address")
        events = [
            event(n, source__ip=text, host__name=text, custom__address=["x", text], related__ip=[text, "192.0.2.1"])
            for n, text in enumerate(addresses)
        ]
        store.commit(Commit(events))
        for text, expected in (
            ("2001:db8::/32", [1, 0]),
            ("2001:db8::/64", [0]),
            ("2001:0db8::0005", [0]),
            ("fe80::/10", [2]),
            ("10.1.2.0/24", [7, 4, 3]),
            ("::ffff:10.1.2.0/120", [4, 3]),
            ("0.0.0.0/0", [5, 4, 3]),
            ("::/0", [5, 4, 3, 2, 1, 0]),
            ("[10.1.2.4 TO 10.255.255.255]", [5, 4]),
        ):
            for field in (*fields, "related.ip"):
                wanted = expected
                if field == "related.ip" and text in ("0.0.0.0/0", "::/0"):
                    wanted = [7, 6, 5, 4, 3, 2, 1, 0]
                found = ids(store.search(parse_query(f"{field}:{text}"), ALWAYS).events)
                assert found == [event(n)["event.id"] for n in wanted], (field, text)
            negated = store.count(parse_query(f"NOT source.ip:{text}"), ALWAYS)
            assert negated == len(addresses) - len(expected), text

    @pytest.mark.slow
    def test_pages_to_ten_thousand_and_beyond(self, store: EventStore) -> None:
        events = [
            event(0, n=n) | {"@timestamp": f"2026-11-23T04:{n % 60:02d}:00.{n // 60:06d}Z", "event.id": event_id("p", n)}
            for n in range(10_400)
        ]
        for start in range(0, len(events), 2_600):
            store.commit(Commit(events[start : start + 2_600]))
        expected = ids(sorted(events, key=lambda e: (e["@timestamp"], e["event.id"]), reverse=True))
        assert ids(store.search(parse_query("*"), ALWAYS, limit=10_350, fields=["event.id"]).events) == expected[:10_350]
        found: list[str] = []
        cursor = ""
        while True:
            page = store.search(parse_query("*"), ALWAYS, limit=2_000, cursor=cursor, fields=["event.id"])
            found += ids(page.events)
            cursor = page.cursor
            if not cursor:
                break
        assert found == expected
        assert store.count(parse_query("n:>=100"), ALWAYS) == 10_300

    def test_numbers_and_texts_that_spell_them(self, store: EventStore) -> None:
        values = [445, "445", "0445", 445.0, 1.5, "1.5", -3, 2**53 + 1, True, "true"]
        store.commit(Commit([event(n, custom__value=value) for n, value in enumerate(values)]))
        for text, expected in (
            ("445", [3, 1, 0]),
            ("0445", [3, 2, 0]),
            (">=445", [7, 3, 2, 1, 0]),
            ("{-5 TO 2}", [6, 5, 4]),
            ("9007199254740993", [7]),
            ("9007199254740992", []),
            ("true", [9, 8]),
            ("4?5", [1, 0]),
            ("*45*", [3, 2, 1, 0]),
            ('>="a"', [9, 8]),
        ):
            found = ids(store.search(parse_query(f"custom.value:{text}"), ALWAYS).events)
            assert found == [event(n)["event.id"] for n in expected], text

    def test_no_value_is_refused_because_of_what_came_before(self, store: EventStore) -> None:
        """Mapping conflicts, as a server with typed fields has them."""
        values: list[Any] = [5, "five", [1, "x"], True, 1.5, {"deep": 1}, [], "", [{"a": 1}], 2**70, "2026-11-23", "10.0.0.1", None]
        odd = ["", ".", "a..b", "_id", "a b", "ä", "x" * 300, 'q"~/', "_source", "liandun.store.terms", "a.folded", "@timestamp.x"]
        events = [event(n, a=value, a__b=value, source__port=value, source__ip=value, tags=value) for n, value in enumerate(values)]
        events += [event(50 + n) | {name: "Value"} for n, name in enumerate(odd)]
        for start in range(0, len(events), 5):
            store.commit(Commit([dict(e) for e in events[start : start + 5]]))
        found = {e["event.id"]: e for e in store.search(parse_query("*"), ALWAYS, fields=["*"]).events}
        assert found == {e["event.id"]: storable(e) for e in events}
        assert ids(store.search(parse_query("a:FIVE AND source.port:five AND tags:five"), ALWAYS).events) == [event(1)["event.id"]]
        assert ids(store.search(parse_query("ä:value"), ALWAYS).events) == [event(55)["event.id"]]

    def test_very_long_values_are_found(self, store: EventStore) -> None:
        block = "Invoke-Thing -Parameter Value; " * 2_000
        events = [
            event(1, message="start " + block + "END-MARK", process__command_line=block + "Needle.exe"),
            event(2, message="start", process__command_line="needle.exe"),
            event(3, custom__script=["a", "q" * 40_000 + "Zz"]),
        ]
        store.commit(Commit([dict(e) for e in events]))
        assert store.get(event(1)["event.id"]) == events[0]
        for text, expected in (
            ("message:end-mark", [1]),
            ("message:start", [2, 1]),
            ("process.command_line:*needle.exe", [2, 1]),
            ("process.command_line:invoke*exe", [1]),
            ("process.command_line:/need[l]e\\.exe$/", [2, 1]),
            ("custom.script:*zz", [3]),
            ("NOT custom.script:*zz", [2, 1]),
            ("end-mark", [1]),
        ):
            assert ids(store.search(parse_query(text), ALWAYS).events) == [event(n)["event.id"] for n in expected], text
            assert store.count(parse_query(text), ALWAYS) == len(expected), text

    def test_top_and_histogram_of_a_part(self, store: EventStore) -> None:
        events = [
            event(
                n,
                user__name="Li" if n % 2 else "wang",
                destination__port=[80, 443, 8443][n % 3],
                message=f"m{n % 4} \\b x",
                n=n % 5,
            )
            for n in range(60)
        ]
        store.commit(Commit(events))
        top = store.top(parse_query("user.name:li"), ALWAYS, "destination.port", limit=2)
        assert [(b.key, b.count) for b in top] == [(443, 10), (80, 10)]  # equally often: in the order of their text
        assert [(b.key, b.count) for b in store.top(parse_query("n:<3"), ALWAYS, "n")] == [(0, 12), (1, 12), (2, 12)]
        assert [(b.key, b.count) for b in store.top(parse_query("message:/m[01]\\b/"), ALWAYS, "user.name")] == [
            ("Li", 15),
            ("wang", 15),
        ]
        assert [b.count for b in store.top(parse_query("*"), ALWAYS, "message", limit=2)] == [15, 15]
        when = TimeRange(event(0)["@timestamp"], event(60)["@timestamp"])
        assert [b.count for b in store.histogram(parse_query("message:/\\bm1\\b/"), when, buckets=3)] == [5, 5, 5]

    def test_sort_of_texts_and_mixed_values(self, store: EventStore) -> None:
        values = ["b", "A", "c", "10", "9", None, "B2"]
        store.commit(Commit([event(n, user__name=value, x=value) for n, value in enumerate(values)]))
        for field in ("user.name", "x"):
            up = store.search(parse_query(f"* | sort {field}"), ALWAYS, fields=[field]).events
            assert [e.get(field) for e in up] == ["9", "10", "A", "b", "B2", "c", None], field
            down = store.search(parse_query(f"* | sort {field} desc"), ALWAYS, fields=[field], limit=3).events
            assert [e.get(field) for e in down] == ["10", "9", "c"], field

    def test_delivered_again_after_a_restart(self, store: EventStore, reopen: Callable[[], EventStore]) -> None:
        bad = [Quarantined("q", event(1)["@timestamp"], "s", "o", "broken", b"\xff")]
        batch = Commit([event(n) for n in range(50)], bad, "pipeline", 10, b"state", {"stored": 50})
        store.commit(batch)
        again = reopen()
        assert again.consumer("pipeline") == (10, b"state")
        with pytest.raises(StoreError, match="stands at 10"):
            again.commit(batch)
        batch.position = 20
        again.commit(batch)
        assert again.count(parse_query("*"), ALWAYS) == 50
        assert again.counters() == {"stored": 100, "store.duplicates": 50}
        assert again.quarantine() == bad

    def test_an_event_without_time_or_id_is_refused_whole_batch(self, store: EventStore) -> None:
        for broken in (
            {"event.id": "x"},
            {"@timestamp": event(1)["@timestamp"]},
            event(1) | {"@timestamp": "2026-02-30T04:00:00.000000Z"},
        ):
            with pytest.raises(StoreError, match=r"without @timestamp|without event\.id|no true @timestamp"):
                store.commit(Commit([event(5), broken], counters={"stored": 2}))
        assert store.count(parse_query("*"), ALWAYS) == 0
        assert store.counters() == {}

    def test_times_of_all_centuries_keep_their_microseconds(self, store: EventStore) -> None:
        times = [
            "0001-01-01T00:00:00.000001Z",
            "1969-12-31T23:59:59.999999Z",
            "2026-11-23T04:00:00.123456Z",
            "9999-12-31T23:59:59.999999Z",
        ]
        store.commit(Commit([event(n) | {"@timestamp": time} for n, time in enumerate(times)]))
        assert [e["@timestamp"] for e in store.search(parse_query("*"), ALWAYS).events] == times[::-1]
        assert store.count(parse_query("@timestamp:<1970-01"), ALWAYS) == 2
        assert store.count(parse_query("@timestamp:2026-11-23*"), ALWAYS) == 1
        assert store.count(parse_query("@timestamp:[1969-01 TO 2026-11-23T04]"), ALWAYS) == 2

    def test_statistics_of_a_field(self, store: EventStore) -> None:
        ports = [22, 22, 443, None, 8080, 443]
        events = [event(n * 10, event__category=["network"] if n % 2 else ["process"]) for n in range(6)]
        for one, port in zip(events, ports, strict=True):
            if port is not None:
                one["destination.port"] = port
        store.commit(Commit(events))
        found = store.field_statistics(parse_query("*"), ALWAYS, "destination.port")
        assert (found.events, found.present, found.distinct) == (6, 5, 3)
        assert (found.minimum, found.maximum, found.average) == (22, 8080, 1802)
        assert store.field_statistics(parse_query("*"), ALWAYS, "event.category").distinct == 2
