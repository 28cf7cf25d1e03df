"""Saved and scheduled searches over a real lake: rights, windows without gaps, alerts that count once, and what stops a search."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kernel.db import Database
from kernel.errors import QueryError, StoreError
from kernel.event import Event
from kernel.store.contract import Commit, EventStore
from kernel.store.lake import Lake
from operations import clock
from operations.accounts.models import User
from operations.accounts.schema import Principal
from operations.accounts.service import create_user
from operations.alerts.models import Alert
from operations.audit.schema import SYSTEM
from operations.errors import Conflict, Invalid, NotFound
from operations.searches import running, service
from operations.searches.schema import Schedule

PASSWORD = "Correct-Horse-7"
START = "2026-11-26T04:00:00.000000Z"


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> str:
        return self.now

    def move(self, seconds: float) -> None:
        self.now = clock.shift(self.now, seconds)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standing = Clock()
    monkeypatch.setattr(clock, "now", standing)
    return standing


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    lake = Lake.open(tmp_path / "lake", writable=True)
    yield lake
    lake.close()


@pytest.fixture
def lin(database: Database) -> Principal:
    user = create_user(database, SYSTEM, "lin", PASSWORD, "analyst")
    return Principal(user.id, "lin", "", "analyst")


@pytest.fixture
def wang(database: Database) -> Principal:
    user = create_user(database, SYSTEM, "wang", PASSWORD, "analyst")
    return Principal(user.id, "wang", "", "analyst")


def events(*seconds: float, **fields: str) -> list[Event]:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return [
        {"@timestamp": clock.shift(START, at), "event.id": f"{at}-{sorted(named.items())}", "event.dataset": "demo", **named}
        for at in seconds
    ]


def scheduled(database: Database, who: Principal, query: str = "user.name:root", **more: int) -> int:
    with database.write() as session:
        search = service.create_search(session, who, "Root", query)
        schedule = Schedule(every=300, settle=60, **more)
        return service.schedule_search(session, who, search.id, schedule, expected_version=1).id


def hits(database: Database, who: Principal, number: int) -> list[int]:
    with database.read() as session:
        return [run.hits for run in service.list_runs(session, who, number)][::-1]


def test_windows_follow_each_other_however_late_the_scheduler_is(
    database: Database, store: EventStore, lin: Principal, time: Clock
) -> None:
    number = scheduled(database, lin)
    store.commit(Commit(events(-90, -1, 239.9, 240, 500, 539.9, 541, user__name="root")))
    assert running.run_due(database, store) == 0
    assert not running.is_due(database)
    time.move(299)
    assert running.run_due(database, store) == 0
    time.move(1)
    assert running.is_due(database)
    assert running.run_due(database, store) == 1
    time.move(3600)  # the platform was down
    assert running.run_due(database, store) == 12
    with database.read() as session:
        runs = service.list_runs(session, lin, number)[::-1]
    assert runs[0].start == clock.shift(START, -60)
    assert all(one.end == next_.start for one, next_ in pairwise(runs))
    assert hits(database, lin, number)[:4] == [2, 3, 1, 0]


def test_more_hits_than_the_threshold_raise_one_alert_that_counts_up(
    database: Database, store: EventStore, lin: Principal, time: Clock
) -> None:
    number = scheduled(database, lin, threshold=1)
    store.commit(Commit(events(0, 1, 300, 301, 302, 700, user__name="root", host__name="srv", host__zone="gov-cloud")))
    time.move(900)
    running.run_due(database, store)
    with database.read() as session:
        alerts = list(session.execute(select(Alert)).scalars())
        runs = service.list_runs(session, lin, number)
    assert [(one.rule_id, one.rule_name, one.engine, one.count, one.host) for one in alerts] == [
        (f"search.{number}", "Root", "search", 2, "srv")
    ]
    assert [run.alert_id for run in runs[::-1]] == [alerts[0].id, alerts[0].id, None]


def test_a_window_that_is_looked_at_again_counts_once(database: Database, store: EventStore, lin: Principal, time: Clock) -> None:
    number = scheduled(database, lin)
    store.commit(Commit(events(0, user__name="root", host__name="srv")))
    time.move(400)
    with database.read() as session:
        before = session.get(running.SavedSearch, number)
        assert before is not None
        done, due = before.done_until, before.next_due
    running.run_due(database, store)
    with database.write() as session:  # as if the state were that of before the commit
        session.execute(update(running.SavedSearch).values(done_until=done, next_due=due))
    running.run_due(database, store)
    with database.read() as session:
        assert [one.count for one in session.execute(select(Alert)).scalars()] == [1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"active": False}, "switched off"),
        ({"role": "sysadmin"}, "may not search"),
        ({"removed_at": START}, "gone"),
        ({"organisations": '["water"]'}, "no zone"),
    ],
)
def test_without_its_owners_rights_a_search_stops(
    database: Database, store: EventStore, lin: Principal, wang: Principal, time: Clock, change: dict[str, object], reason: str
) -> None:
    number = scheduled(database, lin)
    store.commit(Commit(events(0, user__name="root")))
    with database.write() as session:
        session.execute(update(User).where(User.id == lin.user_id).values(**change))
    time.move(4000)
    assert running.run_due(database, store) == 1
    assert running.run_due(database, store) == 0
    with database.read() as session:
        assert reason in service.get_search(session, lin, number).stopped
        assert session.execute(select(Alert)).first() is None


def test_it_finds_what_its_owner_may_see(database: Database, store: EventStore, lin: Principal, time: Clock) -> None:
    number = scheduled(database, lin)
    store.commit(Commit(events(0, 1, user__name="root", host__zone="water-ot") + events(2, user__name="root", host__zone="office")))
    with database.write() as session:
        session.execute(update(User).where(User.id == lin.user_id).values(zones='["water-ot"]'))
    time.move(400)
    running.run_due(database, store)
    assert hits(database, lin, number) == [2]


def test_a_query_that_gives_no_answer_stops_after_some_tries(
    database: Database, store: EventStore, lin: Principal, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = scheduled(database, lin)

    def fail(*_arguments: object, **_more: object) -> None:
        raise QueryError("the query took longer than 20 s")

    monkeypatch.setattr(store, "search", fail)
    for _ in range(running.MOST_FAILURES):
        time.move(400)
        running.run_due(database, store)
    with database.read() as session:
        search = service.get_search(session, lin, number)
        assert "longer than 20 s" in search.stopped
        assert search.done_until == clock.shift(START, -60)  # nothing was passed over
    time.move(4000)
    assert running.run_due(database, store) == 0


def test_a_store_that_does_not_answer_stops_no_search_and_leaves_no_gap(
    database: Database, store: EventStore, lin: Principal, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = scheduled(database, lin)
    store.commit(Commit(events(10, 600, user__name="root")))

    def fail(*_arguments: object, **_more: object) -> None:
        raise StoreError("the store cannot be reached")

    with monkeypatch.context() as broken:
        broken.setattr(store, "search", fail)
        for _ in range(running.MOST_FAILURES + 2):
            time.move(400)
            assert running.run_due(database, store) == 1
    time.move(400)
    running.run_due(database, store)
    with database.read() as session:
        search, runs = service.get_search(session, lin, number), service.list_runs(session, lin, number)[::-1]
    answered = [run for run in runs if not run.error]
    assert (search.stopped, search.failures, len(runs) - len(answered)) == ("", 0, running.MOST_FAILURES + 2)
    assert answered[0].start == clock.shift(START, -60)
    assert all(one.end == next_.start for one, next_ in pairwise(answered))
    assert sum(run.hits for run in answered) == 2


def test_a_changed_schedule_goes_on_where_it_was(database: Database, store: EventStore, lin: Principal, time: Clock) -> None:
    number = scheduled(database, lin)
    time.move(700)
    running.run_due(database, store)
    with database.write() as session:
        before = service.get_search(session, lin, number)
        after = service.schedule_search(session, lin, number, Schedule(900, settle=600), expected_version=before.version)
        assert after.done_until == before.done_until
        assert after.next_due == clock.shift(before.done_until, 900 + 600)


def test_only_those_of_the_same_scope_see_a_shared_search(database: Database, lin: Principal, wang: Principal) -> None:
    with database.write() as session:
        private = service.create_search(session, lin, "mine", "a")
        shared = service.create_search(session, lin, "ours", "b", shared=True)
    scoped = Principal(wang.user_id, "wang", "", "analyst", zones=frozenset({"water-ot"}))
    with database.read() as session:
        assert [one.name for one in service.list_searches(session, wang)] == ["ours"]
        assert service.list_searches(session, scoped) == []
        for who, number in ((wang, private.id), (scoped, shared.id), (scoped, private.id)):
            with pytest.raises(NotFound):
                service.get_search(session, who, number)
            with pytest.raises(NotFound):
                service.list_runs(session, who, number)
    with database.write() as session, pytest.raises(NotFound):
        service.change_search(session, wang, shared.id, expected_version=1, name="stolen")
    with database.write() as session, pytest.raises(NotFound):
        service.delete_search(session, wang, shared.id, expected_version=1)


def test_supervision_sees_scheduled_searches_and_stops_them(
    database: Database, store: EventStore, lin: Principal, wang: Principal, time: Clock
) -> None:
    number = scheduled(database, lin)
    with database.write() as session:
        service.create_search(session, lin, "by hand", "x")
    keeper = Principal(99, "an.quan", "", "secadmin")
    with database.read() as session:
        assert [one.id for one in service.list_searches(session, keeper)] == [number]
    with database.write() as session, pytest.raises(NotFound):
        service.stop_search(session, wang, number, "no reason")
    with database.write() as session:
        assert service.stop_search(session, keeper, number, "too costly").stopped == "an.quan: too costly"
    time.move(4000)
    assert running.run_due(database, store) == 0


def test_a_reason_that_cannot_be_stored_is_mended(database: Database, lin: Principal) -> None:
    number = scheduled(database, lin)
    keeper = Principal(9, "an.quan", "An Quan", "secadmin")
    with database.write() as session:
        assert service.stop_search(session, keeper, number, "a\0 \ud800").stopped == "an.quan: a ?"
        assert service.create_search(session, lin, "odd", "a", columns="\ud800").columns == "?"


def test_a_scheduled_search_gets_no_pipes_by_a_change(database: Database, lin: Principal) -> None:
    number = scheduled(database, lin)
    with database.write() as session, pytest.raises(Invalid) as refusal:
        service.change_search(session, lin, number, expected_version=None, query="user.name:root | sort user.id asc")
    assert refusal.value.field == "query"


def test_two_changes_at_once_are_noticed(database: Database, lin: Principal) -> None:
    with database.write() as session:
        made = service.create_search(session, lin, "a", "user.name:x")
        service.change_search(session, lin, made.id, expected_version=1, name="b")
    with database.write() as session, pytest.raises(Conflict):
        service.change_search(session, lin, made.id, expected_version=1, name="c")


@pytest.mark.parametrize(
    ("name", "query", "problem"),
    [
        ("", "a", Invalid),
        ("x" * 61, "a", Invalid),
        ("tab\x07", "a", Invalid),
        ("n", "a" * 4001, Invalid),
        ("n", "\0", Invalid),
        ("n", 'host.name:"', QueryError),
    ],
)
def test_what_cannot_be_kept_is_refused(
    database: Database, lin: Principal, name: str, query: str, problem: type[Exception]
) -> None:
    with database.write() as session, pytest.raises(problem):
        service.create_search(session, lin, name, query)


def test_limits(database: Database, lin: Principal, time: Clock) -> None:
    with database.write() as session:
        made = [service.create_search(session, lin, f"s{number}", "x") for number in range(service.MOST)]
        with pytest.raises(Invalid, match="at most"):
            service.create_search(session, lin, "one more", "x")
        for one in made[: service.MOST_SCHEDULED]:
            service.schedule_search(session, lin, one.id, Schedule(300), expected_version=1)
        with pytest.raises(Invalid, match="schedules at most"):
            service.schedule_search(session, lin, made[-1].id, Schedule(300), expected_version=1)
        for wrong in (Schedule(1), Schedule(300, -1), Schedule(300, level="critical"), Schedule(300, settle=-1)):
            with pytest.raises(Invalid):
                service.schedule_search(session, lin, made[0].id, wrong, expected_version=None)
