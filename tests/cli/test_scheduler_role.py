"""The scheduler as a process: heads of the audit trail at their interval and before it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kernel.db import Database, open_database, upgrade
from kernel.layout import Layout
from operations.audit import service, tree
from operations.audit.head_file import HeadFile
from operations.audit.schema import SYSTEM
from operations.audit.verify import verify

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "data").create()


@pytest.fixture
def database(layout: Layout) -> Iterator[Database]:
    opened = open_database(layout.state_url)
    upgrade(opened)
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
