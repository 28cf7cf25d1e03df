"""The factors of risk: bounded, monotonous, and honest about what nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.zones.model import Conduit, Zone
from operations.risk import factors, settings
from operations.risk.exposure import zone_exposures
from operations.risk.schema import FACTORS, Factor

NUMBERS = settings.shipped().value
LEVELS = st.dictionaries(st.sampled_from(list(NUMBERS["alerts"])), st.integers(0, 10**7))


def _zone(name: str, **more: str) -> Zone:
    return Zone(id=name, name=name, layer="cloud", admission=more.get("admission", "registered"))


def _conduit(name: str, source: str, target: str) -> Conduit:
    return Conduit(id=name, sources=(source,), targets=(target,), services=("https",))


def test_equal_factors_give_themselves_as_a_score() -> None:
    assert factors.score(dict.fromkeys(FACTORS, Factor(0.5)), NUMBERS["weights"]) == pytest.approx(50)
    assert factors.score(dict.fromkeys(FACTORS, Factor(1.0)), NUMBERS["weights"]) == pytest.approx(100)


def test_a_factor_without_weight_does_not_count() -> None:
    made = {name: Factor(0.0 if name == "threat" else 0.8) for name in FACTORS}
    assert factors.score(made, NUMBERS["weights"]) == 0
    assert factors.score(made, NUMBERS["weights"] | {"threat": 0}) == pytest.approx(80)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.integers(0, 3), st.floats(0, 1))
def test_a_higher_factor_never_lowers_the_score(values: list[float], which: int, higher: float) -> None:
    before = {name: Factor(value) for name, value in zip(FACTORS, values, strict=True)}
    after = before | {FACTORS[which]: Factor(max(values[which], higher))}
    low, high = (factors.score(made, NUMBERS["weights"]) for made in (before, after))
    assert 0 <= low <= high + 1e-9 <= 100 + 1e-8


@given(LEVELS, st.integers(0, 100), st.integers(0, 100))
def test_threat_lies_between_quiet_and_one(alerts: dict[str, int], incidents: int, indicators: int) -> None:
    made = factors.threat(alerts, incidents, indicators, NUMBERS)
    assert NUMBERS["quiet"] <= made.value <= 1
    assert made.reasons


def test_what_nobody_knows_is_said_and_is_not_zero() -> None:
    unknown = factors.vulnerability([], stranger=False, numbers=NUMBERS)
    assert (unknown.known, unknown.value) == (False, 0.5)
    assert [reason.code for reason in unknown.reasons] == ["patches_unknown"]
    assert not factors.no_zone(NUMBERS).known
    assert not factors.importance(0, 0, "", NUMBERS).known


def test_services_in_the_clear_and_without_a_password_are_named() -> None:
    made = factors.vulnerability(["tcp/502 modbus", "tcp/23 telnet", "tcp/443 tls"], stranger=False, numbers=NUMBERS)
    assert {reason.code: reason.text for reason in made.reasons} == {
        "unauthenticated": "tcp/502 modbus", "clear_text": "tcp/23 telnet", "patches_unknown": "",
    }  # fmt: skip
    assert made.value == 0.75


def test_exposure_counts_the_boundaries_between_the_internet_and_a_zone() -> None:
    zones = [_zone("dmz"), _zone("app"), _zone("data"), _zone("island")]
    conduits = [_conduit("a", "internet", "dmz"), _conduit("b", "dmz", "app"), _conduit("c", "app", "data")]
    made = zone_exposures(zones, conduits, NUMBERS)
    assert made["dmz"].value > made["app"].value > made["data"].value > made["island"].value > 0
    way = made["data"].reasons[0]
    assert (way.n, way.zones, way.text) == (3, ("internet", "dmz", "app"), "c")
