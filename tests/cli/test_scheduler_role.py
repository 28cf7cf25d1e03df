"""The scheduler as a process: heads of the audit trail at their interval and before it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.certificates import SERVER, issue, make_request, make_root, name
from crypto.channel.identity import read_identity
from crypto.channel.revocations import RevocationSource
from crypto.secret import MasterKey
from crypto.sm2 import PrivateKey
from kernel.db import Database
from kernel.health import read_health
from kernel.layout import Layout
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.audit import service, tree
from operations.audit.head_file import HeadFile
from operations.audit.schema import SYSTEM, Actor
from operations.audit.verify import verify
from operations.certificates import service as certificates
from tests.state_database import migrated

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data").create()


@pytest.fixture
def database(layout: Layout) -> Iterator[Database]:
    opened = migrated(layout.state_url)
    yield opened
    opened.close()


@pytest.fixture
def start(layout: Layout) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def run(seconds: int) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "LIANDUN_DATA": str(layout.root), "LIANDUN_AUDIT_HEAD_SECONDS": str(seconds)}
        running.append(subprocess.Popen([sys.executable, "-m", "cli", "role", "scheduler", "--stay"], env=environment))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()


def act(database: Database) -> None:
    with database.write() as session:
        service.append(session, SYSTEM, "alert.note", "alert", 1)


def sizes(layout: Layout, wanted: int, patience: float = 60.0) -> list[int]:
    """The sizes of the heads in the head file, once there is one of ``wanted``."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = [head.size for head in HeadFile(layout.audit_heads).read().heads]
        if wanted in found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no head of {wanted}")


def test_heads_at_the_interval_only_when_grown_and_a_last_one_at_the_end(layout: Layout, database: Database, start: Start) -> None:
    act(database)
    process = start(1)
    assert sizes(layout, 1) == [1]
    time.sleep(2.2)
    act(database)
    assert sizes(layout, 2) == [1, 2]
    process.terminate()
    assert process.wait(30) == 0

    process = start(86_400)
    act(database)
    sizes(layout, 3)  # the first turn is at the start
    act(database)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert sizes(layout, 4) == [1, 2, 3, 4]
    with database.read() as session:
        assert verify(session, head_file=HeadFile(layout.audit_heads).read()).ok
        assert tree.state(session).size == 4


def test_certificates_that_end_and_what_is_revoked(layout: Layout, database: Database, start: Start) -> None:
    """A certificate of our authority that ends in some seconds is alerted twice; a revocation is published without a restart."""
    key, actor = MasterKey.load(layout.master_key), Actor("alice")
    with database.write() as session:
        certificates.create_root(session, actor, key, "root", "City root")
        request = make_request(PrivateKey.generate(), name("collector"), ["collector.example"])
        issued = certificates.issue_requested(session, actor, key, "root", request, "client")
    root = make_root(name("Link root"), PrivateKey.generate(), at=datetime.now(UTC) - timedelta(days=100))
    ends = datetime.now(UTC) + timedelta(seconds=12)
    leaf = issue(root, name("link"), PrivateKey.generate().public, SERVER, 1, at=ends - timedelta(days=1))
    (layout.root / "link.crt").write_text(leaf.to_pem())
    (layout.root / "liandun.toml").write_text(f'[certificates]\ncheck_seconds = 1\nwatch = ["{layout.root}/link.crt"]\n')
    start(86_400)

    def told() -> list[int]:
        health = read_health(layout.health).get("scheduler")
        return [one["days_left"] for one in health.details.get("certificates", ())] if health else []

    def wait(condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    wait(lambda: told() == [1] and layout.revocations.exists(), 30)
    peer = read_identity(issued.der)
    assert not RevocationSource(layout.revocations)(peer)
    with database.write() as session:
        certificates.revoke(session, actor, f"{issued.serial:x}", "key_compromise")
    wait(lambda: RevocationSource(layout.revocations)(peer), 5)
    wait(lambda: told() == [0], 40)
    with database.read() as session:
        found = alerts.list_alerts(session, AlertFilter(), limit=10).alerts
    assert sorted((row.rule_id, row.level) for row in found) == [
        ("liandun-certificate-ended", "critical"),
        ("liandun-certificate-ending", "high"),
    ]
    assert read_health(layout.health)["scheduler"].problem == ""
