"""The platform's audit trail as events: a password guesser at our own console is found by our own rule."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from cli.detect_rules import OWN_RULES
from cli.roles.audit_feed import AuditFeed
from collectors.parsers import PARSERS
from detectors.sigma.engine import SigmaEngine
from kernel.db import Database
from kernel.pipeline import identify
from kernel.record import RawRecord
from operations.accounts import login
from tests.state_database import migrated


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[RawRecord] = []

    def put(self, records: Sequence[RawRecord]) -> None:
        self.records.extend(records)


def follow(database: Database, checkpoint: Path, wanted: int) -> list[RawRecord]:
    sink = Kept()
    feed = AuditFeed(database, sink, checkpoint)
    thread = threading.Thread(target=feed.run)
    thread.start()
    deadline = time.monotonic() + 10
    while len(sink.records) < wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    feed.stop()
    thread.join()
    return sink.records


def test_password_guessing_at_the_console_raises_the_own_rule(tmp_path: Path) -> None:
    database = migrated(f"sqlite:///{tmp_path / 'state.db'}")
    for _ in range(6):
        login.log_in(database, "nobody", "wrong password", "2001:db8::66")
    records = follow(database, tmp_path / "checkpoint", 6)
    events = [event for record in records for event in identify(record, 0, PARSERS[record.format](record), {})]
    assert {event["event.dataset"] for event in events} == {"liandun.auth"}
    assert {event["source.ip"] for event in events} == {"2001:db8::66"}
    engine = SigmaEngine.load([OWN_RULES / "sigma" / "platform"])
    assert "Password Guessing Against the Security Platform" in {found.rule_name for found in engine.process(events)}


def test_feed_goes_on_after_its_checkpoint_with_growing_offsets(tmp_path: Path) -> None:
    database = migrated(f"sqlite:///{tmp_path / 'state.db'}")
    login.log_in(database, "one", "x", "192.0.2.1")
    first = follow(database, tmp_path / "checkpoint", 1)
    login.log_in(database, "two", "x", "192.0.2.1")
    second = follow(database, tmp_path / "checkpoint", 1)
    assert [record.offset for record in first + second] == [1, 2]
    assert {record.stream for record in first + second} == {"liandun-audit"}
