"""The demo's plan: reproducible, understood by the real parsers, found by our rules, silent when nothing is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.parsers import PARSERS
from demo.background import background
from demo.chains import CHAINS
from demo.chains.chain import PACKET_RULES, RULES
from demo.city import lanting
from demo.plan import Planned, Route
from demo.stream import CHAIN_EVERY, HISTORY, DemoStream
from detectors.sigma.engine import SigmaEngine
from kernel.event import Event, conform, event_id
from kernel.record import RawRecord

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
OWN_RULES = Path(__file__).resolve().parents[2] / "rules" / "sigma"
FORMATS = {Route.TCP: "syslog", Route.UDP: "syslog", Route.JSON: "json"}


@pytest.fixture(scope="module")
def engine() -> SigmaEngine:
    loaded = SigmaEngine.load([OWN_RULES])
    assert loaded.failures == []
    return loaded


def parse(planned: Planned, moment: datetime, number: int) -> list[Event]:
    received = int(moment.timestamp() * 1_000_000)
    form = FORMATS[planned.route]
    events = PARSERS[form](RawRecord("demo", form, received, "demo", planned.build(moment)))
    for position, event in enumerate(events):
        conform(event, received, {})
        event["event.id"] = event_id("demo", number, position)
    return events


def run(engine: SigmaEngine, records: Iterable[Planned], start: datetime = NOON) -> list[tuple[Planned, set[str]]]:
    """Each record with the ids of the rules that fired on it, records fed in order."""
    fired = []
    for number, planned in enumerate(records):
        if planned.route is not Route.PCAP:
            events = parse(planned, start + timedelta(seconds=planned.after), number)
            fired.append((planned, {detection.rule_id for detection in engine.process(events)}))
    return fired


def test_the_same_seed_gives_the_same_records() -> None:
    first = [record.payload() for record in DemoStream(11).history(NOON)]
    second = [record.payload() for record in DemoStream(11).history(NOON)]
    other = [record.payload() for record in DemoStream(12).history(NOON)]
    assert first == second
    assert first != other


def test_the_live_plan_depends_on_the_seed_only() -> None:
    def take(seed: int) -> list[tuple[float, Route, bytes]]:
        return [(one.after, one.route, one.build(NOON)) for one in itertools.islice(DemoStream(seed).live(), 3_000)]

    assert take(5) == take(5)


def test_history_fills_two_hours_in_order() -> None:
    records = list(DemoStream(7).history(NOON))
    moments = [record.moment for record in records]
    assert moments == sorted(moments)
    assert moments[0] >= NOON - HISTORY
    assert moments[-1] < NOON
    assert 4_000 < len(records) < 10_000
    assert {record.planned.chain for record in records} == {"", "phishing", "portal"}


def test_the_first_attack_comes_within_ten_seconds_and_then_every_few_minutes() -> None:
    starts: list[tuple[str, float]] = []
    previous = 0.0
    for planned in itertools.takewhile(lambda one: one.after < 600, DemoStream(7).live()):
        assert planned.after >= previous, "in time order"
        previous = planned.after
        if planned.chain and (not starts or starts[-1][0] != planned.chain):
            starts.append((planned.chain, planned.after))
    assert starts == [("phishing", 5.0), ("portal", 75.0), ("phishing", 75.0 + CHAIN_EVERY), ("portal", 75.0 + 2 * CHAIN_EVERY)]


def test_background_has_the_promised_rate() -> None:
    records = list(itertools.takewhile(lambda one: one.after < 60, background(lanting(), DemoStream(7)._rng("x"), 30.0)))
    assert 1_500 < len(records) < 2_100


def test_every_record_is_understood_and_keeps_its_moment() -> None:
    for number, record in enumerate(DemoStream(3).history(NOON)):
        for event in parse(record.planned, record.moment, number):
            stated = datetime.fromisoformat(event["@timestamp"])
            assert abs((stated - record.moment).total_seconds()) <= 1.0, event
            assert "labels.claimed_timestamp" not in event
            assert event["event.dataset"] not in ("generic.text", "generic.json"), event


@pytest.mark.parametrize("make", CHAINS)
@pytest.mark.parametrize("seed", range(4))
def test_every_expected_rule_of_an_attack_fires_on_its_step(engine: SigmaEngine, make, seed: int) -> None:  # type: ignore[no-untyped-def]
    records = make(lanting(), DemoStream(seed)._rng("chain"))
    start = NOON + timedelta(days=1 + seed, hours=CHAINS.index(make))
    found = run(engine, records, start)
    expected_somewhere: set[str] = set()
    fired_somewhere: set[str] = set()
    for planned, fired in found:
        expected = {RULES[name] for name in planned.expects}
        expected_somewhere |= expected
        fired_somewhere |= fired
        stateless = {RULES[name] for name in planned.expects if name not in COUNTING}
        assert stateless <= fired, (planned.step, planned.expects)
    assert expected_somewhere <= fired_somewhere
    assert fired_somewhere <= expected_somewhere, "a rule fired that the ground truth does not know"


COUNTING = {"firewall_port_sweep", "sshd_bruteforce", "sshd_bruteforce_success", "dns_tunnel_volume"}
"""Rules that count: they may fire some records before the one that names them."""


def test_a_normal_day_raises_nothing(engine: SigmaEngine) -> None:
    quiet = itertools.islice(background(lanting(), DemoStream(21)._rng("quiet"), 30.0), 9_000)
    alarms = [(planned.build(NOON), fired) for planned, fired in run(engine, quiet, NOON - timedelta(days=3)) if fired]
    assert alarms == []


def test_the_ground_truth_names_existing_rules(engine: SigmaEngine) -> None:
    assert set(RULES.values()) <= {rule.id for rule in engine.rules}
    packets = [planned for make in CHAINS for planned in make(lanting(), DemoStream(1)._rng("c")) if planned.route is Route.PCAP]
    assert [set(planned.expects) for planned in packets] == [set(PACKET_RULES)]


def test_some_attacks_and_visitors_come_over_ipv6() -> None:
    payloads = [record.payload() for seed in range(3) for record in DemoStream(seed).history(NOON)]
    assert any(b"2001:db8:c1::" in payload for payload in payloads)
    assert any(b"2001:db8:bad::" in payload for payload in payloads)
