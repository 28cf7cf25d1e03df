"""Roster, hand-over, log and escalation over a real database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from kernel.db import Database
from kernel.detection import Detection
from operations import clock
from operations.accounts.schema import Reach
from operations.alerts import service as alerts
from operations.audit import service as audit
from operations.duty import escalation, handover, log, roster, sheet
from operations.duty.schema import Wish
from operations.duty.shifts import Shift, bounds, today
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.tickets import service as tickets
from operations.tickets.schema import Draft
from operations.webhooks.models import WebhookDelivery, WebhookTarget
from tests.operations.organisations_city import City, account

DAY = "2026-11-26"
NOON, EVENING = "2026-11-26T04:00:00.000000Z", "2026-11-26T12:31:00.000000Z"
"""12:00 and 20:31 in Beijing: within the day shift, and just within the night shift."""


@pytest.fixture
def city(database: Database) -> City:
    return City(database)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the clock; at first to noon."""

    def set_clock(moment: str) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_clock(NOON)
    return set_clock


def plan(city: City, *wishes: tuple[str, str, int, str], by: str = "duty.one", **more: Any) -> int:
    who, database = city.as_(by)
    with database.write() as session:
        return roster.plan(session, who, [Wish(*wish) for wish in wishes], **more)


def staff(city: City) -> None:
    plan(city, (DAY, "day", 1, "duty.one"), (DAY, "day", 2, "duty.three"), (DAY, "night", 1, "duty.two"))


@pytest.fixture
def people(city: City) -> City:
    with city.database.write() as session:
        session.add(account("duty.three", "responder", Reach()))
    return city


def get(city: City, days: int = 1) -> Any:
    with city.database.read() as session:
        return roster.get_roster(session, date.fromisoformat(DAY), days)


def test_a_roster_shows_its_gaps(people: City) -> None:
    whole = bounds(date.fromisoformat(DAY), get(people).shifts[0])[0]
    assert [(one.start_at, one.end_at) for one in get(people).gaps] == [(whole, clock.shift(whole, 86_400))]
    staff(people)
    assert get(people).gaps == []
    assert [(one.shift, one.rank, one.name) for one in get(people).places] == [
        ("day", 1, "duty.one"), ("day", 2, "duty.three"), ("night", 1, "duty.two"),
    ]  # fmt: skip
    assert get(people, 2).gaps[0].start_at == clock.shift(whole, 86_400)
    place = next(one for one in get(people).places if one.shift == "night")
    who, database = people.as_("duty.one")
    with database.write() as session:
        roster.clear(session, who, place.id)
    assert [one.start_at for one in get(people).gaps] == [place.start_at]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ((DAY, "day", 1, "duty.three"), "taken"),
        ((DAY, "day", 3, "duty.one"), "already"),
        (("2026-11-27", "day", 1, "duty.nobody"), "cannot be on duty"),
        (("2026-11-27", "day", 1, "reader"), "cannot be on duty"),
        (("2026-11-27", "day", 1, "water"), "cannot be on duty"),
        (("2026-11-27", "noon", 1, "duty.one"), "no shift"),
        (("2026-11-27", "day", 6, "duty.one"), "rank"),
        (("2026-13-27", "day", 1, "duty.one"), "no day"),
    ],
)
def test_what_a_roster_refuses(people: City, wish: tuple[str, str, int, str], told: str) -> None:
    staff(people)
    with pytest.raises(Invalid, match=told):
        plan(people, wish)
    assert len(get(people).places) == 3


def test_nobody_is_booked_twice_across_shifts_and_days(people: City) -> None:
    who, database = people.as_("duty.one")
    with database.write() as session:
        roster.set_shifts(session, who, [Shift("long", "长班", "", 12 * 60, 20 * 60)])
    plan(people, ("2026-11-26", "long", 1, "duty.one"))
    with database.write() as session:
        roster.set_shifts(session, who, [Shift("early", "早班", "", 6 * 60, 6 * 60), Shift("late", "晚班", "", 12 * 60, 6 * 60)])
    with pytest.raises(Invalid, match="already"):  # the long one lasts until 08:00 of the 27th
        plan(people, ("2026-11-27", "early", 1, "duty.one"))
    plan(people, ("2026-11-27", "late", 1, "duty.one"), ("2026-11-27", "early", 1, "duty.two"))


def test_a_file_replaces_the_shifts_that_it_names_or_does_nothing(people: City) -> None:
    staff(people)
    content = f"day,shift,rank,name\n{DAY},day,1,duty.three\n{DAY},day,2,duty.one\n"
    who, database = people.as_("duty.one")
    with database.write() as session:
        assert roster.plan(session, who, sheet.read(content.encode()), replace=True) == 2
    assert [one.name for one in get(people).places] == ["duty.three", "duty.one", "duty.two"]
    with pytest.raises(Invalid, match="line 3: 'nobody'"), database.write() as session:
        roster.plan(
            session, who, sheet.read((content.splitlines()[0] + f"\n{DAY},night,1,duty.one\n{DAY},night,2,nobody\n").encode())
        )
    assert [one.name for one in get(people).places] == ["duty.three", "duty.one", "duty.two"]
    assert sheet.read(sheet.write(get(people).places))[0].name == "duty.three"


def test_two_planners_do_not_overwrite_each_other(people: City) -> None:
    seen = get(people).revision
    plan(people, (DAY, "day", 1, "duty.one"), revision=seen)
    with pytest.raises(Conflict):
        plan(people, (DAY, "night", 1, "duty.one"), revision=seen)
    results: list[str] = []
    barrier = threading.Barrier(4)

    def book(rank: int) -> None:
        barrier.wait()
        try:
            plan(people, ("2026-11-28", ("day", "night")[rank % 2], rank, "duty.two"), by="duty.two")
            results.append("done")
        except (Invalid, Conflict):
            results.append("refused")

    threads = [threading.Thread(target=book, args=(rank,)) for rank in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with people.database.read() as session:
        places = roster.get_roster(session, date(2026, 11, 28), 1).places
    assert len({one.shift for one in places}) == len(places) == results.count("done") == 2


def test_who_is_on_duty_now_and_next(people: City, noon: Callable[[str], None]) -> None:
    staff(people)
    with people.database.read() as session:
        found = roster.on_duty(session)
        assert ([one.name for one in found.now], [one.name for one in found.coming]) == (["duty.one", "duty.three"], ["duty.two"])
        assert roster.first_on_duty(session) == "duty.one"
        noon("2027-01-01T00:00:00.000000Z")
        assert roster.on_duty(session).now == []
        assert roster.first_on_duty(session) == ""


def test_a_shift_is_handed_over(people: City, noon: Callable[[str], None], make: Callable[..., Detection]) -> None:
    staff(people)
    with people.database.write() as session:
        alerts.record_detections(session, [make(rule="r1", level="critical"), make(rule="r2", level="high")])
    one, database = people.as_("duty.one")
    with database.write() as session:
        written = handover.write(session, one, "未办结：水务局整改", expected_version=0)
    assert (written.counts["critical"], written.counts["high"], written.version) == (1, 1, 1)
    with pytest.raises(Conflict), database.write() as session:
        handover.write(session, one, "x", expected_version=0)
    with database.write() as session:
        written = handover.write(session, one, "补充", expected_version=1)
    two, three = people.as_("duty.two")[0], people.as_("duty.three")[0]
    for who, told in ((one, "who wrote"), (three, "coming shift")):
        with pytest.raises(Denied, match=told), database.write() as session:
            handover.accept(session, who, written.id)
    with pytest.raises(Denied, match="coming shift"), database.write() as session:  # at noon the night shift is far away
        handover.accept(session, two, written.id)
    noon(EVENING)
    with database.read() as session:
        assert handover.may_accept(session, "duty.two", written)
        assert not handover.may_accept(session, "duty.three", written)
    with pytest.raises(Conflict), database.write() as session:
        handover.accept(session, two, written.id, expected_version=1)
    with database.write() as session:
        done = handover.accept(session, two, written.id, "已阅", expected_version=2)
    assert (done.accepted_by, done.remark, done.accepted_counts["critical"]) == ("duty.two", "已阅", 1)
    with pytest.raises(Conflict), database.write() as session:
        handover.accept(session, two, written.id)
    with pytest.raises(Denied), database.write() as session:  # it is taken over: nothing to change any more
        handover.write(session, one, "x")
    with database.write() as session:
        own = handover.write(session, two, "夜班")
    assert (own.day, own.shift) == (DAY, "night")
    with pytest.raises(Denied), database.write() as session:
        handover.write(session, people.as_("planner")[0], "x")


def test_a_matter_goes_from_person_to_person(people: City, noon: Callable[[str], None], make: Callable[..., Detection]) -> None:
    staff(people)
    one, database = people.as_("duty.one")
    with database.write() as session:
        session.add(
            WebhookTarget(
                name="w", url="https://x", min_level="critical", enabled=True, sealed_secret="", created_at=NOON, created_by="x"
            )
        )
        alerts.record_detections(session, [make()])
        tickets.create(session, one, Draft("remediation", "t"))
    with database.write() as session:
        first = escalation.escalate(session, one, "alert", "1", "无法判断")
        second = escalation.escalate(session, one, "alert", "1", "无人应答")
    assert [(row.to_name, row.step) for row in (first, second)] == [("duty.three", 1), ("duty.two", 2)]
    with pytest.raises(Conflict, match="nobody is left"), database.write() as session:
        escalation.escalate(session, one, "alert", "1", "x")
    with pytest.raises(Denied), database.write() as session:
        escalation.acknowledge(session, people.as_("planner")[0], second.id)
    with database.write() as session:
        assert escalation.acknowledge(session, people.as_("duty.two")[0], second.id).acknowledged_by == "duty.two"
    with pytest.raises(Conflict), database.write() as session:
        escalation.acknowledge(session, one, second.id)
    with database.write() as session:
        assert escalation.escalate(session, one, "alert", "1", "又来了").step == 1
    for kind, number, error in (
        ("alert", "99", NotFound),
        ("ticket", "x", NotFound),
        ("other", "a b", Invalid),
        ("file", "1", Invalid),
    ):
        with pytest.raises(error), database.write() as session:
            escalation.escalate(session, one, kind, number, "x")
    with database.read() as session:
        sent = session.scalars(select(WebhookDelivery.event_type).where(WebhookDelivery.event_type.like("duty.%"))).all()
        assert sorted(sent) == ["duty.acknowledged", "duty.escalated", "duty.escalated", "duty.escalated"]
        assert [row.kind for row in log.list_log(session).entries].count("escalation") == 4
        acts = [row.action for row in audit.since(session, 0)]
    assert acts.count("duty.escalate") == 3
    assert {"duty.plan", "duty.acknowledge"} <= set(acts)


def test_the_log_is_walked_line_by_line(people: City) -> None:
    who, database = people.as_("duty.one")
    with database.write() as session:
        for number in range(7):
            log.write(session, who, "note", f"第 {number} 行")
    seen, cursor = [], ""
    with database.read() as session:
        while True:
            page = log.list_log(session, limit=3, cursor=cursor)
            seen += [row.text for row in page.entries]
            cursor = page.cursor
            if not cursor:
                break
        with pytest.raises(Invalid):
            log.list_log(session, cursor="x")
    assert seen == [f"第 {number} 行" for number in reversed(range(7))]
    for kind, text in (("escalation", "x"), ("note", " "), ("note", "x" * 4001)):
        with pytest.raises(Invalid), database.write() as session:
            log.write(session, who, kind, text)


def test_planning_ahead_across_a_year(people: City) -> None:
    first = today(NOON)
    names = ("duty.one", "duty.two")
    wishes = [((first + timedelta(days=day)).isoformat(), "day", 1, names[day % 2]) for day in range(60)]
    assert plan(people, *wishes) == 60
    with people.database.read() as session, pytest.raises(Invalid):
        roster.get_roster(session, first, 1000)
