"""Our own actions in a real state database: what they make, who did it, and that a request is done once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.detection import Detection, detection_id
from kernel.zones.plan import Zone, ZonePlan
from operations.alerts import service as alerts
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM
from operations.incidents import timeline
from operations.incidents.record import create_incident
from operations.incidents.schema import NewIncident
from operations.indicators.listing import get_indicator
from operations.tickets.models import Ticket, TicketLink, TicketZone
from operations.warnings.models import WarningRow
from operations.webhooks import service as webhooks
from operations.webhooks.models import WebhookDelivery
from operations.zones import service as zones
from playbooks.actions import own as own_actions
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.own_kinds import own
from playbooks.actions.parameters import TERMS
from playbooks.actions.system_kinds import system
from playbooks.extension import Options
from playbooks.model import Command
from playbooks.run import journal
from playbooks.run.journal import Wanted
from playbooks.variables import Value
from tests.playbooks.documents import document, octets
from tests.state_database import migrated


@pytest.fixture
def database(tmp_path: Path) -> Database:
    found = migrated(f"sqlite:///{tmp_path}/state.db")
    zone = Zone(id="water-ot", name="水务网", layer="perception", owner="水务局", importance=5, ranges=("10.60.0.0/16",))
    with found.write() as session:
        zones.import_plan(session, SYSTEM, ZonePlan((zone,), ()))
    return found


def _request(
    kind: str, parameters: dict[str, Any], *, key: str = "7.3.0.0", wanted: str = "", outputs: dict[str, str] | None = None
) -> Request:
    command = Command(type=kind, more={"parameters": parameters})
    return Request(
        key=key,
        step_id="action--1",
        step_name="步骤",
        command=command,
        out_args=tuple(wanted.split()),
        options=Options(outputs=outputs or {}),
    )


def _run(database: Database, request: Request) -> dict[str, Value]:
    return dict(own(database)[request.command.type].run(request, Context(time.monotonic() + 30)))


def _alert(database: Database) -> int:
    event = {
        "@timestamp": "2026-11-23T04:00:00.000000Z",
        "event.id": "0" * 32,
        "host.name": "WEB1",
        "event.dataset": "windows.sysmon",
    }
    one = Detection(
        id=detection_id("r", ["0" * 32]), rule_id="r", rule_name="口令爆破", level="high", engine="sigma", time=event["@timestamp"],
        event_ids=["0" * 32], event=event, tags=[], matched=[], author="", group={},
    )  # fmt: skip
    with database.write() as session:
        return alerts.record_detections(session, [one]).new_alert_ids[0]


def _acts(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.execute(select(AuditEntry.actor, AuditEntry.action).order_by(AuditEntry.id))
        return [(actor, action) for actor, action in rows if actor.startswith("playbook:")]


def test_a_ticket_is_opened_with_its_links_zones_and_end_by_the_run(database: Database) -> None:
    alert = _alert(database)
    given = {
        "title": "核查主机 WEB1",
        "level": "high",
        "bureau": "水务局",
        "zones": ["water-ot", ""],
        "alert": str(alert),
        "due_hours": "4",
    }
    assert _run(database, _request("liandun-ticket", given, wanted="__ticket_id__ __other__")) == {"__ticket_id__": "1"}
    with database.read() as session:
        ticket = session.get_one(Ticket, 1)
        assert (ticket.title, ticket.level, ticket.bureau, ticket.created_by) == ("核查主机 WEB1", "high", "水务局", "playbook:7")
        assert ticket.due_at is not None
        assert session.execute(select(TicketLink.kind, TicketLink.value)).all() == [("alert", str(alert))]
        assert session.execute(select(TicketZone.zone)).scalars().all() == ["water-ot"]
    assert _acts(database) == [("playbook:7", "ticket.create"), ("playbook:7", "playbook.act")]


def test_the_same_request_again_does_nothing_and_gives_the_same(database: Database) -> None:
    first = _request("liandun-ticket", {"title": "一"}, wanted="__t__", outputs={"__t__": "/ticket_id"})
    assert _run(database, first) == _run(database, first) == {"__t__": "1"}
    other_call = _request("liandun-ticket", {"title": "一"}, key="7.4.0.0", wanted="__ticket_id__")
    other_run = _request("liandun-ticket", {"title": "一"}, key="8.3.0.0", wanted="__ticket_id__")
    other_words = _request("liandun-ticket", {"title": "二"}, wanted="__ticket_id__")
    assert [_run(database, one)["__ticket_id__"] for one in (other_call, other_run, other_words)] == ["2", "3", "4"]
    assert _run(database, first) == {"__t__": "1"}


def test_of_two_attempts_that_meet_the_first_one_counts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with two writers on a server: the second looked before the first one had committed."""
    request = _request("liandun-ticket", {"title": "一"}, wanted="__ticket_id__")
    assert _run(database, request) == {"__ticket_id__": "1"}
    looked = own_actions._done_before
    monkeypatch.setattr(
        own_actions, "_done_before", lambda session, one, number=None: looked(session, one, number) if number else None
    )
    assert _run(database, request) == {"__ticket_id__": "1"}
    with database.read() as session:
        assert session.execute(select(func.count()).select_from(Ticket)).scalar_one() == 1


def test_a_new_run_with_the_number_of_a_pruned_one_acts_anew(database: Database) -> None:
    request = _request("liandun-ticket", {"title": "一"}, key="1.3.0.0", wanted="__ticket_id__")
    assert _run(database, request) == {"__ticket_id__": "1"}
    with database.write() as session:
        assert journal.request(session, Wanted(body=octets(document()), variables={"__ip__": "203.0.113.9"}, by="test")) == 1
    assert _run(database, request) == _run(database, request) == {"__ticket_id__": "2"}


def test_an_act_that_is_refused_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ActionError, match="no zone belongs") as refused:
        _run(database, _request("liandun-ticket", {"title": "一", "bureau": "无此局"}))
    assert (refused.value.code, refused.value.again) == ("INVALID", False)
    assert _acts(database) == []


def test_an_indicator_is_watched_for_once_and_taken_back(database: Database) -> None:
    add = {"value": "hxxp://evil[.]example/pay", "confidence": "90", "days": 30, "note": "告警 1"}
    assert _run(database, _request("liandun-indicator-add", add, wanted="__indicator_id__")) == {"__indicator_id__": "1"}
    again = _request("liandun-indicator-add", {"value": "http://evil.example/pay"}, key="9.1.0.0", wanted="__indicator_id__")
    assert _run(database, again) == {"__indicator_id__": "1"}
    states = []
    for key in ("9.2.0.0", "7.4.0.0", "7.5.0.0"):  # run 9 found it there
        assert _run(database, _request("liandun-indicator-revoke", {"indicator": "1", "reason": "误报"}, key=key)) == {}
        with database.read() as session:
            states.append(get_indicator(session, 1).state)
    assert states == ["active", "revoked", "revoked"]
    with database.read() as session:
        found = get_indicator(session, 1)
    assert (found.origin, found.confidence, found.created_by, found.state) == ("playbook", 90, "playbook:7", "revoked")


@pytest.mark.parametrize("value", ["10.60.0.9", "不是指标"])
def test_what_would_ring_for_everybody_is_no_indicator(database: Database, value: str) -> None:
    with pytest.raises(ActionError) as refused:
        _run(database, _request("liandun-indicator-add", {"value": value}))
    assert refused.value.code == "INVALID"


def test_a_warning_is_drafted_and_thrown_away_while_nobody_wrote_in_it(database: Database) -> None:
    alert = _alert(database)
    given = {
        "title": "勒" * 200,
        "importance": "special",
        "harm": "severe",
        "nature": "勒索软件",
        "zones": ["water-ot"],
        "alert": alert,
    }
    assert _run(database, _request("liandun-warning-draft", given, wanted="__warning_id__")) == {"__warning_id__": "1"}
    with database.read() as session:
        row = session.get_one(WarningRow, 1)
        assert (row.status, row.author, row.source, row.source_alert, row.nature) == (
            "draft",
            "playbook:7",
            "alert",
            alert,
            "勒索软件",
        )
    discard = {"warning": 1, "reason": "演练"}
    with pytest.raises(ActionError, match="others have written"):
        _run(database, _request("liandun-warning-discard", discard, key="8.4.0.0"))
    _run(database, _request("liandun-warning-discard", discard, key="7.4.0.0"))
    with database.read() as session:
        assert session.get_one(WarningRow, 1).status == "discarded"


def test_a_note_stands_in_the_timeline_of_the_incident(database: Database) -> None:
    with database.write() as session:
        incident = create_incident(session, SYSTEM, NewIncident(title="勒索", origin="hotline"))
    given = {"incident": str(incident.id), "text": "已隔离主机", "kind": "decision"}
    assert _run(database, _request("liandun-incident-note", given, wanted="__incident_number__")) == {
        "__incident_number__": incident.number
    }
    with database.read() as session:
        written = timeline.entries(session, incident.id, kinds=("decision",))
    assert [(one.actor, one.text) for one in written] == [("playbook:7", "已隔离主机")]
    with pytest.raises(ActionError) as refused:
        _run(database, _request("liandun-incident-note", {"incident": 99, "text": "x"}, key="7.5.0.0"))
    assert refused.value.code == "NOT_FOUND"


def test_an_alert_changes_its_status_and_says_what_it_was(database: Database) -> None:
    alert = _alert(database)
    given = {"alert": alert, "status": "closed", "verdict": "true_positive", "note": "剧本处置完毕"}
    assert _run(database, _request("liandun-alert-status", given, wanted="__alert_status_before__")) == {
        "__alert_status_before__": "new"
    }
    with database.read() as session:
        found = alerts.get_alert(session, alert)
        history = alerts.get_detail(session, alert).history
    assert (found.status, found.verdict) == ("closed", "true_positive")
    assert [one.actor for one in history] == ["playbook:7"]


def test_a_notice_goes_to_the_targets_whose_level_is_reached(database: Database) -> None:
    with database.write() as session:
        for name, level in (("all", "low"), ("grave", "critical")):
            webhooks.create_target(
                session, SYSTEM, MasterKey(bytes(16)), name=name, url=f"https://{name}.example.org/", min_level=level
            )
    request = _request(
        "liandun-notify", {"subject": "已封禁", "level": "high", "incident": "3", "zones": ["water-ot", ""]}, wanted="__notified__"
    )
    assert _run(database, request) == _run(database, request) == {"__notified__": "1"}
    with database.read() as session:
        assert session.execute(select(func.count()).select_from(WebhookDelivery)).scalar_one() == 1
        body = session.execute(select(WebhookDelivery.body)).scalar_one()
    assert '"type":"playbook.notice"' in body
    assert '"incident_id":3,"zones":["water-ot"]' in body


def test_wrong_parameters_are_told_before_anything_is_done(database: Database) -> None:
    for given, told in (
        ({}, "title"),
        ({"title": "x", "level": "grave"}, "grave"),
        ({"title": "x", "alert": "abc"}, "alert"),
        ({"titel": "x"}, "titel"),
    ):
        with pytest.raises(ActionError, match=told) as refused:
            _run(database, _request("liandun-ticket", given))
        assert refused.value.code == "COMMAND_WRONG"


def test_a_dry_run_is_told_what_each_would_do() -> None:
    wanted: dict[str, tuple[dict[str, Any], Plan]] = {
        "liandun-ticket": (
            {"title": "核查", "zones": ["water-ot"]},
            Plan("open a remediation ticket (medium) to the operator: 核查", ("tickets", "water-ot")),
        ),
        "liandun-indicator-add": ({"value": "evil.example"}, Plan("watch for evil.example (confidence 75)", ("evil.example",))),
        "liandun-indicator-revoke": ({"indicator": 4, "reason": "x"}, Plan("watch no more for indicator 4", ("indicator 4",))),
        "liandun-warning-draft": (
            {"title": "通报", "organisations": ["水务局"]},
            Plan("draft a warning: 通报", ("warnings", "水务局")),
        ),
        "liandun-warning-discard": ({"warning": 2, "reason": "x"}, Plan("throw away the draft of warning 2", ("warning 2",))),
        "liandun-evidence-packets": (
            {"alert": 5, "incident": 3, "reason": "x"},
            Plan("seal the packets of alert 5 as evidence of incident 3", ("alert 5", "incident 3")),
        ),
        "liandun-incident-note": (
            {"incident": 3, "text": "四个字"},
            Plan("write a note of 3 letters into incident 3", ("incident 3",)),
        ),
        "liandun-alert-status": ({"alert": 5, "status": "closed"}, Plan("set alert 5 to closed", ("alert 5",))),
        "liandun-notify": ({"subject": "完"}, Plan("tell the webhook targets: 完", ("webhooks",))),
    }
    elsewhere = {"liandun-evidence-host"}  # it has a target: test_evidence_host
    assert wanted.keys() == TERMS.keys() - system().keys() - elsewhere == own(None).keys() - elsewhere
    for kind, (given, plan) in wanted.items():
        assert own(None)[kind].plan(_request(kind, given)) == plan
    with pytest.raises(ActionError, match="inside of the platform"):
        own(None)["liandun-notify"].run(_request("liandun-notify", {"subject": "完"}), Context(time.monotonic() + 30))
