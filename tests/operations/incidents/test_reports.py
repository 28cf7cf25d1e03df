"""Reports read back by independent readers, review and actions, reminders exactly once, measures of time, deadlines."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from io import BytesIO
from typing import Any

import docx as office
import orjson
import pytest
from pypdf import PdfReader
from sqlalchemy import delete, select, update

from crypto.secret import MasterKey
from crypto.sm3 import sm3
from kernel.db import Database
from operations.accounts.schema import Principal
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.incidents import service
from operations.incidents.models import IncidentReminder, IncidentReport
from operations.incidents.schema import Change, Decision, IncidentRow, NewIncident, Review
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.models import WebhookDelivery
from operations.webhooks.service import create_target
from tests.operations.incidents.conftest import ALICE, CLOUD, WATER, Clock

Run = Callable[..., Any]
HOSTILE = '#import "/etc/passwd" $x$ {{7*7}} <w:p>&</w:p> ]]>'


@pytest.fixture
def made(act: Run, attack: list[int]) -> IncidentRow:
    """A brute force, decided as fairly serious, with a task done and things written down."""
    wanted = NewIncident(f"门户遭暴力破解 {HOSTILE}", origin="alert", alert_ids=tuple(attack[:2]))
    found = act(service.create_incident, ALICE, wanted)
    act(service.decide, ALICE, found.id, Decision("0206", "important", "serious", "slight", ""))
    act(service.write, ALICE, found.id, "note", "内部备注不外传")
    act(service.write, ALICE, found.id, "decision", "隔离门户")
    act(service.add_asset, ALICE, found.id, "service", "市民门户", layer="citizen", impact="登录变慢")
    assert isinstance(found, IncidentRow)
    return found


def texts(octets: bytes) -> str:
    body = office.Document(BytesIO(octets))
    cells = [cell.text for table in body.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in body.paragraphs), *cells])


def pdf_text(octets: bytes) -> str:
    return re.sub(r"[\s\u200b]", "", "".join(page.extract_text() for page in PdfReader(BytesIO(octets)).pages))


def test_an_initial_report_says_what_is_known(made: IncidentRow, city: Database, act: Run, look: Run) -> None:
    report = service.issue(city, ALICE.actor, made.id, "initial")
    assert (report.number, report.issued_by, report.kind) == ("BG-2026-0001", "alice", "initial")
    record, octets = act(service.read_file, ALICE, made.id, report.id, "docx")
    assert sm3(octets).hex() == record.docx_sm3
    told = texts(octets)
    for part in ("网络安全事件初报", "SJ-2026-0001", "凭据攻击事件", "较大", "大数据局", "政务云", "203.0.113.9",
                 "市民门户", "登录变慢",
                 "2026-11-26 11:00", "属地省级网信部门", HOSTILE, "待确认"):  # fmt: skip
        assert part in told, part
    assert "内部备注" not in told
    _record, octets = act(service.read_file, ALICE, made.id, report.id, "pdf")
    told = pdf_text(octets)
    for part in ("网络安全事件初报", "SJ-2026-0001", "凭据攻击事件", "BG-2026-0001"):
        assert part in told
    assert look(service.list_reports, made.id) == ([report], 0)


def test_progress_and_closing_reports_tell_the_course_and_the_review(made: IncidentRow, city: Database, act: Run) -> None:
    act(service.write_review, ALICE, made.id, Review(root_cause="弱口令", lessons="启用双因素"), expected_version=0)
    act(service.add_action, ALICE, made.id, "全市弱口令排查", owner="大数据局", due_at="2026-12-31T00:00:00Z")
    expected: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        ("progress", ("隔离门户", "发现研判"), ("弱口令",)),
        ("closing", ("隔离门户", "启用双因素", "全市弱口令排查"), ()),
    ]
    for kind, has, has_not in expected:
        report = service.issue(city, ALICE.actor, made.id, kind, "zh")
        told = texts(act(service.read_file, ALICE, made.id, report.id, "docx")[1])
        assert all(part in told for part in has), kind
        assert not any(part in told for part in has_not)
        assert "内部备注" not in told
    report = service.issue(city, ALICE.actor, made.id, "closing", "en")
    told = texts(act(service.read_file, ALICE, made.id, report.id, "docx")[1])
    assert "Security incident: closing report" in told
    assert "Credential attack" in told


def test_a_drill_is_marked_on_every_page(city: Database, act: Run) -> None:
    drill = act(service.create_incident, ALICE, NewIncident("勒索演练", drill=True, zones=("gov-cloud",)))
    report = service.issue(city, ALICE.actor, drill.id, "initial")
    octets = act(service.read_file, ALICE, drill.id, report.id, "pdf")[1]
    assert all("演练" in page.extract_text() for page in PdfReader(BytesIO(octets)).pages)
    document = office.Document(BytesIO(act(service.read_file, ALICE, drill.id, report.id, "docx")[1]))
    assert any("演练" in paragraph.text for section in document.sections for paragraph in section.header.paragraphs)


def test_submitting_stops_the_clock(made: IncidentRow, city: Database, act: Run, look: Run, time: Clock) -> None:
    report = service.issue(city, ALICE.actor, made.id, "initial")
    assert {one.key: one.state for one in look(service.get_incident, made.id).clocks}["report"] == "running"
    time.move(hours=2)
    act(service.submit, ALICE, made.id, report.id, "省委网信办", receipt="〔2026〕7 号", expected_version=1)
    found = {one.key: one for one in look(service.get_incident, made.id).clocks}["report"]
    assert (found.state, found.done_at) == ("met", time.now)
    with pytest.raises(Stale):
        act(service.submit, ALICE, made.id, report.id, "x", expected_version=1)
    with pytest.raises(Conflict, match="submitted already"):
        act(service.submit, ALICE, made.id, report.id, "x")


def test_who_does_not_see_the_whole_neither_issues_nor_reads(city: Database, act: Run, look: Run, attack: list[int]) -> None:
    both = act(service.create_incident, ALICE, NewIncident("两区", alert_ids=tuple(attack)))
    report = service.issue(city, ALICE.actor, both.id, "initial")
    assert look(service.list_reports, both.id, who=CLOUD) == ([], 1)
    with pytest.raises(NotFound):
        act(service.read_file, CLOUD, both.id, report.id, "docx")
    with pytest.raises(NotFound):
        act(service.submit, CLOUD, both.id, report.id, "x")
    with pytest.raises(Conflict, match="may not see"):
        service.issue(city.carrying({"zones": WATER.zones}), WATER.actor, both.id, "initial")
    own = act(service.create_incident, ALICE, NewIncident("水务", zones=("water-ot",)))
    mine = service.issue(city.carrying({"zones": WATER.zones}), WATER.actor, own.id, "initial")
    assert act(service.read_file, WATER, own.id, mine.id, "pdf")[1].startswith(b"%PDF")
    with pytest.raises(NotFound):
        act(service.read_file, ALICE, both.id, mine.id, "docx")  # of another incident


def test_a_report_that_was_changed_is_noticed(made: IncidentRow, city: Database, act: Run) -> None:
    report = service.issue(city, ALICE.actor, made.id, "initial")
    with city.write() as session:
        session.execute(update(IncidentReport).values(docx=b"forged"))
    with pytest.raises(Conflict, match="not what was issued"):
        act(service.read_file, ALICE, made.id, report.id, "docx")
    for kind, language in (("final", "zh"), ("initial", "fr")):
        with pytest.raises(Invalid):
            service.issue(city, ALICE.actor, made.id, kind, language)


def test_a_review_is_never_overwritten_silently(made: IncidentRow, act: Run, look: Run) -> None:
    act(service.write_review, ALICE, made.id, Review(root_cause="一"), expected_version=0)
    with pytest.raises(Stale):
        act(service.write_review, ALICE, made.id, Review(root_cause="二"), expected_version=0)
    assert look(service.get_review, made.id).root_cause == "一"
    action = act(service.add_action, ALICE, made.id, "排查")
    assert act(service.change_action, ALICE, made.id, action.id, "done", expected_version=1).status == "done"
    with pytest.raises(Stale):
        act(service.change_action, ALICE, made.id, action.id, "open", expected_version=1)


@pytest.fixture
def target(city: Database) -> None:
    """A webhook that wants everything."""
    with city.write() as session:
        create_target(
            session, ALICE.actor, MasterKey(b"0123456789abcdef"), name="all", url="https://127.0.0.1/x", min_level="informational",
            policy=WebhookPolicy(allow=("127.0.0.0/8",)),
        )  # fmt: skip


def told(city: Database) -> list[tuple[str, str]]:
    """Reminders in the outbox: type and clock."""
    with city.read() as session:
        rows = session.execute(select(WebhookDelivery.event_type, WebhookDelivery.body).order_by(WebhookDelivery.id)).all()
    return [
        (row.event_type, orjson.loads(row.body)["data"]["clock"])
        for row in rows
        if row.event_type in ("incident.due_soon", "incident.overdue")
    ]


@pytest.mark.usefixtures("target")
def test_reminders_go_out_exactly_once(city: Database, act: Run, time: Clock, look: Run) -> None:
    made = act(service.create_incident, ALICE, NewIncident("x", severity="low", zones=("gov-cloud",)))
    assert service.remind(city) == 0
    time.move(minutes=45)
    assert service.remind(city) == 1
    for _turn in range(3):
        assert service.remind(city) == 0
    act(service.change_incident, ALICE, made.id, Change(title="y"))  # looks at the clocks again
    assert service.remind(city) == 0
    time.move(minutes=16)
    assert service.remind(city) == 1
    assert told(city) == [("incident.due_soon", "ack"), ("incident.overdue", "ack")]
    act(service.acknowledge, ALICE, made.id, "alice")
    time.move(hours=5, minutes=59)
    threads = [threading.Thread(target=service.remind, args=(city,)) for _each in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told(city)[2:] == [("incident.due_soon", "contain")]
    assert [one.act for one in look(service.entries, made.id) if one.actor == "system"] == ["soon", "overdue", "soon"]


@pytest.mark.usefixtures("target")
def test_a_reminder_that_is_rolled_back_is_not_lost(city: Database, act: Run, time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    act(service.create_incident, ALICE, NewIncident("x", severity="low", zones=("gov-cloud",)))
    time.move(minutes=61)
    from operations.incidents import reminding

    def broken(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("the outbox is full")

    with monkeypatch.context() as patch:
        patch.setattr(reminding.announce, "tell_targets", broken)
        with pytest.raises(RuntimeError):
            service.remind(city)
    assert told(city) == []
    assert service.remind(city) == 1
    with city.write() as session:
        session.execute(delete(IncidentReminder))


def test_measures_count_real_incidents_only(act: Run, look: Run, time: Clock) -> None:
    def run(acknowledged: int, resolved: int, **more: Any) -> int:
        wanted = NewIncident("x", zones=("gov-cloud",), occurred_at="2026-11-26T03:00:00Z", **more)
        row = act(service.create_incident, ALICE, wanted)
        started = time.now
        time.move(minutes=acknowledged)
        act(service.acknowledge, ALICE, row.id, "alice")
        time.move(minutes=resolved - acknowledged)
        act(service.move, ALICE, row.id, "review")
        time.now = started
        return int(row.id)

    run(10, 100)
    run(20, 300)
    run(500, 900, drill=True)
    false = run(700, 900)
    act(service.move, ALICE, false, "closed", reason="x", cause="false_alarm", may_close=True)
    found = look(service.metrics)
    assert (found.incidents, found.drills) == (2, 1)
    assert (found.detect.mean, found.acknowledge.mean, found.resolve.mean, found.resolve.median) == (3600, 900, 12000, 12000)
    assert look(service.metrics, who=WATER).incidents == 0
    assert look(service.metrics, "2026-11-27T00:00:00.000000Z").acknowledge.mean is None


def test_deadlines_are_set_for_the_whole_city(act: Run, look: Run) -> None:
    made = act(service.create_incident, ALICE, NewIncident("x", zones=("gov-cloud",)))
    before = {one["key"]: one for one in look(service.deadline_table)}
    assert before["report.cii"]["minutes"] == 60
    assert before["report.cii"]["to_be_confirmed"]
    act(service.set_deadline, ALICE, "ack.4", 5, confirmed=True, expected_version=0)
    assert {one.key: one.due for one in look(service.get_incident, made.id).clocks}["ack"] == "2026-11-26T04:05:00.000000Z"
    assert look(service.get_incident, made.id).next_due == "2026-11-26T04:05:00.000000Z"
    assert not {one["key"]: one for one in look(service.deadline_table)}["ack.4"]["to_be_confirmed"]
    with pytest.raises(Stale):
        act(service.set_deadline, ALICE, "ack.4", 6, confirmed=True, expected_version=0)
    with pytest.raises(Denied):
        act(service.set_deadline, CLOUD, "ack.4", 6, confirmed=True, expected_version=1)
    for key, minutes, error in (("ack.9", 5, NotFound), ("ack.4", 0, Invalid), ("ack.4", 10**9, Invalid)):
        with pytest.raises(error):
            act(service.set_deadline, ALICE, key, minutes, confirmed=True, expected_version=1)


def test_people(look: Run) -> None:
    assert isinstance(ALICE, Principal)
    assert [person.name for person in look(service.assignable)] == ["alice"]
