"""What cannot be audited does not happen; what was written is whole, whoever dies in the middle of it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from kernel.db import Database, open_database
from kernel.errors import StateUnavailable
from operations.audit import service, tree
from operations.audit.verify import verify
from tests.operations.audit.conftest import EVE, write
from tests.small_disk import fill_up, needs_mount, small_disk


@pytest.fixture
def mounted(template: str, tmp_path: Path) -> Iterator[Path]:
    """The database on a file system of its own, of 4 MiB."""
    if not template.startswith("sqlite"):
        pytest.skip("fills the disk below SQLite")
    with small_disk(tmp_path / "small", 4) as folder:
        shutil.copy(template.removeprefix("sqlite:///"), folder / "state.db")
        yield folder


def change(database: Database) -> None:
    """A change as services make it, with its entry in the same transaction."""
    with database.write() as session:
        session.execute(text("UPDATE users SET role = 'viewer'"))
        service.append(session, EVE, "account.change", "account", "alice", detail={"padding": "x" * 3000})


def role(database: Database) -> str:
    with database.read() as session:
        return str(session.execute(text("SELECT role FROM users")).scalar_one())


def sound(database: Database) -> int:
    """Entries of a trail in order."""
    with database.read() as session:
        found = verify(session)
    assert found.ok, found.findings
    return found.checked


@needs_mount
def test_on_a_full_disk_changes_are_refused_and_go_on_when_there_is_room(mounted: Path) -> None:
    database = open_database(f"sqlite:///{mounted / 'state.db'}")
    before = sound(database)
    filler = fill_up(mounted)
    with pytest.raises(StateUnavailable, match=r"disk is full|disk I/O") as caught:
        change(database)
    assert caught.value.reason in ("full", "unreachable")
    assert role(database) == "sysadmin"
    assert sound(database) == before
    filler.unlink()
    change(database)
    assert role(database) == "viewer"
    assert sound(database) == before + 1
    database.close()


@needs_mount
def test_on_a_read_only_file_system_changes_are_refused(mounted: Path) -> None:
    database = open_database(f"sqlite:///{mounted / 'state.db'}")
    before = sound(database)
    database.close()
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    with pytest.raises(StateUnavailable, match=r"readonly|unable to open"):
        change(database)
    database.close()
    subprocess.run(["mount", "-o", "remount,rw", str(mounted)], check=True)
    assert role(database) == "sysadmin"
    assert sound(database) == before
    database.close()


@pytest.mark.parametrize("table", ["audit_entries", "audit_nodes", "audit_head"])
def test_without_one_of_its_tables_nothing_changes(database: Database, table: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO gone"))
    with pytest.raises(StateUnavailable, match=table) as caught:
        change(database)
    assert caught.value.reason == "audit"
    assert role(database) == "sysadmin"


def test_a_leaf_that_is_there_already_refuses_the_entry(database: Database) -> None:
    """As after somebody wound back the end of the trail: appending would write a second history over the first."""
    write(database, 3)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE audit_head SET last_id = 0, peaks = :none"), {"none": b""})
    with pytest.raises(StateUnavailable, match="did not take the entry"):
        change(database)
    assert role(database) == "sysadmin"


def _append(url: str, number: int) -> None:
    database = open_database(url)
    for _ in range(number):
        write(database, 1)
    database.close()


def test_processes_that_append_at_the_same_time_make_one_tree(database: Database) -> None:
    context = multiprocessing.get_context("spawn")
    url = database.engine.url.render_as_string(hide_password=False)
    workers = [context.Process(target=_append, args=(url, 40)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert sound(database) == 162
    with database.read() as session:
        assert tree.root_at(session, 162).hex() == tree.state(session).root


def test_verifying_sees_one_moment_while_others_append(database: Database) -> None:
    write(database, 5)
    with database.read() as session:
        assert tree.state(session).size == 7
        write(database, 5)
        found = verify(session)
        assert (found.ok, found.checked) == (True, 7), found.findings
    assert sound(database) == 12


def _append_for_ever(url: str, told: str) -> None:
    database = open_database(url)
    with open(told, "ab", buffering=0) as file:
        while True:
            with database.write() as session:
                number = service.append(session, EVE, "alert.change", "alert", 1)
            file.write(b"%d\n" % number)


@pytest.mark.parametrize("seed", range(4))
def test_killed_while_appending_nothing_that_was_acknowledged_is_lost_and_nothing_is_half(
    database: Database, tmp_path: Path, seed: int
) -> None:
    context = multiprocessing.get_context("spawn")
    told = tmp_path / "acknowledged"
    url = database.engine.url.render_as_string(hide_password=False)
    worker = context.Process(target=_append_for_ever, args=(url, str(told)))
    worker.start()
    deadline = time.monotonic() + 60
    while (not told.exists() or told.stat().st_size < 60) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.013 * seed)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(60)
    last = int(told.read_bytes().splitlines()[-1])
    assert sound(database) in (last, last + 1)
    write(database, 1)
    sound(database)
