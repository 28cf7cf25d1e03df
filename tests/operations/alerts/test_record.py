"""Detections become alerts: what joins, what opens a new one, and that nothing is counted twice or lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from kernel.db import Database
from kernel.detection import Detection
from operations.accounts.schema import Principal
from operations.alerts import service
from operations.alerts.models import Alert, AlertCount, AlertDetection
from operations.alerts.schema import AlertFilter, Change

Make = Callable[..., Detection]
MORNING = "2026-11-23T04:00:00.000000Z"


def record(database: Database, *detections: Detection, window: float = 3600) -> list[int]:
    with database.write() as session:
        return service.record_detections(session, detections, window=window).new_alert_ids


def rows(database: Database) -> list[tuple[str, str | None, int, str, str]]:
    with database.read() as session:
        page = service.list_alerts(session, oldest_first=True, limit=500)
        return [(row.rule_id, row.host, row.count, row.first_seen, row.last_seen) for row in page.alerts]


def test_the_same_rule_on_the_same_host_counts_up(database: Database, make: Make) -> None:
    record(database, make(), make(time="2026-11-23T04:10:00.000000Z"))
    record(database, make(time="2026-11-23T04:59:00.000000Z", host="web1"))

    assert rows(database) == [("rule-1", "web1", 3, MORNING, "2026-11-23T04:59:00.000000Z")]


def test_another_rule_host_user_or_source_is_another_alert(database: Database, make: Make) -> None:
    record(
        database,
        make(),
        make(rule="rule-2"),
        make(host="WEB2"),
        make(user__name="bob"),
        make(source__ip="192.0.2.7"),
        make(source__ip="2001:db8::7"),
    )
    assert len(rows(database)) == 6


def test_one_address_written_in_two_ways_is_one_entity(database: Database, make: Make) -> None:
    record(database, make(source__ip="2001:db8::7"), make(source__ip="2001:0DB8:0:0::0007"))
    assert [row[2] for row in rows(database)] == [2]


def test_an_ipv4_address_inside_ipv6_is_the_ipv4_address(database: Database, make: Make) -> None:
    record(database, *(make(source__ip=written) for written in ("192.0.2.7", "::ffff:192.0.2.7", "::FFFF:c000:207")))
    assert [row[2] for row in rows(database)] == [3]


def test_the_interface_is_no_part_of_an_address(database: Database, make: Make) -> None:
    record(database, make(source__ip="fe80::1"), make(source__ip="fe80::1%" + "e" * 500))
    assert [row[2] for row in rows(database)] == [2]


def test_network_detections_group_by_both_addresses(database: Database, make: Make) -> None:
    net = {"host": "", "engine": "suricata", "source__ip": "192.0.2.7"}
    record(database, *(make(**net, destination__ip=f"10.0.0.{last}") for last in (1, 2, 1)))
    assert sorted(row[2] for row in rows(database)) == [1, 2]


def test_a_correlation_groups_by_its_own_values(database: Database, make: Make) -> None:
    first = make(engine="correlation", group={"user.name": "Bob"}, host="A")
    second = make(engine="correlation", group={"user.name": "bob"}, host="B")
    other = make(engine="correlation", group={"user.name": "eve"}, host="A")
    record(database, first, second, other)
    assert sorted(row[2] for row in rows(database)) == [1, 2]


def test_the_window_slides(database: Database, make: Make) -> None:
    for minute in ("00:00", "00:50", "01:40", "02:41"):
        record(database, make(time=f"2026-11-23T{minute}:00.000000Z"))
    assert [(row[2], row[3][11:16], row[4][11:16]) for row in rows(database)] == [(3, "00:00", "01:40"), (1, "02:41", "02:41")]


def test_an_earlier_event_that_comes_late_joins_too(database: Database, make: Make) -> None:
    record(database, make(time="2026-11-23T05:00:00.000000Z"))
    record(database, make(time="2026-11-23T04:30:00.000000Z"))
    assert [(row[2], row[3][11:16], row[4][11:16]) for row in rows(database)] == [(2, "04:30", "05:00")]


def test_recording_a_batch_again_changes_nothing(database: Database, make: Make) -> None:
    batch = [make(), make(), make(host="WEB2")]
    record(database, *batch)
    before = rows(database)
    with database.write() as session:
        result = service.record_detections(session, batch)
    assert (result.new_alert_ids, result.updated_alert_ids, result.repeated) == ([], [], 3)
    assert rows(database) == before


def test_the_same_detection_twice_in_one_batch_counts_once(database: Database, make: Make) -> None:
    detection = make()
    record(database, detection, detection)
    assert [row[2] for row in rows(database)] == [1]


def test_a_closed_alert_takes_nothing_more(database: Database, make: Make, alice: Principal) -> None:
    [first] = record(database, make())
    with database.write() as session:
        service.change_alert(session, alice.actor, first, Change(status="closed", verdict="benign"))
    [second] = record(database, make(time="2026-11-23T04:05:00.000000Z"))
    assert second != first
    assert [row[2] for row in rows(database)] == [1, 1]


def test_a_rolled_back_batch_leaves_no_trace(database: Database, make: Make) -> None:
    class Crash(Exception):
        pass

    detection = make()
    try:
        with database.write() as session:
            service.record_detections(session, [detection])
            raise Crash
    except Crash:
        pass
    assert rows(database) == []
    assert len(record(database, detection)) == 1


def test_the_alert_page_has_everything(database: Database, make: Make) -> None:
    detection = make(
        user__name="ACME\\Bob",
        source__ip="192.0.2.7",
        process__executable="C:\\Windows\\System32\\cmd.exe",
        file__hash__sha256="A" * 64,
        dns__question__name="Evil.Example",
    )
    [alert_id] = record(database, detection)
    with database.read() as session:
        detail = service.get_detail(session, alert_id)
    assert detail.event == detection.event
    assert detail.matched == detection.matched
    assert detail.author == "A. Author"
    assert {(entity.kind, entity.value) for entity in detail.entities} == {
        ("host", "web1"),
        ("user", "acme\\bob"),
        ("ip", "192.0.2.7"),
        ("process", "C:\\Windows\\System32\\cmd.exe"),
        ("hash", "a" * 64),
        ("domain", "evil.example"),
    }
    assert detail.alert.dataset == "windows.sysmon"


def test_hostile_values_are_kept_harmless(database: Database, make: Make) -> None:
    detection = make(
        host="<script>\0\ud800",
        user__name="x" * 5000,
        source__ip="not an address",
        process__name=["a", 7, None],
        tags=["t" * 900, "", "t" * 900],
        big=1 << 70,
        event__original="y" * 100_000,
    )
    [alert_id] = record(database, detection)
    with database.read() as session:
        detail = service.get_detail(session, alert_id)
    assert detail.alert.host == "<script>?"
    assert len(detail.event["event.original"]) == 32 * 1024 + 1
    assert detail.alert.tags == ["t" * 128]


def test_entities_of_later_detections_are_added_up_to_a_bound(database: Database, make: Make) -> None:
    record(database, make())
    record(database, *(make(process__name=f"tool{number}.exe") for number in range(200)))
    with database.read() as session:
        [row] = service.list_alerts(session).alerts
        detail = service.get_detail(session, row.id)
        later = next(entity.value for entity in detail.entities if entity.kind == "process")
        found = service.list_alerts(session, AlertFilter(text=later)).alerts
    assert (row.count, len(detail.entities)) == (201, 64)
    assert [alert.id for alert in found] == [row.id]


def kept_and_true_counts(database: Database) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
    """The kept counts (without zeros), and the same counted from the alerts themselves."""
    true: Counter[tuple[str, ...]] = Counter()
    with database.read() as session:
        kept = {
            (row.dimension, row.status, row.level, row.value): row.count
            for row in session.execute(select(AlertCount)).scalars()
            if row.count
        }
        for alert in session.execute(select(Alert)).scalars():
            true["all", alert.status, alert.level, ""] += 1
            true["engine", alert.status, alert.level, alert.engine] += 1
            true["rule", alert.status, alert.level, alert.rule_id] += 1
            true["assignee", alert.status, alert.level, alert.assignee or "-"] += 1
            if alert.host:
                true["host", alert.status, alert.level, alert.host] += 1
            if alert.verdict:
                true["verdict", alert.status, alert.level, alert.verdict] += 1
            for tag in json.loads(alert.tags):
                true["tag", alert.status, alert.level, tag] += 1
    return kept, dict(true)


detections = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 300), st.integers(0, 40)), min_size=1, max_size=40
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(detections, min_size=1, max_size=4), close=st.booleans())
def test_whatever_comes_each_detection_counts_exactly_once(
    database: Database, make: Make, alice: Principal, batches: list[list[tuple[str, str, int, int]]], close: bool
) -> None:
    with database.write() as session:
        session.execute(text("DELETE FROM alerts"))
        session.execute(text("DELETE FROM alert_counts"))
    sent: set[str] = set()
    for batch in batches:
        made = [
            make(
                rule=rule, host=host, time=f"2026-11-23T{minute // 60:02d}:{minute % 60:02d}:00.000000Z", event_id=f"{number:032x}"
            )
            for rule, host, minute, number in batch
        ]
        sent |= {detection.id for detection in made}
        ids = record(database, *made)
        if close and ids:
            with database.write() as session:
                service.change_alerts(session, alice.actor, ids[:1], Change(status="closed", verdict="benign", assignee="alice"))
    with database.read() as session:
        alerts = list(session.execute(select(Alert)).scalars())
        members = list(session.execute(select(AlertDetection)).scalars())
    assert {member.id for member in members} == sent
    assert sum(alert.count for alert in alerts) == len(sent)
    assert Counter(member.alert_id for member in members) == {alert.id: alert.count for alert in alerts}
    for alert in alerts:
        times = [member.time for member in members if member.alert_id == alert.id]
        assert (min(times), max(times)) == (alert.first_seen, alert.last_seen)
    kept, true = kept_and_true_counts(database)
    assert kept == true


def test_batches_that_overlap_and_come_at_the_same_time_count_each_detection_once(database: Database, make: Make) -> None:
    detections = [make(rule=f"rule-{number % 5}", event_id=f"{number:032x}") for number in range(60)]
    batches = [detections[start : start + 30] for start in range(0, 60, 6)] * 2
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda batch: record(database, *batch), batches))
    assert sorted(row[2] for row in rows(database)) == [12] * 5
