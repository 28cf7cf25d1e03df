"""A control that is not met any more raises an alert and a ticket, once."""

from __future__ import annotations

from sqlalchemy import select

from compliance.assessment import reading
from compliance.assessment import record as recording
from compliance.assessment.drift import RULE
from compliance.assessment.schema import Drift, Finding
from compliance.systems import objects
from compliance.systems.schema import ObjectDraft
from kernel.zones.plan import Asset
from operations.alerts.listing import list_alerts
from operations.alerts.models import AlertEntity
from operations.assets import register
from operations.audit.schema import Actor
from operations.tickets import service as tickets
from operations.tickets.schema import Act
from operations.zones import service as zones
from tests.compliance.assessment.small_system import PASSWORDS, PROBE, TWO_FACTORS, SmallSystem
from tests.operations.organisations_city import WATER


def test_an_alert_and_a_ticket_to_the_responsible_bureau(small: SmallSystem) -> None:
    assert small.probe("not_met").drift is None, "it never was met"
    small.probe("met")
    found = small.probe("not_met", reason="PASS_MIN_LEN 4", evidence="e" * 64).drift
    assert found is not None
    assert (found.item, found.object, found.before, found.after, found.evidence) == (PASSWORDS, "h1", "met", "not_met", "e" * 64)
    who, database = small.city.as_("water")
    with database.read() as session:
        (alert,) = list_alerts(session).alerts
        (ticket,) = tickets.list_tickets(session).tickets
        detail = tickets.get_detail(session, who, ticket.id)
    assert (alert.rule_id, alert.level) == (RULE, "critical")
    assert (ticket.kind, ticket.bureau, ticket.level, ticket.created_by) == ("remediation", WATER, "critical", "system")
    assert ticket.title.startswith("供水调度 8.1.4.1.a ")
    assert [(one.kind, one.value) for one in detail.links] == [("control", f"{small.id}:{PASSWORDS}")]
    assert "h1: met → not_met PASS_MIN_LEN 4" in detail.body


def test_no_second_ticket_while_one_is_open(small: SmallSystem) -> None:
    for verdict in ("met", "not_met", "met", "partly"):
        small.probe(verdict)
    small.probe("met", target=small.other)
    small.probe("not_met", target=small.other)
    with small.database.read() as session:
        (alert,) = list_alerts(session).alerts
        (ticket,) = tickets.list_tickets(session).tickets
    assert alert.count == 3
    issuer, database = small.city.as_("duty.one")
    with database.write() as session:
        tickets.act(session, issuer, ticket.id, Act("close", "已整改"), expected_version=ticket.version)
    small.probe("met")
    small.probe("not_met")
    with small.database.read() as session:
        assert len(tickets.list_tickets(session).tickets) == 2


def test_a_person_who_judges_worse_is_a_drift(small: SmallSystem) -> None:
    small.probe("met")
    assert small.person("met").drift is None
    assert small.person("partly").drift is not None


def test_a_probe_against_a_person_is_a_contradiction_and_a_drift_only_when_it_counts(small: SmallSystem) -> None:
    small.probe("met")
    small.person("met")
    against = small.probe("not_met", reason="telnet")
    assert (against.drift, against.counted, against.verdict) == (None, False, "met")
    with small.database.read() as session:
        assert reading.verdict_of(session, small.id, PASSWORDS, small.host).contradicted
        assert (list_alerts(session).alerts, tickets.list_tickets(session).tickets) == ([], [])
    with small.database.write() as session:
        recording.withdraw(session, small.who.actor, small.id, PASSWORDS, small.host, "改判")
    who, database = small.city.as_("water")
    with database.read() as session:
        (alert,) = list_alerts(session).alerts
        (ticket,) = tickets.list_tickets(session).tickets
        assert "h1: met → not_met telnet" in tickets.get_detail(session, who, ticket.id).body
    assert alert.rule_id == RULE


def test_a_withdrawal_about_what_is_gone_is_no_drift(small: SmallSystem) -> None:
    small.probe("not_met")
    small.person("met")
    with small.database.write() as session:
        objects.take_out(session, small.who, small.id, small.host, "报废", expected_version=None)
        recording.withdraw(session, small.who.actor, small.id, PASSWORDS, small.host, "改判")
    with small.database.read() as session:
        assert list_alerts(session).alerts == []


def test_a_port_takes_the_drifts_of_a_batch(small: SmallSystem) -> None:
    told: list[Drift] = []
    for verdict in ("met", "not_met"):
        findings = [Finding(item, small.host, verdict) for item in (PASSWORDS, TWO_FACTORS)]
        with small.database.write() as session:
            recording.record_many(
                session, PROBE, small.id, findings, source="probe", on_drift=lambda _session, drifts: told.extend(drifts)
            )
    assert [one.item for one in told] == [PASSWORDS, TWO_FACTORS]
    with small.database.read() as session:
        assert list_alerts(session).alerts == []


def test_the_alert_stands_in_the_zone_of_the_asset(small: SmallSystem) -> None:
    asset = Asset(id="wtr-srv-01", name="办公服务器", kind="server", addresses=("10.61.0.9",))
    with small.database.write() as session:
        register.register_many(session, Actor("plan"), [asset], zones.zone_table(session))
        added = objects.add_object(session, small.who, small.id, ObjectDraft("server_os", asset="wtr-srv-01"))
    small.probe("met", target=added.id)
    small.probe("not_met", target=added.id)
    with small.database.read() as session:
        found = session.execute(select(AlertEntity.kind, AlertEntity.value)).all()
    assert sorted(tuple(one) for one in found) == [("asset", "wtr-srv-01"), ("zone", "water-office")]
