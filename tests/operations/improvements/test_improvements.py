"""The improvement register: who may do what, its states, scopes, and actions of reviews that come in once."""

from __future__ import annotations

import pytest

from kernel.db import Database
from operations import clock
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.improvements import service
from operations.improvements.schema import Detail, Draft, ImprovementFilter, ImprovementRow
from operations.incidents.record import create_incident
from operations.incidents.review import add_action
from operations.incidents.schema import NewIncident
from tests.operations.organisations_city import TRAFFIC, WATER, City


@pytest.fixture
def city(database: Database) -> City:
    return City(database)


def make(city: City, by: str = "duty.one", **more: str) -> ImprovementRow:
    who, database = city.as_(by)
    with database.write() as session:
        return service.propose(session, who, Draft("审计日志留存不足", **more))


def do(city: City, by: str, number: int, name: str, note: str = "x", version: int | None = None) -> ImprovementRow:
    who, database = city.as_(by)
    with database.write() as session:
        return service.act(session, who, number, name, note, expected_version=version)


def detail(city: City, by: str, number: int) -> Detail:
    who, database = city.as_(by)
    with database.read() as session:
        return service.get_improvement(session, who, number)


def test_from_a_proposal_to_its_effect(city: City) -> None:
    made = make(city, organisation=WATER)
    assert detail(city, "duty.one", made.id).acts == ["accept", "decline"]
    assert detail(city, "water", made.id).acts == []
    do(city, "duty.one", made.id, "accept")
    assert detail(city, "water", made.id).acts == ["start", "finish"]
    do(city, "water", made.id, "start")
    assert do(city, "water", made.id, "finish", "改为 180 天").result == "改为 180 天"
    assert do(city, "duty.one", made.id, "verify", "抽查属实").state == "verified"
    assert do(city, "duty.one", made.id, "reopen", "又不足").state == "accepted"
    steps = [step.act for step in detail(city, "duty.one", made.id).steps]
    assert steps == ["reopen", "verify", "finish", "start", "accept", "propose"]


def test_nobody_judges_his_own_work(city: City) -> None:
    made = make(city)
    do(city, "duty.one", made.id, "accept")
    do(city, "duty.one", made.id, "finish")
    assert "verify" not in detail(city, "duty.one", made.id).acts
    with pytest.raises(Denied, match="somebody else"):
        do(city, "duty.one", made.id, "verify")
    do(city, "duty.two", made.id, "verify")


def test_a_bureau_sees_and_proposes_its_own(city: City) -> None:
    theirs, own = make(city, organisation=TRAFFIC), make(city, by="water")
    assert own.organisation == WATER
    for act in service.ACTS:
        with pytest.raises(NotFound):
            do(city, "water", theirs.id, act)
    for act in ("accept", "decline"):
        with pytest.raises(Denied):
            do(city, "water", own.id, act)
    with pytest.raises(Invalid):
        make(city, by="water", organisation=TRAFFIC)
    _who, database = city.as_("water")
    with database.read() as session:
        assert [one.id for one in service.list_improvements(session).improvements] == [own.id]
        assert sum(service.count_states(session).values()) == 1


def test_two_at_once_and_wrong_steps(city: City) -> None:
    made = make(city)
    do(city, "duty.one", made.id, "accept", version=1)
    with pytest.raises(Conflict, match="somebody else"):
        do(city, "duty.two", made.id, "decline", version=1)
    with pytest.raises(Conflict, match="state"):
        do(city, "duty.one", made.id, "verify")
    with pytest.raises(Invalid):
        do(city, "duty.one", made.id, "remove")
    with pytest.raises(Invalid, match="note is missing"):
        do(city, "duty.one", made.id, "finish", "  ")


def test_lists_filter_page_and_mark_what_is_late(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    late = make(city, due_at=clock.shift(clock.now(), 60))
    for _ in range(4):
        make(city, source="audit")
    present = clock.shift(clock.now(), 3600)
    monkeypatch.setattr(clock, "now", lambda: present)
    _who, database = city.as_("duty.one")
    with database.read() as session:
        assert [one.id for one in service.list_improvements(session, ImprovementFilter(overdue=True)).improvements] == [late.id]
        assert len(service.list_improvements(session, ImprovementFilter(source="audit", text="日志")).improvements) == 4
        assert service.list_improvements(session, ImprovementFilter(text="%")).improvements == []
        first = service.list_improvements(session, limit=3)
        second = service.list_improvements(session, limit=3, cursor=first.cursor)
        assert len({one.id for one in (*first.improvements, *second.improvements)}) == 5
        assert second.cursor == ""
        with pytest.raises(Invalid):
            service.list_improvements(session, cursor="x")


def test_an_action_of_a_review_comes_in_once(city: City) -> None:
    who, database = city.as_("duty.one")
    with database.write() as session:
        incident = create_incident(session, who.actor, NewIncident("web shell"))
        action = add_action(session, who.actor, incident.id, "补丁管理", owner="李工")
        made = service.take_over(session, who, incident.id, action.id)
    assert (made.title, made.responsible, made.source) == ("补丁管理", "李工", "review")
    with database.write() as session, pytest.raises(Conflict):
        service.take_over(session, who, incident.id, action.id)
    with database.write() as session, pytest.raises(NotFound):
        service.take_over(session, who, incident.id, action.id + 1)
    water, theirs = city.as_("water")
    with theirs.write() as session, pytest.raises((NotFound, Denied)):
        service.take_over(session, water, incident.id, action.id)
