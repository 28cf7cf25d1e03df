"""The demo's plan: reproducible, in order, every attack soon and then again."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest

from demo.chains import CHAINS
from demo.estate import lanting
from demo.plan import Planned, Route
from demo.stream import HISTORY, PAUSES, DemoStream

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def test_the_same_seed_gives_the_same_records() -> None:
    first = [record.payload() for record in DemoStream(11).history(NOON)]
    second = [record.payload() for record in DemoStream(11).history(NOON)]
    other = [record.payload() for record in DemoStream(12).history(NOON)]
    assert first == second
    assert first != other


def test_the_live_plan_depends_on_seed_and_start_only() -> None:
    def take(seed: int) -> list[tuple[float, Route, bytes]]:
        return [(one.after, one.route, one.build(NOON)) for one in itertools.islice(DemoStream(seed).live(NOON), 3_000)]

    assert take(5) == take(5)


def test_history_fills_two_hours_in_order_with_every_attack() -> None:
    records = list(DemoStream(7).history(NOON))
    moments = [record.moment for record in records]
    assert moments == sorted(moments)
    assert moments[0] >= NOON - HISTORY
    assert moments[-1] < NOON
    assert 10_000 < len(records) < 25_000
    assert {record.planned.step.chain for record in records if record.planned.step} == CHAINS.keys()
    assert Route.PCAP not in {record.planned.route for record in records}


def starts(records: list[Planned]) -> list[tuple[str, float]]:
    found: dict[tuple[str, int], float] = {}
    for one in records:
        if one.step is not None:
            found.setdefault((one.step.chain, one.step.run), one.after)
    return [(chain, after) for (chain, _), after in found.items()]


def test_every_attack_comes_within_ten_minutes_and_then_again_by_chance() -> None:
    records = list(itertools.takewhile(lambda one: one.after < 3_000, DemoStream(7).live(NOON)))
    assert [one.after for one in records] == sorted(one.after for one in records)
    begun = starts(records)
    assert [chain for chain, _ in begun[: len(CHAINS)]] == list(CHAINS)
    assert begun[0][1] <= 10.0
    assert begun[len(CHAINS) - 1][1] < 600.0
    later = begun[len(CHAINS) - 1 :]
    for (chain, after), (following, then) in itertools.pairwise(later):
        assert chain != following
        assert PAUSES[0] <= then - after <= PAUSES[1]
    assert len(later) > 6


def test_only_the_named_attacks_come() -> None:
    records = list(DemoStream(7, ("rogue", "ipv6")).once(NOON))
    assert [chain for chain, _ in starts(records)] == ["rogue", "ipv6"]
    assert records[-1].after < 200.0


def test_no_attack_at_all_can_be_had_too() -> None:
    assert starts(list(itertools.islice(DemoStream(7, ()).live(NOON), 2_000))) == []


def test_normal_days_are_whole_days_before_now() -> None:
    records = list(DemoStream(7).benign_days(NOON, 1))
    assert all(record.planned.step is None for record in records)
    assert records[0].moment >= NOON - timedelta(days=1)
    assert records[-1].moment < NOON
    assert NOON - records[-1].moment < timedelta(minutes=5)


@pytest.mark.parametrize("name", list(CHAINS))
def test_an_attack_is_told_step_by_step(name: str) -> None:
    records = CHAINS[name](lanting(), DemoStream(3)._rng(name))
    steps = list(dict.fromkeys(one.step for one in records if one.step is not None))
    assert len(steps) >= 3
    assert 25.0 < records[-1].after < 110.0, "seconds to minutes, as it would really take"
    for step in steps:
        assert step.chain == name
        asset = next(host for host in lanting().hosts if host.name.lower() == step.asset)
        assert asset.zone == step.zone
        assert step.technique.startswith("T")
        assert any(one.expects for one in records if one.step == step) or step.name.startswith("logs in"), step


def test_the_ipv6_attack_shows_no_ipv4_address_on_the_network() -> None:
    records = CHAINS["ipv6"](lanting(), DemoStream(3)._rng("six"))
    payloads = [one.build(NOON) for one in records]
    on_the_network = [payload for payload in payloads if b"src_ip" in payload or b"SrcIP" in payload or b"sshd" in payload]
    assert len(on_the_network) > 10
    assert not any(re.search(rb"\b10\.\d+\.\d+\.\d+", payload) for payload in on_the_network)


def test_some_attackers_and_visitors_come_over_ipv6() -> None:
    payloads = [record.payload() for seed in range(3) for record in DemoStream(seed).history(NOON)]
    assert any(b"2001:db8:c1::" in payload for payload in payloads)
    assert any(b"2001:db8:bad::" in payload for payload in payloads)
