"""From a verdict that is not met to a ticket, its re-test, and the end of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from compliance.assessment.models import VerdictRow
from compliance.assessment.scoring import score
from compliance.remediation import service
from compliance.remediation.following import follow, follow_all
from compliance.remediation.progress import progress
from compliance.remediation.schema import Assignment, FindingFilter, Followed, RemediationFinding
from compliance.systems import applicability, objects
from operations import clock
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.tickets import service as tickets
from operations.tickets.schema import Act, TicketFilter
from tests.compliance.assessment.small_system import PASSWORDS, TWO_FACTORS, SmallSystem
from tests.operations.organisations_city import WATER


def look(small: SmallSystem) -> Followed:
    with small.database.write() as session:
        return follow(session, small.id)


def findings(small: SmallSystem, **where: object) -> list[RemediationFinding]:
    with small.database.read() as session:
        return service.list_findings(session, small.id, FindingFilter(**where)).findings  # type: ignore[arg-type]


def assign(small: SmallSystem, number: int, given: Assignment = Assignment()) -> RemediationFinding:
    with small.database.write() as session:
        return service.assign(session, small.who, number, given)


def act(small: SmallSystem, name: str, ticket: int, what: str, note: str = "") -> None:
    who, database = small.city.as_(name)
    with database.write() as session:
        tickets.act(session, who, ticket, Act(what, note))


def finish(small: SmallSystem, ticket: int) -> None:
    act(small, "water", ticket, "take")
    act(small, "water", ticket, "finish", "已整改")


def test_a_weak_verdict_is_a_finding_once(small: SmallSystem) -> None:
    small.probe("not_met")
    small.probe("partly", TWO_FACTORS)
    small.probe("met", target=small.other)
    assert len(look(small).opened) == 2
    assert not look(small), "a second look changes nothing"
    found = findings(small)
    assert [(one.item, one.object, one.state, one.verdict) for one in found] == [
        (PASSWORDS, "h1", "open", "not_met"),
        (TWO_FACTORS, "h1", "open", "partly"),
    ]
    small.probe("met")
    assert follow_all(small.database) == 1
    assert follow_all(small.database) == 0
    assert [(one.state, one.outcome) for one in findings(small, state="closed")] == [("closed", "met")]


def test_one_ticket_however_often_asked(small: SmallSystem) -> None:
    small.probe("not_met", reproduce="grep PASS_MIN_LEN /etc/login.defs")
    look(small)
    (found,) = findings(small)
    first = assign(small, found.id, Assignment(assignee="water", note="请按基线整改"))
    assert (first.state, first.bureau, first.assignee, first.overdue) == ("assigned", WATER, "water", False)
    assert assign(small, found.id).ticket_id == first.ticket_id
    who, database = small.city.as_("water")
    with database.read() as session:
        (ticket,) = tickets.list_tickets(session, TicketFilter()).tickets
        detail = tickets.get_detail(session, who, ticket.id)
    assert ("control", f"{small.id}:{PASSWORDS}:{small.host}") in [(one.kind, one.value) for one in detail.links]
    for words in ("h1", "not_met", "grep PASS_MIN_LEN", "请按基线整改"):
        assert words in detail.body
    with pytest.raises(Stale), small.database.write() as session:
        service.assign(session, small.who, found.id, Assignment(), expected_version=found.version)


def test_several_who_ask_at_once_get_one_ticket(small: SmallSystem) -> None:
    small.probe("not_met")
    look(small)
    (found,) = findings(small)
    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(lambda _: assign(small, found.id).ticket_id, range(4)))
    assert len(set(asked)) == 1
    with small.database.read() as session:
        assert len(tickets.list_tickets(session, TicketFilter()).tickets) == 1


def test_done_is_to_be_retested_and_a_later_look_decides(small: SmallSystem) -> None:
    small.probe("not_met")
    look(small)
    number = findings(small)[0].id
    ticket = assign(small, number).ticket_id
    assert ticket is not None
    finish(small, ticket)
    assert look(small).to_retest == (number,)
    (waiting,) = findings(small, state="to_retest")
    assert waiting.retest_at
    assert not look(small)
    with pytest.raises(Conflict, match="re-test"):
        assign(small, number)
    small.probe("not_met")
    assert look(small).reopened == (number,)
    (again,) = findings(small)
    assert (again.state, again.reopened, again.ticket_id) == ("assigned", 1, ticket)
    with small.database.read() as session:
        assert tickets.get_ticket(session, ticket).state == "sent_back"
    finish(small, ticket)
    look(small)
    small.probe("met")
    assert look(small).closed == (number,)
    assert findings(small) == []


def test_a_look_of_before_is_no_retest(small: SmallSystem) -> None:
    before = clock.shift(clock.now(), -3600)
    small.probe("not_met", at=before)
    look(small)
    ticket = assign(small, findings(small)[0].id).ticket_id
    assert ticket is not None
    finish(small, ticket)
    small.probe("not_met", at=clock.shift(before, 60))
    look(small)
    assert findings(small)[0].state == "to_retest"


def test_a_moment_that_is_only_claimed_is_no_retest(small: SmallSystem) -> None:
    small.probe("not_met")
    look(small)
    number = findings(small)[0].id
    with small.database.write() as session:  # as it could be recorded before moments of the future were refused
        session.execute(update(VerdictRow).values(at="2099-01-01T00:00:00.000000Z", probed_at="2099-01-01T00:00:00.000000Z"))
        service.ask_retest(session, small.who, number, "已改")
    assert look(small).reopened == ()
    assert findings(small)[0].state == "to_retest"
    small.probe("not_met")
    assert look(small).reopened == (number,)


def test_the_ticket_of_a_drift_is_taken_over(small: SmallSystem) -> None:
    small.probe("met")
    small.probe("not_met")
    look(small)
    (found,) = findings(small)
    assert (found.state, found.bureau) == ("assigned", WATER)
    assert assign(small, found.id).ticket_id == found.ticket_id


def test_what_applies_no_more_is_closed(small: SmallSystem) -> None:
    for target in (small.host, small.other):
        small.probe("not_met", target=target)
    small.probe("not_met", TWO_FACTORS)
    look(small)
    with small.database.write() as session:
        applicability.decide(session, small.who, small.id, PASSWORDS, False, "无口令", object_id=small.host)
        there = objects.get_object(session, small.id, small.other)
        objects.take_out(session, small.who, small.id, small.other, "下线", expected_version=there.version)
    assert len(look(small).closed) == 2
    assert [one.item for one in findings(small)] == [TWO_FACTORS]


def test_by_month_and_overdue(small: SmallSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    small.probe("not_met")
    small.probe("not_met", TWO_FACTORS)
    look(small)
    first, second = findings(small)
    assign(small, first.id, Assignment(due_at=clock.shift(clock.now(), 60)))
    small.probe("met", TWO_FACTORS)
    look(small)
    later = clock.shift(findings(small)[0].due_at, 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert [one.id for one in findings(small, overdue=True)] == [first.id]
    with small.database.read() as session:
        told = progress(session, small.id, 3)
    assert len(told.months) == 3
    now = told.months[-1]
    assert (now.month, now.opened, now.closed, now.open, now.overdue) == (clock.now()[:7], 2, 1, 1, 1)
    assert [(one.bureau, one.findings) for one in told.plan] == [(WATER, 1)]
    assert told.states == {"open": 0, "assigned": 1, "to_retest": 0, "closed": 1, "waived": 0}
    assert second.id not in [one.id for one in findings(small)]


def test_only_ones_own_organisation(small: SmallSystem) -> None:
    small.probe("not_met")
    look(small)
    number = findings(small)[0].id
    other, database = small.city.as_("traffic")
    with pytest.raises(NotFound), database.read() as session:
        service.get_finding(session, number)
    with pytest.raises(NotFound), database.read() as session:
        service.list_findings(session, small.id)
    with pytest.raises(NotFound), database.read() as session:
        progress(session, small.id)
    with pytest.raises(NotFound), database.write() as session:
        service.assign(session, other, number, Assignment())
    with pytest.raises((Invalid, Denied)), small.database.write() as session:
        service.assign(session, small.who, number, Assignment(assignee="traffic"))


def test_the_score_stays_as_it_is(small: SmallSystem) -> None:
    small.probe("not_met")
    with small.database.read() as session:
        before = score(session, small.id, "2025").outcome
    look(small)
    assign(small, findings(small)[0].id)
    with small.database.read() as session:
        assert score(session, small.id, "2025").outcome == before
