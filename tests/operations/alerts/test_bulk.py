"""Bulk acts: what they would do, what they did, who was quicker, what a crash leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from crypto.sm3 import sm3
from kernel.db import Database
from kernel.detection import Detection
from operations.accounts.models import User
from operations.accounts.schema import Principal
from operations.alerts import bulk as bulk_module
from operations.alerts import service
from operations.alerts.bulk import items_of
from operations.alerts.desk_models import AlertBulk
from operations.alerts.models import AlertHistory
from operations.alerts.schema import AlertFilter, Change
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound
from operations.reach import SESSION_KEY

Make = Callable[..., Detection]
CLOSE = Change(status="closed", verdict="false_positive")


@pytest.fixture
def many(database: Database, make: Make) -> list[int]:
    rules = [make(rule=f"rule-{n % 3}", host=f"h{n}", level=("high", "low")[n % 2], source__zone=f"z{n % 2}") for n in range(250)]
    with database.write() as session:
        return service.record_detections(session, rules).new_alert_ids


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_module, "PART", 50)


def test_preview_says_what_it_would_touch(database: Database, alice: Principal, many: list[int]) -> None:
    with database.write() as session:
        high = service.matching_ids(session, AlertFilter(level=("high",)), 5)
        service.change_alerts(session, alice.actor, high, CLOSE)
    with database.write() as session:
        bulk, preview = service.prepare(session, alice.actor, "alice", CLOSE, where=AlertFilter(level=("high",)), note="n")
    assert (preview.total, preview.settled, preview.hidden) == (125, 5, 0)
    assert preview.by_level == [("high", "", 125)]
    assert {(value, number) for value, _, number in preview.by_zone} == {("z0", 125)}
    assert sum(number for _, _, number in preview.by_rule) == 125
    assert bulk.state == "draft"
    with database.read() as session:
        assert service.count_alerts(session, AlertFilter(status=("closed",))).count == 5  # a draft changes nothing
        items = items_of(session, bulk.id)
    assert bulk.digest == sm3(" ".join(f"{key}:{version}" for key, version in items).encode()).hex()


def test_alerts_that_may_not_be_seen_are_counted_and_left(database: Database, alice: Principal, many: list[int]) -> None:
    with database.read() as session:
        near = service.matching_ids(session, AlertFilter(entity=(("zone", "z0"),)), 5)
        far = service.matching_ids(session, AlertFilter(entity=(("zone", "z1"),)), 5)
    limited = database.carrying({SESSION_KEY: frozenset({"z0"})})
    with limited.write() as session:
        _, preview = service.prepare(session, alice.actor, "alice", CLOSE, ids=dict.fromkeys(near + far))
    assert (preview.total, preview.hidden) == (5, 5)
    with pytest.raises(Invalid), limited.write() as session:
        service.prepare(session, alice.actor, "alice", CLOSE, ids={far[0]: None})


def test_one_audit_entry_with_count_and_digest(database: Database, alice: Principal, many: list[int], small_parts: None) -> None:
    with database.write() as session:
        bulk, _ = service.prepare(session, alice.actor, "alice", CLOSE, where=AlertFilter(), note="storm")
        service.start(session, alice.actor, "alice", bulk.id)
    assert service.run_bulk(database, bulk.id)
    with database.read() as session:
        done = service.get_bulk(session, "alice", bulk.id)
        entries = [entry for entry in audit.listing(session, limit=50).entries if entry.action == "alert.bulk_change"]
        assert service.count_alerts(session, AlertFilter(status=("closed",))).count == 250
        assert service.get_detail(session, many[7]).history[0].note == "storm"
    assert (done.state, done.changed, done.done) == ("done", 250, 250)
    assert [entry.detail["count"] for entry in entries] == [250]
    assert entries[0].detail["digest"] == "sm3:" + done.digest


def test_who_was_quicker_is_named_and_not_overwritten(database: Database, alice: Principal, many: list[int]) -> None:
    with database.write() as session:
        bulk, _ = service.prepare(session, alice.actor, "alice", CLOSE, where=AlertFilter())
    with database.write() as session:
        service.change_alert(session, alice.actor, many[3], Change(status="in_progress"))
    with database.write() as session:
        service.start(session, alice.actor, "alice", bulk.id)
    service.run_bulk(database, bulk.id)
    with database.read() as session:
        done = service.get_bulk(session, "alice", bulk.id)
        assert service.get_alert(session, many[3]).status == "in_progress"
    assert (done.changed, done.overtaken, done.named) == (249, 1, [many[3]])
    with pytest.raises(Conflict), database.write() as session:
        service.start(session, alice.actor, "alice", bulk.id)


def test_taken_back_except_what_was_changed_since(database: Database, alice: Principal, many: list[int], small_parts: None) -> None:
    with database.write() as session:
        bulk, _ = service.prepare(session, alice.actor, "alice", CLOSE, where=AlertFilter())
        service.start(session, alice.actor, "alice", bulk.id)
    service.run_bulk(database, bulk.id)
    with database.write() as session:
        service.change_alert(session, alice.actor, many[0], Change(status="closed", verdict="benign"))
        undo = service.prepare_undo(session, alice.actor, "alice", bulk.id)
    service.run_bulk(database, undo.id)
    with database.read() as session:
        done = service.get_bulk(session, "alice", undo.id)
        assert service.get_alert(session, many[0]).verdict == "benign"
        assert service.count_alerts(session, AlertFilter(status=("new",))).count == 249
    assert (done.changed, done.overtaken, done.named) == (249, 1, [many[0]])


def test_somebody_elses_bulk_is_not_there(database: Database, alice: Principal, many: list[int]) -> None:
    with database.write() as session:
        bulk, _ = service.prepare(session, alice.actor, "alice", CLOSE, where=AlertFilter())
    for refused in (service.get_bulk, service.preview_of):
        with pytest.raises(NotFound), database.read() as session:
            refused(session, "bob", bulk.id)
    with pytest.raises(NotFound), database.write() as session:
        service.start(session, alice.actor, "bob", bulk.id)


def test_who_is_switched_off_changes_nothing_more(database: Database, alice: Principal, many: list[int], small_parts: None) -> None:
    with database.write() as session:
        bulk, _ = service.prepare(session, alice.actor, "alice", CLOSE, where=AlertFilter())
        service.start(session, alice.actor, "alice", bulk.id)
    assert not service.run_bulk(database, bulk.id, most_parts=2)
    with database.write() as session:
        session.execute(update(User).where(User.name == "alice").values(active=False))
    assert service.run_bulk(database, bulk.id)
    with database.read() as session:
        done = service.get_bulk(session, "alice", bulk.id)
    assert (done.state, done.changed) == ("interrupted", 100)


_RUN = """
import sys, time
from kernel.db import open_database
from operations.alerts import bulk, bulk_run
database = open_database(sys.argv[1])
bulk.PART = 50
print("go", flush=True)
while not bulk_run.run_bulk(database, sys.argv[2], most_parts=1):
    time.sleep(0.2)
"""


def test_a_killed_process_leaves_a_bulk_that_goes_on(
    database: Database, alice: Principal, many: list[int], small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        bulk, _ = service.prepare(session, alice.actor, "alice", CLOSE, where=AlertFilter())
        service.start(session, alice.actor, "alice", bulk.id)
    url = database.engine.url.render_as_string(hide_password=False)
    root = Path(__file__).parents[3]
    process = subprocess.Popen([sys.executable, "-c", _RUN, url, bulk.id], cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with database.read() as session:
            if session.execute(select(AlertBulk.done_parts).where(AlertBulk.id == bulk.id)).scalar_one() >= 1:
                break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with database.read() as session:
        half = service.get_bulk(session, "alice", bulk.id)
    assert half.state == "running"
    assert 0 < half.changed < 250
    assert service.resume(database) == 0  # its lease has not run out
    with database.write() as session:
        session.execute(update(AlertBulk).values(updated_at="2026-01-01T00:00:00.000000Z"))
    assert service.resume(database) == 1
    with database.read() as session:
        done = service.get_bulk(session, "alice", bulk.id)
        history = session.execute(select(AlertHistory.alert_id).where(AlertHistory.batch == bulk.id)).scalars().all()
    assert (done.state, done.changed) == ("done", 250)
    assert sorted(history) == sorted(many)  # each exactly once
