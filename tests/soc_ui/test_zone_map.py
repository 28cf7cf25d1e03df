"""The layout of the map, the kept answers and the words for mistakes, each by itself."""

from __future__ import annotations

import re
import threading

import pytest
from apiflask import APIFlask
from hypothesis import given
from hypothesis import strategies as st

from kernel.zones.plan import LAYERS, Asset, Conduit, PlanError, Zone, ZonePlan, check, read_plan
from soc_ui.recent import LEAST_SECONDS, Recent
from soc_ui.zones import drawing, problems
from soc_ui.zones.flows import Flow, Traffic

_NUMBERS = re.compile(r"-?\d+\.\d")


@st.composite
def cities(draw: st.DrawFn) -> tuple[list[Zone], list[Flow]]:
    layers = draw(st.lists(st.sampled_from(list(LAYERS)), max_size=30))
    zones = [Zone(id=f"z{number}", name="z", layer=layer) for number, layer in enumerate(layers)]
    ids = [*(zone.id for zone in zones), "internet", "unknown", "gone"]
    pairs = draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), unique=True, max_size=40))
    counts = st.integers(0, 10**6)
    return zones, [Flow(source, target, draw(counts), draw(counts), draw(counts)) for source, target in pairs]


@given(cities())
def test_no_two_cards_overlap_and_everything_stands_inside(city: tuple[list[Zone], list[Flow]]) -> None:
    zones, flows = city
    drawn = drawing.draw(zones, flows)
    boxes = list(drawn.boxes.values())
    assert len(boxes) == len(zones) + 2
    for number, one in enumerate(boxes):
        assert one.x >= 0
        assert one.y >= 0
        assert one.x + one.width <= drawing.WIDTH
        assert one.y + one.height <= drawn.height
        for other in boxes[number + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


@given(cities())
def test_every_zone_stands_in_its_layer_and_every_curve_begins_and_ends_at_its_cards(city: tuple[list[Zone], list[Flow]]) -> None:
    zones, flows = city
    drawn = drawing.draw(zones, flows)
    bands = {band.layer: band.box for band in drawn.bands}
    assert set(bands) == set(LAYERS)
    for zone in zones:
        card, band = drawn.boxes[zone.id], bands[zone.layer]
        assert band.x <= card.x
        assert card.x + card.width <= band.x + band.width + 0.01
        assert band.y <= card.y
        assert card.y + card.height <= band.y + band.height + 0.01
    for curve in drawn.curves:
        numbers = [float(text) for text in _NUMBERS.findall(curve.path)]
        for (x, y), end in ((numbers[:2], curve.flow.source), (numbers[-2:], curve.flow.target)):
            box = drawn.boxes[end]
            assert box.x - 0.1 <= x <= box.x + box.width + 0.1
            assert min(abs(y - box.y), abs(y - box.y - box.height), abs(x - box.x)) <= 0.1
        assert 1.3 <= curve.thickness <= 8.4


@given(cities())
def test_each_flow_is_drawn_once_for_what_is_permitted_and_once_for_what_is_not(city: tuple[list[Zone], list[Flow]]) -> None:
    zones, flows = city
    drawn = drawing.draw(zones, flows)
    known = [flow for flow in flows if {flow.source, flow.target} <= set(drawn.boxes) and flow.source != flow.target]
    expected = {(flow.crossing, True, flow.permitted) for flow in known if flow.permitted}
    expected |= {(flow.crossing, False, flow.violations) for flow in known if flow.violations}
    assert {(curve.flow.crossing, curve.verdict == "permitted", curve.count) for curve in drawn.curves} == expected
    assert drawn.lost == len(flows) - len(known)


def test_more_is_thicker_and_the_worse_verdict_names_the_line() -> None:
    zones = [
        Zone(id="a", name="a", layer="cloud"),
        Zone(id="b", name="b", layer="citizen"),
        Zone(id="c", name="c", layer="network"),
    ]
    flows = [
        Flow("a", "b", permitted=100),
        Flow("b", "a", permitted=10_000),
        Flow("a", "c", denied=3, expired=900),
        Flow("c", "a", expired=1),
    ]
    curves = {curve.flow.crossing: curve for curve in drawing.draw(zones, flows).curves}
    assert curves["b>a"].thickness > curves["a>b"].thickness > curves["c>a"].thickness
    assert (curves["a>c"].verdict, curves["c>a"].verdict) == ("denied", "expired")


def test_zones_with_violations_are_those_that_events_left_without_a_permit() -> None:
    found = Traffic((Flow("a", "b", 5, 2, 0), Flow("a", "c", 0, 0, 3), Flow("b", "a", 9), Flow("c", "a", 0, 9, 0)), {})
    assert found.violating_zones() == {"c": 9, "a": 5}


# --- kept answers ---------------------------------------------------------------------------------------------------------------


def test_an_answer_is_kept_longer_the_longer_it_took() -> None:
    now = [0.0]
    kept: Recent[int] = Recent(clock=lambda: now[0])
    calls: list[float] = []

    def slow(seconds: float) -> int:
        now[0] += seconds
        calls.append(now[0])
        return len(calls)

    assert kept.get("k", lambda: slow(0)) == 1
    now[0] += LEAST_SECONDS - 0.1
    assert kept.get("k", lambda: slow(1)) == 1
    now[0] += 0.2
    assert kept.get("k", lambda: slow(1)) == 2
    now[0] += 19
    assert kept.get("k", lambda: slow(1)) == 2
    assert kept.get("other", lambda: slow(0)) == 3
    now[0] += 2
    assert kept.get("k", lambda: slow(1)) == 4


def test_an_error_is_not_kept_and_threads_wait_for_one_answer() -> None:
    kept: Recent[int] = Recent()
    with pytest.raises(ZeroDivisionError):
        kept.get("k", lambda: 1 // 0)
    calls: list[int] = []
    gate = threading.Event()

    def make() -> int:
        gate.wait(5)
        calls.append(1)
        return 7

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(kept.get("k", make))) for _ in range(6)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert (found, calls) == ([7] * 6, [1])


def test_the_kept_answers_do_not_grow_without_end() -> None:
    kept: Recent[int] = Recent()
    for number in range(1000):
        kept.get(number, lambda: 1)
    assert len(kept._kept) <= 65
    assert len(kept._busy) <= 66


# --- words for mistakes -----------------------------------------------------------------------------------------------------------

EARLY, LATE = "2020-01-01T00:00:00.000000Z", "2021-01-01T00:00:00.000000Z"
_ZONE = Zone(id="a", name="a", layer="cloud", ranges=("10.0.0.0/8",))
WRONG = ZonePlan(
    (
        _ZONE,
        Zone(
            id="a", name=" ", layer="moon", importance=9, internet="x", admission="x", vlans=(0,),
            ranges=("10.0.0.0/8", "10.0.0.1/8", "x"),
        ),
        Zone(id="Ä", name="x", layer="cloud", internet="forbidden"),
        Zone(id="shut", name="x", layer="cloud", internet="forbidden"),
    ),
    (
        Conduit(id="c", sources=(), targets=(), services=()),
        Conduit(id="d", sources=("shut",), targets=("internet", "gone"), services=("x", "tcp/0"), since="x", until=EARLY),
        Conduit(id="e", sources=("a",), targets=("a",), services=("any",), since=LATE, until=EARLY),
    ),
    (
        Asset(id="one", addresses=("10.0.0.1",), macs=("02-4C-00-60-00-65",)),
        Asset(id="two", addresses=("10.0.0.1", "x"), macs=("02-4C-00-60-00-65", "x"), importance=9),
        Asset(id=" "),
    ),
)  # fmt: skip


def test_every_mistake_that_a_plan_can_have_is_told_in_chinese(app: APIFlask) -> None:
    told = [text for _, _, text in check(WRONG)]
    files = [
        "zones: {",
        "[1]",
        "zonen: []\nzones: 7",
        "zones: [{id: a}, {id: a, name: 7, layer: cloud}, {id: a, name: x, layer: cloud, moon: 1}]",
    ]
    for text in files:
        with pytest.raises(PlanError) as caught:
            read_plan(text, "plan")
        told += caught.value.message.split("\n")
    assert len(told) > 30
    with app.test_request_context(headers={"Cookie": "lang=zh"}):
        for text in told:
            found = problems.explain(PlanError(text))
            assert len(found) == 1
            assert re.search(r"[一-鿿]", found[0].text), text


def test_what_is_not_known_stays_as_it_is(app: APIFlask) -> None:
    with app.test_request_context():
        assert problems.explain(PlanError("100 % new: {x} %(y)s")) == [problems.Problem(0, "", "", "100 % new: {x} %(y)s")]
