"""Findings of several systems in two orders, re-tests that people ask for, days, and the story of one."""

from __future__ import annotations

import pytest

from compliance.assessment.record import record
from compliance.remediation import listing, service, waivers
from compliance.remediation.following import follow
from compliance.remediation.schema import Assignment, FindingFilter, RemediationFinding, WaiverDraft
from compliance.systems import objects
from compliance.systems import service as systems
from compliance.systems.schema import ObjectDraft, SystemDraft
from operations import clock
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.tickets import service as tickets
from tests.compliance.assessment.small_system import PASSWORDS, PROBE, TWO_FACTORS, SmallSystem
from tests.operations.organisations_city import TRAFFIC, WATER


def looked(small: SmallSystem, system: int | None = None) -> None:
    with small.database.write() as session:
        follow(session, system or small.id)


def listed(small: SmallSystem, sort: str = "opened", limit: int = 50, cursor: str = "", **where: object) -> list[str]:
    with small.database.read() as session:
        page = listing.list_all(session, FindingFilter(**where), sort=sort, limit=limit, cursor=cursor)  # type: ignore[arg-type]
    return [f"{one.system_id}:{one.item}" for one in page.findings]


def elsewhere(small: SmallSystem) -> int:
    """A system of the traffic authority with a finding."""
    with small.database.write() as session:
        system = systems.create_system(session, small.who, SystemDraft("信号控制", "S3A3", organisation=TRAFFIC)).id
        host = objects.add_object(session, small.who, system, ObjectDraft("server_os", "t1")).id
        record(session, PROBE, system, PASSWORDS, host, "not_met", source="probe", reason="r")
        follow(session, system)
    return system


def one(small: SmallSystem, item: str = PASSWORDS) -> RemediationFinding:
    with small.database.read() as session:
        return listing.list_all(session, FindingFilter(system_id=small.id, item=item)).findings[0]


def test_every_system_that_is_seen(small: SmallSystem) -> None:
    small.probe("not_met")
    small.probe("partly", TWO_FACTORS)
    looked(small)
    other = elsewhere(small)
    mine, theirs = [f"{small.id}:{TWO_FACTORS}", f"{small.id}:{PASSWORDS}"], [f"{other}:{PASSWORDS}"]
    assert listed(small) == theirs + mine
    assert listed(small, system_id=small.id) == mine
    assert listed(small, security_class="8.1.4", item=TWO_FACTORS) == mine[:1]
    assert listed(small, security_class="8.1.5") == []
    _, traffic = small.city.as_("traffic")
    with traffic.read() as session:
        assert [row.system_id for row in listing.list_all(session).findings] == [other]
        assert listing.count_states(session)["open"] == 1
        with pytest.raises(NotFound):
            listing.list_all(session, FindingFilter(system_id=small.id))


def test_both_orders_page_through_everything_once(small: SmallSystem) -> None:
    small.probe("not_met")
    small.probe("partly", TWO_FACTORS)
    for item in ("8.1.4.1.b", "8.1.4.2.a"):
        small.probe("not_met", item)
    looked(small)
    for item, days in ((TWO_FACTORS, 9), ("8.1.4.2.a", 3)):
        with small.database.write() as session:
            given = Assignment(due_at=clock.shift(clock.now(), days * 86_400))
            service.assign(session, small.who, one(small, item).id, given)
    assert listed(small, "due")[:2] == [f"{small.id}:8.1.4.2.a", f"{small.id}:{TWO_FACTORS}"]
    assert listed(small, undated=True, sort="due") == [f"{small.id}:{PASSWORDS}", f"{small.id}:8.1.4.1.b"]
    assert listed(small, due_by=clock.shift(clock.now(), 5 * 86_400)) == [f"{small.id}:8.1.4.2.a"]
    assert listed(small, bureau=WATER, sort="due") == listed(small, "due")[:2]
    for sort in listing.SORTS:
        seen, cursor = [], ""
        for _ in range(4):
            with small.database.read() as session:
                page = listing.list_all(session, sort=sort, limit=1, cursor=cursor)
            seen += [row.id for row in page.findings]
            cursor = page.cursor
        assert cursor == ""
        assert len(set(seen)) == 4
        with small.database.read() as session, pytest.raises(Invalid):
            listing.list_all(session, sort=sort, cursor="~~")


def test_a_re_test_that_a_person_asks_for(small: SmallSystem) -> None:
    small.probe("not_met")
    looked(small)
    number, version = one(small).id, one(small).version
    with pytest.raises(Invalid, match="missing"), small.database.write() as session:
        service.ask_retest(session, small.who, number, " ")
    with small.database.write() as session:
        asked = service.ask_retest(session, small.who, number, "已改", expected_version=version)
    assert asked.state == "to_retest"
    with pytest.raises(Stale), small.database.write() as session:
        service.ask_retest(session, small.who, number, "已改", expected_version=version)
    with pytest.raises(Conflict), small.database.write() as session:
        service.ask_retest(session, small.who, number, "已改")
    looked(small)
    assert one(small).state == "to_retest", "without a later look it waits"
    small.probe("partly")
    looked(small)
    assert (one(small).state, one(small).reopened, one(small).retest_at) == ("open", 1, "")
    with small.database.write() as session:
        service.ask_retest(session, small.who, number, "再改")
    small.probe("met")
    looked(small)
    with small.database.read() as session:
        found = service.get_finding(session, number)
        acts = [step.act for step in listing.story(session, found)]
    assert found.state == "closed"
    assert [act for act in acts if act != "verdict"] == ["closed", "retest", "failed", "retest", "opened"]
    assert acts.count("verdict") == 3


def test_another_day_is_that_of_the_ticket_too(small: SmallSystem) -> None:
    small.probe("not_met")
    looked(small)
    number, later = one(small).id, clock.shift(clock.now(), 40 * 86_400)
    with pytest.raises(Conflict), small.database.write() as session:
        service.set_due(session, small.who, number, later)
    with small.database.write() as session:
        ticket = service.assign(session, small.who, number, Assignment()).ticket_id
    with pytest.raises(Invalid), small.database.write() as session:
        service.set_due(session, small.who, number, "2020-01-01T00:00:00Z")
    with small.database.write() as session:
        assert service.set_due(session, small.who, number, later, "延期").due_at == later
    assert ticket is not None
    with small.database.read() as session:
        assert tickets.get_ticket(session, ticket).due_at == later
    looked(small)
    assert one(small).due_at == later


def test_who_has_to_decide_about_waivers(small: SmallSystem) -> None:
    small.probe("not_met")
    looked(small)
    draft = WaiverDraft("r", "m", clock.shift(clock.now(), 86_400))
    with small.database.write() as session:
        made = waivers.ask(session, small.who, one(small).id, draft)
    with small.database.read() as session:
        assert [waivers.count_asked(session, name) for name in (small.who.name, "reader")] == [0, 1]
        assert [row.id for row in waivers.list_waivers(session, 0, "asked").waivers] == [made.id]
    _, traffic = small.city.as_("traffic")
    with traffic.read() as session:
        assert waivers.list_waivers(session, 0).waivers == []
        assert waivers.count_asked(session, "traffic") == 0
        with pytest.raises(NotFound):
            waivers.get_waiver(session, made.id)
