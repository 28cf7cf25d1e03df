"""A waiver is asked for by one, decided by another, ends by itself, and changes no verdict."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from compliance.assessment.models import VerdictRow
from compliance.assessment.scoring import score
from compliance.remediation import service, waivers
from compliance.remediation.following import follow
from compliance.remediation.schema import FindingFilter, Waiver, WaiverDraft
from operations import clock
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from tests.compliance.assessment.small_system import SmallSystem


def finding(small: SmallSystem) -> int:
    small.probe("not_met")
    with small.database.write() as session:
        return follow(session, small.id).opened[0]


def ask(small: SmallSystem, number: int, seconds: float = 30 * 86_400) -> Waiver:
    draft = WaiverDraft("设备不支持，年底更换", "仅允许堡垒机访问", clock.shift(clock.now(), seconds))
    with small.database.write() as session:
        return waivers.ask(session, small.who, number, draft)


def approve(small: SmallSystem, waiver: Waiver, name: str = "planner.two") -> Waiver:
    who, database = small.city.as_(name)
    with database.write() as session:
        return waivers.decide(session, who, waiver.id, True, expected_version=waiver.version)


def state(small: SmallSystem, number: int) -> str:
    with small.database.read() as session:
        return service.get_finding(session, number).state


def test_four_eyes(small: SmallSystem) -> None:
    number = finding(small)
    asked = ask(small, number)
    assert (asked.state, state(small, number)) == ("asked", "open")
    with pytest.raises(Denied):
        approve(small, asked, "planner")
    held = approve(small, asked)
    assert (held.state, held.asked_by, held.decided_by) == ("in_force", "planner", "planner.two")
    assert state(small, number) == "waived"
    with pytest.raises(Stale):
        approve(small, asked)
    with pytest.raises(Conflict):
        approve(small, held)
    with pytest.raises(Conflict, match="holds already"):
        ask(small, number)
    with small.database.read() as session:
        acts = session.execute(select(AuditEntry.action).where(AuditEntry.object_type == "waiver").order_by(AuditEntry.id))
        assert list(acts.scalars()) == ["waiver.ask", "waiver.approve"]


def test_verdict_and_score_stay(small: SmallSystem) -> None:
    number = finding(small)
    with small.database.read() as session:
        before = score(session, small.id, "2025").outcome
    approve(small, ask(small, number))
    with small.database.write() as session:
        follow(session, small.id)
    with small.database.read() as session:
        assert score(session, small.id, "2025").outcome == before
        assert session.execute(select(VerdictRow.verdict)).scalar_one() == "not_met"


def test_an_expired_one_leaves_the_finding_open(small: SmallSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    number = finding(small)
    held = approve(small, ask(small, number))
    assert state(small, number) == "waived"
    later = clock.shift(held.expires_at, 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert state(small, number) == "open", "by the clock, before any book says so"
    with small.database.read() as session:
        assert [one.state for one in waivers.list_waivers(session, small.id, "expired").waivers] == ["expired"]
        assert waivers.list_waivers(session, small.id, "in_force").waivers == []
        shown = service.list_findings(session, small.id, FindingFilter("open")).findings
        assert [one.id for one in shown] == [number]
    with small.database.write() as session:
        assert follow(session, small.id).expired == (number,)
    with small.database.write() as session:
        assert not follow(session, small.id)
    approve(small, ask(small, number))
    assert state(small, number) == "waived"


def test_refused_and_ended(small: SmallSystem) -> None:
    number = finding(small)
    asked = ask(small, number)
    who, database = small.city.as_("planner.two")
    with pytest.raises(Invalid), database.write() as session:
        waivers.decide(session, who, asked.id, False)
    with database.write() as session:
        assert waivers.decide(session, who, asked.id, False, "可以整改").state == "refused"
    held = approve(small, ask(small, number))
    with small.database.write() as session:
        assert waivers.end(session, small.who, held.id, "设备已更换").state == "ended"
    assert state(small, number) == "open"


@pytest.mark.parametrize("seconds", [-1, 367 * 86_400])
def test_it_ends_within_a_year(small: SmallSystem, seconds: float) -> None:
    number = finding(small)
    with pytest.raises(Invalid, match="within a year"):
        ask(small, number, seconds)


def test_other_organisations_see_none(small: SmallSystem) -> None:
    number = finding(small)
    asked = ask(small, number)
    with pytest.raises(NotFound):
        approve(small, asked, "traffic")
    who, database = small.city.as_("traffic")
    with pytest.raises(NotFound), database.write() as session:
        waivers.ask(session, who, number, WaiverDraft("a", "b", clock.shift(clock.now(), 60)))


def test_a_finding_that_is_met_needs_none(small: SmallSystem) -> None:
    number = finding(small)
    asked = ask(small, number)
    small.probe("met")
    with small.database.write() as session:
        follow(session, small.id)
    with pytest.raises(Conflict):
        approve(small, asked)
    with small.database.read() as session:
        assert [one.state for one in waivers.list_waivers(session, small.id).waivers] == ["ended"]
