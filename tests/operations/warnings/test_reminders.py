"""Reminders of what is overdue: each step of each organisation once, whatever kills the scheduler."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time as clock_of_the_machine
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from sqlalchemy import func, insert, select

from crypto.secret import MasterKey
from kernel.db import Database
from operations.audit.models import AuditEntry
from operations.audit.schema import Actor
from operations.warnings import service
from operations.warnings.models import WarningReceipt, WarningReminder, WarningRow
from operations.warnings.overdue import remind_overdue
from operations.warnings.schema import Adjustment, BoardFilter, WarningRecord
from operations.webhooks import service as webhooks
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.models import WebhookDelivery
from tests.operations.warnings.conftest import DRAFT, DUTY, START, TRAFFIC, WATER, Clock, publish, seen_by

ROOT = Path(__file__).resolve().parents[3]
Act = Callable[..., Any]


@pytest.fixture
def hook(city: Database) -> int:
    """A target that takes everything."""
    return add_hook(city, "informational")


def add_hook(database: Database, least: str) -> int:
    key, policy = MasterKey(b"0123456789abcdef"), WebhookPolicy(allow=("127.0.0.0/8",))
    url = "http://127.0.0.1:9/"
    with database.write() as session:
        made = webhooks.create_target(session, Actor("xu.xitong"), key, name=least, url=url, min_level=least, policy=policy)
    return made[0].id


def messages(database: Database, kind: str = "warning.overdue") -> list[dict[str, Any]]:
    with database.read() as session:
        found = session.execute(select(WebhookDelivery.body).where(WebhookDelivery.event_type == kind).order_by(WebhookDelivery.id))
        return [orjson.loads(payload)["data"] for payload in found.scalars()]


def test_one_message_for_each_step_of_each_organisation(
    act: Act, published: WarningRecord, hook: int, time: Clock, city: Database
) -> None:
    time.move(hours=2)  # orange: receipt within two hours
    assert remind_overdue(city) == 0
    time.move(seconds=0.001)
    act(service.receive, WATER, 1, "水务局", edition=1)
    for expected in (1, 0, 0):
        assert remind_overdue(city) == expected
    time.move(hours=22)
    assert [remind_overdue(city) for _round in range(3)] == [2, 0, 0]
    told = [(each["organisation"], each["step"], each["number"], each["level"]) for each in messages(city)]
    assert sorted(told) == sorted(
        ("交通局", "receipt", "〔2026〕第 1 号", "orange") if step == "receipt" else (name, step, "〔2026〕第 1 号", "orange")
        for name, step in (("交通局", "receipt"), ("交通局", "feedback"), ("水务局", "feedback"))
    )
    assert messages(city)[0]["due_at"] == "2026-11-26T06:00:00.000000Z"
    with city.read() as session:
        detail = service.detail(session, 1)
        assert {row.organisation: row.reminded for row in detail.receipts} == {
            "交通局": ["receipt", "feedback"],
            "水务局": ["feedback"],
        }
        assert len(service.board(session, BoardFilter(overdue=True)).rows) == 1
    with seen_by(city, WATER).read() as session:
        assert service.detail(session, 1).progress.overdue == 1


def test_what_was_answered_adjusted_or_lifted_is_not_reminded_of(
    act: Act, published: WarningRecord, hook: int, time: Clock, city: Database
) -> None:
    for who, name in ((WATER, "水务局"), (TRAFFIC, "交通局")):
        act(service.receive, who, 1, name, edition=1)
        act(service.answer, who, 1, name, edition=1, feedback="done")
    time.move(hours=100)
    assert remind_overdue(city) == 0
    changed = act(service.adjust, DUTY, 1, Adjustment("special", "extreme", "worse"), expected_version=None)
    assert remind_overdue(city) == 0  # deadlines of the new edition begin now
    time.move(hours=1.5)  # red: receipt within one hour
    assert remind_overdue(city) == 2
    act(service.lift, DUTY, 1, expected_version=changed.version, note="over")
    time.move(hours=100)
    assert remind_overdue(city) == 0


def test_everything_is_announced_in_its_own_words(act: Act, hook: int, time: Clock, city: Database) -> None:
    made = publish(city)
    changed = act(service.adjust, DUTY, 1, Adjustment("special", "extreme", "扩散"), expected_version=made.version)
    act(service.lift, DUTY, 1, expected_version=changed.version, note="消除")
    (out,), (up,), (over,) = (messages(city, f"warning.{act_}") for act_ in ("published", "adjusted", "lifted"))
    assert (out["level"], out["organisations"], out["measures"]) == ("orange", ["交通局", "水务局"], DRAFT.measures)
    assert (up["before"], up["level"], up["edition"], up["reason"]) == ("orange", "red", 2, "扩散")
    assert (over["status"], over["reason"]) == ("lifted", "消除")


def test_a_hook_for_critical_ones_hears_of_red_only(act: Act, time: Clock, city: Database) -> None:
    add_hook(city, "critical")
    publish(city)
    assert messages(city, "warning.published") == []
    publish(city, msgspec.structs.replace(DRAFT, harm="extreme"))
    assert len(messages(city, "warning.published")) == 1


def late(database: Database, warnings: int, organisations: int) -> int:
    """Publish and make both steps late, as if long ago; returns the number of reminders that are due."""
    for _ in range(warnings):
        publish(database)
    with database.write() as session:
        extra = [
            {
                "warning_id": number, "edition": 1, "organisation": f"单位 {each:03d}", "sent_at": "2026-01-01T00:00:00.000000Z",
                "receipt_due": "2026-01-01T01:00:00.000000Z", "feedback_due": "2026-01-01T02:00:00.000000Z",
                "received_by": "", "comment": "", "feedback_by": "", "feedback": "",
            }
            for number in session.execute(select(WarningRow.id)).scalars() for each in range(organisations)
        ]  # fmt: skip
        session.execute(insert(WarningReceipt), extra)
    return len(extra) * 2


def counted(database: Database) -> tuple[int, Counter[tuple[str, ...]], int]:
    """Reminders, messages by step, entries of the audit trail."""
    told = Counter((str(each["id"]), each["organisation"], each["step"]) for each in messages(database))
    with database.read() as session:
        reminders = session.execute(select(func.count()).select_from(WarningReminder)).scalar_one()
        trail = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "warning.remind")
        return reminders, told, session.execute(trail).scalar_one()


def test_two_schedulers_at_once_remind_once(hook: int, city: Database) -> None:
    due = late(city, 2, 40)

    def work() -> None:
        for _attempt in range(20):
            try:
                if remind_overdue(city) == 0:
                    return
            except Exception:  # what the second one violates it tries again, as the scheduler does at its next turn
                clock_of_the_machine.sleep(0.05)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    reminders, told, trail = counted(city)
    assert (reminders, len(told), set(told.values()), trail) == (due, due, {1}, due)


@pytest.mark.slow
def test_killed_at_any_moment_it_reminds_once(hook: int, city: Database) -> None:
    """A real process, kill -9 at random moments of its work, started again until nothing is due."""
    due = late(city, 12, 40)
    url = city.engine.url.render_as_string(hide_password=False)
    program = (
        "import sys; from kernel.db import open_database; from operations import clock; from operations.warnings import overdue;"
        f"clock.now = lambda: {START!r}; overdue.BATCH = 20;"
        "database = open_database(sys.argv[1]); print('go', flush=True); overdue.remind_overdue(database)"
    )
    dice = random.Random(7)
    killed = 0
    for _attempt in range(60):
        child = subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"go\n"
        try:
            assert child.wait(dice.uniform(0.02, 0.35) if killed < 8 else 60) == 0
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            killed += 1
            reminders, told, trail = counted(city)
            assert reminders == len(told) == trail, "a reminder without its message, or the other way round"
            continue
        finally:
            child.stdout.close()
        break
    assert killed >= 3, "the process was too quick to be killed at work"
    reminders, told, trail = counted(city)
    assert (reminders, len(told), set(told.values()), trail) == (due, due, {1}, due)
