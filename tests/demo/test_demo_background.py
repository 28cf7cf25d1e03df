"""Normal days: understood by the real parsers, in the city's rhythm, within the zone plan, by registered devices."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from collectors.framing import SyslogFramer
from collectors.parsers import PARSERS
from collectors.parsers.clock import Clock
from demo.background import background
from demo.background.rhythm import RHYTHMS
from demo.background.rhythm import Clock as CityClock
from demo.chains import CHAINS
from demo.estate import lanting
from demo.plan import Planned, Route
from demo.stream import LIVE_SHARE, DemoStream
from demo.zone_plan import lanting_plan
from kernel.event import SHANGHAI, Event
from kernel.pipeline import identify
from kernel.record import RawRecord
from kernel.zones import ZoneTable
from kernel.zones.enrich import enrich

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Monday, ten o'clock in Lanting."""
ARRIVAL = timedelta(hours=1)
"""How much later the records arrive: as much of the history does, so that a stamp that is not read shows."""
FORMATS = {Route.TCP: "syslog", Route.UDP: "syslog", Route.JSON: "json"}


def minutes(start: datetime, count: int, seed: int = 1) -> Iterator[Planned]:
    quiet = background(lanting(), DemoStream(seed)._rng("quiet"), start, LIVE_SHARE)
    return itertools.takewhile(lambda one: one.after < count * 60, quiet)


@pytest.fixture(scope="module")
def table() -> ZoneTable:
    return ZoneTable(lanting_plan(MORNING))


@pytest.fixture(scope="module")
def events(table: ZoneTable) -> Iterator[list[tuple[datetime, Event]]]:
    """Ten minutes of a Monday morning, parsed and enriched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clock, "zone", SHANGHAI)
        yield list(_events(table))


def _events(table: ZoneTable) -> Iterator[tuple[datetime, Event]]:
    for number, planned in enumerate(minutes(MORNING, 10)):
        moment = MORNING + timedelta(seconds=planned.after)
        form = FORMATS[planned.route]
        arrival = moment + ARRIVAL
        record = RawRecord("demo", form, int(arrival.timestamp() * 1_000_000), "demo", planned.build(moment))
        for event in identify(record, number, PARSERS[form](record), {}):
            enrich(event, table)
            yield moment, event


@pytest.mark.parametrize(
    ("hours", "least", "most"),
    [(0, 45, 70), (9, 25, 45), (18, 12, 25), (120, 15, 40)],
    ids=["Monday 10:00", "Monday 19:00", "Tuesday 04:00", "Saturday 10:00"],
)
def test_the_city_wakes_and_sleeps(hours: int, least: int, most: int) -> None:
    start = MORNING + timedelta(hours=hours)
    rate = sum(1 for _ in minutes(start, 10)) / 600
    assert least < rate < most


def test_a_rhythm_has_a_value_for_every_hour_of_both_kinds_of_day() -> None:
    assert all(len(day) == 24 and max(day) <= 100 for rhythm in RHYTHMS.values() for day in rhythm)


def test_the_clock_knows_night_and_weekend_of_the_city() -> None:
    clock = CityClock(MORNING)
    assert clock.awake("office", 0) == 1.0
    assert clock.awake("office", 17 * 3600) < 0.1, "three o'clock at night"
    assert clock.awake("office", 5 * 86_400) < 0.2, "Saturday, ten o'clock"
    assert clock.awake("night", 17 * 3600) == 1.0
    assert clock.awake("night", 0) == 0.0


def test_records_come_in_order_of_time() -> None:
    moments = [one.after for one in minutes(MORNING, 3)]
    assert moments == sorted(moments)


def test_every_record_is_understood_and_keeps_its_moment(events: list[tuple[datetime, Event]]) -> None:
    for moment, event in events:
        assert abs((datetime.fromisoformat(event["@timestamp"]) - moment).total_seconds()) <= 1.0, event
        assert "labels.claimed_timestamp" not in event
        assert event["event.dataset"] not in ("generic.text", "generic.json"), event


def test_syslog_records_are_framed_as_they_were_sent() -> None:
    """Octet counting (RFC 6587 §3.4.1) is told from line feeds by the digits before ``<``, so every message needs its PRI."""
    sent = [one.build(MORNING) for one in minutes(MORNING, 10) if one.route is Route.TCP]
    sent += [
        one.build(MORNING) for make in CHAINS.values() for one in make(lanting(), DemoStream(1)._rng("f")) if one.route is Route.TCP
    ]
    framer = SyslogFramer()
    assert [message for one in sent for _, message in framer.feed(b"%d %s" % (len(one), one))] == sent


def test_all_layers_write_in_their_makers_forms(events: list[tuple[datetime, Event]]) -> None:
    datasets = Counter(event["event.dataset"] for _, event in events)
    asked = {
        "windows.sysmon", "windows.security", "web.access", "linux.auth", "linux.syslog", "huawei.usg", "h3c.comware",
        "firewall.traffic", "sangfor.af", "cef.log", "qzsec.bastion", "ot.modbus", "suricata.mqtt", "suricata.sip", "suricata.flow",
        "suricata.dhcp", "suricata.dns", "suricata.smb", "suricata.tls", "suricata.http", "kubernetes.audit", "aws.cloudtrail",
    }  # fmt: skip
    assert asked <= datasets.keys()


def test_only_conduits_are_used_but_for_knocks_that_the_firewall_stops(events: list[tuple[datetime, Event]]) -> None:
    crossings = [event for _, event in events if "zone.crossing" in event]
    assert len({event["zone.crossing"] for event in crossings}) > 25
    for event in crossings:
        if event["zone.verdict"] != "permitted":
            assert event["source.zone"] == "internet", event
            assert "denied" in event["event.type"], event


def test_every_device_inside_is_registered_and_uses_its_own_card(events: list[tuple[datetime, Event]], table: ZoneTable) -> None:
    closed = {zone.id for zone in table.zones.values() if zone.admission == "registered"}
    for _, event in events:
        zone = event.get("source.zone")
        if zone in closed and table.zone_of(event["source.ip"]) == zone:
            assert "source.asset.id" in event, event
        if "host.name" in event:
            assert "host.asset.id" in event, event["host.name"]
        if "source.mac" in event and "source.asset.id" in event:
            assert table.asset_of_mac(event["source.mac"]) == event["source.asset.id"]


def test_a_third_of_the_traffic_is_ipv6(events: list[tuple[datetime, Event]]) -> None:
    families = Counter(event["network.type"] for _, event in events if "network.type" in event)
    assert 0.1 < families["ipv6"] / families.total() < 0.5
