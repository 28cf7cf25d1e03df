"""The pure rules: clocks, grading, phases, indicators."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations import clock
from operations.errors import Invalid
from operations.incidents import catalogue, grading, phases
from operations.incidents.clocks import KEYS, Deadlines, Facts, clocks, next_change, next_due, paused_seconds, reminders
from operations.incidents.indicators import normal
from operations.incidents.tasks import template
from operations.incidents.texts import moment

START = "2026-11-26T04:00:00.000000Z"
NUMBERS = Deadlines(
    {
        "ack": {1: 10, 2: 15, 3: 30, 4: 60},
        "contain": {1: 60, 2: 120, 3: 240, 4: 480},
        "resolve": {1: 480, 2: 960, 3: 2880, 4: 4320},
    },
    {"cii": 60, "state": 120, "other": 240},
    43_200,
)  # fmt: skip
_SECONDS = st.integers(0, 40 * 86_400)


def after(seconds: float) -> str:
    return clock.shift(START, seconds)


@pytest.mark.parametrize(("operator", "minutes"), [("cii", 60), ("state", 120), ("other", 240)])
def test_the_report_is_due_by_the_kind_of_operator(operator: str, minutes: int) -> None:
    found = {one.key: one for one in clocks(Facts(START, level=2, operator=operator), NUMBERS, START)}
    assert found["report"].due == after(minutes * 60)
    assert (found["report"].statutory, found["ack"].statutory, found["closing"].state) == (True, False, "waiting")


def test_an_ordinary_incident_owes_no_report() -> None:
    assert [one.key for one in clocks(Facts(START, level=4), NUMBERS, START)] == ["ack", "contain", "resolve"]


def test_the_closing_report_is_due_thirty_days_after_the_end() -> None:
    facts = Facts(START, level=3, resolved_at=after(7200), ended_at=after(9000))
    found = {one.key: one for one in clocks(facts, NUMBERS, after(9000))}
    assert found["closing"].due == "2026-12-26T06:00:00.000000Z"
    assert found["closing"].state == "running"  # closing the incident does not end what the law asks for


@pytest.mark.parametrize(
    ("minutes", "state"), [(0, "running"), (44, "running"), (45, "soon"), (60, "soon"), (61, "overdue"), (10_000, "overdue")]
)
def test_states_of_a_clock_of_an_hour(minutes: int, state: str) -> None:
    assert clocks(Facts(START, level=4), NUMBERS, after(minutes * 60))[0].state == state


@given(
    now=_SECONDS,
    level=st.integers(0, 4),
    acknowledged=st.none() | _SECONDS,
    pauses=st.lists(st.tuples(_SECONDS, _SECONDS), max_size=4),
)
def test_clocks_hold_together(now: int, level: int, acknowledged: int | None, pauses: list[tuple[int, int]]) -> None:
    past = tuple((after(min(pair)), after(max(pair))) for pair in pauses if max(pair) <= now)
    done = "" if acknowledged is None or acknowledged > now else after(acknowledged)
    found = clocks(Facts(START, level=level, acknowledged_at=done, pauses=past), NUMBERS, after(now))
    assert [one.key for one in found] == [key for key in KEYS if key in {one.key for one in found}]
    for one in found:
        if one.state == "waiting":
            continue
        assert one.start <= one.warn_at < one.due
        assert (one.state in ("met", "missed")) == bool(one.done_at)
        assert (one.state == "overdue") == (not one.done_at and one.due < after(now))
        assert one.provisional == (level == 0)
        limit = NUMBERS.sla[one.key][level or 4] * 60 if not one.statutory else 0
        if not one.statutory:  # independent sum: seconds of the paused moments, each counted once
            stop = one.done_at or after(now)
            covered = _covered(past, START, stop)
            assert (clock.moment(one.due) - clock.moment(START)).total_seconds() == limit + covered
    assert next_due(found) == min((one.due for one in found if one.state in ("running", "soon", "overdue")), default="")
    later = next_change(found, after(now))
    assert later == "" or later > after(now)
    assert {one.key for one, _kind in reminders(found)} == {one.key for one in found if one.state in ("soon", "overdue")}


def _covered(pauses: tuple[tuple[str, str], ...], start: str, stop: str) -> float:
    """By merging intervals as datetimes; another way than the code under test."""
    intervals = sorted((max(clock.moment(a), clock.moment(start)), min(clock.moment(b), clock.moment(stop))) for a, b in pauses)
    total, end = timedelta(), datetime(1, 1, 1, tzinfo=UTC)
    for first, last in intervals:
        if last > max(first, end):
            total += last - max(first, end)
            end = last
    return total.total_seconds()


def test_pauses_that_overlap_count_once() -> None:
    assert paused_seconds(((after(0), after(100)), (after(50), after(150)), (after(500), "")), after(10), after(600)) == 240


@given(st.sampled_from(grading.OBJECTS), st.sampled_from(grading.DEGREES), st.sampled_from(grading.DEGREES))
def test_more_loss_or_harm_never_lowers_the_level(object_: str, loss: str, harm: str) -> None:
    level = grading.level_of(object_, loss, harm)
    assert 1 <= level <= 4
    for worse in grading.DEGREES[: grading.DEGREES.index(loss) + 1]:
        assert grading.level_of(object_, worse, harm) <= level
    for worse in grading.DEGREES[: grading.DEGREES.index(harm) + 1]:
        assert grading.level_of(object_, loss, worse) <= level
    for worse in grading.OBJECTS[: grading.OBJECTS.index(object_) + 1]:
        assert grading.level_of(worse, loss, harm) <= level


def test_a_suggestion_says_why() -> None:
    alerts = [
        grading.AlertFacts(1, "a", "Many failed log-ins", "correlation", "high", ("attack.t1110.001",)),
        grading.AlertFacts(2, "b", "Files encrypted", "sigma", "critical", ("attack.t1486",)),
        grading.AlertFacts(3, "c", "Files encrypted", "sigma", "critical", ("attack.t1486",)),
    ]
    found = grading.suggest(alerts, [grading.Place("zone", "gov-cloud", 5), grading.Place("asset", "x", 2)], "critical")
    assert (found.class_code, found.others, found.object, found.loss, found.level) == ("0107", ("0206",), "special", "extreme", 1)
    assert grading.Reason("tag", "attack.t1486", 2) in found.reasons
    assert grading.Reason("zone_importance", "gov-cloud", 5) in found.reasons
    empty = grading.suggest([], [], "low")
    assert (empty.class_code, empty.level) == ("", 4)


def test_the_catalogue_holds_together() -> None:
    assert len([code for code in catalogue.classes() if len(code) == 2]) == 10
    assert all(one.parent in catalogue.classes() for one in catalogue.subclasses())
    table = catalogue.data("suggestions")
    named = [entry["class"] for entry in (*table["tags"], *table["words"])] + list(table["engines"].values())
    assert all(catalogue.check_class(code) for code in named)
    for code in catalogue.classes():
        assert {entry["phase"] for entry in template(code)} <= set(phases.OPEN)
    assert all(catalogue.data(name)["to_be_confirmed"] is True for name in ("classification",))


@given(st.sampled_from(phases.PHASES), st.sampled_from(phases.PHASES), st.sampled_from(("", *phases.CAUSES)), st.booleans())
def test_phases(phase: str, wanted: str, cause: str, drill: bool) -> None:
    try:
        phases.check(phase, wanted, "a reason", cause, drill=drill)
    except Invalid:
        return
    assert phase != wanted
    if wanted == "closed":
        assert cause in ("resolved", "accepted", "false_alarm", "exercise")
        assert phase == "review" or cause in ("false_alarm", "exercise")
        assert cause != "exercise" or drill
    if phases.PHASES.index(wanted) < phases.PHASES.index(phase) or wanted == "closed":
        with pytest.raises(Invalid):
            phases.check(phase, wanted, " ", cause, drill=drill)


@pytest.mark.parametrize(
    ("kind", "written", "stored"),
    [
        ("ip", " 203.0.113[.]9 ", "203.0.113.9"),
        ("ip", "2001:DB8:0:0::1", "2001:db8::1"),
        ("ip", "::ffff:203.0.113.9", "203.0.113.9"),
        ("network", "203.0.113.9/24", "203.0.113.0/24"),
        ("domain", "Evil(.)Example.", "evil.example"),
        ("domain", "恶意.中国", ""),
        ("url", "hxxp://Evil[.]Example/A", "http://evil.example/A"),
        ("sm3", "AB" * 32, "ab" * 32),
    ],
)
def test_an_indicator_has_one_form(kind: str, written: str, stored: str) -> None:
    if kind == "domain" and not written.isascii():
        stored = ".".join(label.encode("idna").decode() for label in written.split("."))
    assert normal(kind, written) == stored


@pytest.mark.parametrize(
    ("kind", "written"),
    [("ip", "fe80::1%eth0"), ("ip", "999.1.1.1"), ("domain", "localhost"), ("domain", "a..b"), ("domain", "-a.example"),
     ("md5", "ab"),
     ("url", "javascript:alert(1)"), ("url", "http://a b/"), ("url", "http://x:99999/"), ("ip", "x" * 600), ("ip", "1.2.3.4\x00"),
     ("smoke", "x"), ("domain", "１２７.0.0.1")],
)  # fmt: skip
def test_what_is_no_indicator(kind: str, written: str) -> None:
    with pytest.raises(Invalid):
        normal(kind, written)


@given(st.sampled_from(("ip", "network", "domain", "url", "md5", "sha1", "sha256", "sm3")), st.text(max_size=60))
def test_any_text_is_refused_or_normal(kind: str, written: str) -> None:
    try:
        found = normal(kind, written)
    except Invalid:
        return
    assert normal(kind, found) == found


@given(st.ip_addresses())
def test_every_address_is_an_indicator(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert ipaddress.ip_address(normal("ip", str(address))) in (address, getattr(address, "ipv4_mapped", None))


@pytest.mark.parametrize("slip", ["0026-11-28T08:00:00Z", "1969-12-31T23:59:59Z", "2126-11-28T08:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_moment_whose_year_is_a_slip_is_refused(slip: str) -> None:
    with pytest.raises(Invalid):
        moment(slip, "detected_at", past=True)
    assert moment("1990-01-01T00:00:00Z", "detected_at", past=True) == "1990-01-01T00:00:00.000000Z"
