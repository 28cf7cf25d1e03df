"""What people do to alerts: allowed, refused, written down, taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kernel.db import Database
from kernel.detection import Detection
from operations.accounts import service as accounts
from operations.accounts.schema import Principal
from operations.alerts import service, triage
from operations.alerts.schema import AlertRow, Change
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, NotFound

Make = Callable[..., Detection]


@pytest.fixture
def alert(database: Database, make: Make) -> int:
    with database.write() as session:
        return service.record_detections(session, [make()]).new_alert_ids[0]


def change(
    database: Database, who: Principal, alert_id: int, change: Change, version: int | None = None, note: str = ""
) -> AlertRow:
    with database.write() as session:
        return service.change_alert(session, who.actor, alert_id, change, expected_version=version, note=note)


def test_a_change_is_in_row_history_and_audit(database: Database, alice: Principal, alert: int) -> None:
    row = change(database, alice, alert, Change(status="in_progress", assignee="alice"), note="mine")
    assert (row.status, row.assignee, row.version) == ("in_progress", "alice", 2)
    with database.read() as session:
        [entry] = service.get_detail(session, alert).history
        newest = audit.listing(session, limit=1).entries[0]
    assert (entry.actor, entry.before, entry.after, entry.note) == (
        "alice",
        {"status": "new", "assignee": None},
        {"status": "in_progress", "assignee": "alice"},
        "mine",
    )
    assert (newest.actor, newest.address, newest.action, newest.object_id) == ("alice", "192.0.2.1", "alert.change", str(alert))


def test_who_decided_on_an_old_version_is_refused(database: Database, alice: Principal, alert: int, make: Make) -> None:
    change(database, alice, alert, Change(status="acknowledged"), version=1)
    with pytest.raises(Conflict, match="changed by somebody else"):
        change(database, alice, alert, Change(status="in_progress"), version=1)
    with database.write() as session:  # counting up is no change that a decision depends on
        service.record_detections(session, [make()])
    assert change(database, alice, alert, Change(status="in_progress"), version=2).count == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (Change(status="done"), "status"),
        (Change(status="closed"), "verdict"),
        (Change(status="closed", verdict="maybe"), "verdict"),
        (Change(verdict="benign"), "verdict"),
        (Change(assignee="nobody"), "assignee"),
    ],
)
def test_changes_that_break_a_rule(database: Database, alice: Principal, alert: int, wrong: Change, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        change(database, alice, alert, wrong)
    assert refusal.value.field == field
    with database.read() as session:
        assert service.get_alert(session, alert).version == 1


def test_opening_again_takes_the_verdict_away(database: Database, alice: Principal, alert: int) -> None:
    assert change(database, alice, alert, Change(status="closed", verdict="true_positive")).verdict == "true_positive"
    assert change(database, alice, alert, Change(status="in_progress")).verdict is None


def test_a_viewer_cannot_be_given_alerts(database: Database, alice: Principal, alert: int) -> None:
    accounts.create_user(database, alice.actor, "vera", "Another-Pass-77", "leader")
    with pytest.raises(Invalid, match="vera"):
        change(database, alice, alert, Change(assignee="vera"))


def test_a_change_to_what_it_is_already_does_nothing(database: Database, alice: Principal, alert: int) -> None:
    assert change(database, alice, alert, Change(status="new")).version == 1
    with database.read() as session:
        assert service.get_detail(session, alert).history == []


def test_notes(database: Database, alice: Principal, alert: int) -> None:
    with database.write() as session:
        service.add_note(session, alice.actor, alert, "  seen <b>before</b>  ")
    with database.read() as session:
        assert [entry.note for entry in service.get_detail(session, alert).history] == ["seen <b>before</b>"]
    for note in ("", "   ", "x" * 10_001):
        with pytest.raises(Invalid), database.write() as session:
            service.add_note(session, alice.actor, alert, note)
    with pytest.raises(NotFound), database.write() as session:
        service.add_note(session, alice.actor, 999, "x")


def test_bulk_change_and_undo(database: Database, alice: Principal, make: Make) -> None:
    with database.write() as session:
        ids = service.record_detections(session, [make(host=f"H{number}") for number in range(5)]).new_alert_ids
    change(database, alice, ids[0], Change(status="acknowledged"))
    with database.write() as session:
        result = service.change_alerts(session, alice.actor, [*ids, 999], Change(status="acknowledged"), note="sweep")
    assert (result.changed, result.unchanged, result.missing) == (4, 1, [999])
    change(database, alice, ids[1], Change(status="in_progress"))  # worked on since: must not be undone

    with database.write() as session:
        assert service.undo_change(session, alice.actor, result.batch) == 3
    with database.read() as session:
        assert [service.get_alert(session, alert_id).status for alert_id in ids] == [
            "acknowledged",
            "in_progress",
            "new",
            "new",
            "new",
        ]
        [status] = service.facets(session, dimensions=("status",))
        assert {value.value: value.count for value in status.values} == {"new": 3, "acknowledged": 1, "in_progress": 1}


def test_undo_is_for_who_did_it_and_soon(database: Database, alice: Principal, alert: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as session:
        batch = service.change_alerts(session, alice.actor, [alert], Change(status="acknowledged")).batch
    with pytest.raises(Denied), database.write() as session:
        service.undo_change(session, Actor("eve"), batch)
    with pytest.raises(NotFound), database.write() as session:
        service.undo_change(session, alice.actor, "")
    monkeypatch.setattr(triage, "UNDO_SECONDS", -1)
    with pytest.raises(Denied, match="too old"), database.write() as session:
        service.undo_change(session, alice.actor, batch)


def test_too_many_at_once(database: Database, alice: Principal) -> None:
    with pytest.raises(Invalid, match="at most 1000"), database.write() as session:
        service.change_alerts(session, alice.actor, range(1001), Change(status="acknowledged"))
