"""The state database: its two kinds of transaction, several processes, migrations."""

from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import compliance
import operations
import operations.services.usage
import playbooks
from kernel.db import Base, open_database, upgrade
from kernel.errors import StoreError

for _room in (operations, playbooks, compliance):
    for _module in pkgutil.walk_packages(_room.__path__, f"{_room.__name__}."):
        if _module.name.endswith("models"):
            importlib.import_module(_module.name)  # so that Base.metadata knows every table


def url(path: Path) -> str:
    return f"sqlite:///{path}/state.db"


def test_models_and_migrations_describe_the_same_tables(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    upgrade(database)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    indexes = ("alert_text", "incident_title", "ticket_title")  # tables of FTS5, which no model describes
    ours = [difference for difference in differences if not any(name in str(difference) for name in indexes)]
    assert ours == []


def test_settings_that_durability_hangs_on(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    with database.write() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert (tmp_path / "state.db").stat().st_mode & 0o777 == 0o600


def test_a_reader_cannot_write_and_a_writer_afterwards_can(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    upgrade(database)
    statement = text("INSERT INTO audit_head (id, last_id, digest) VALUES (2, 0, '')")
    with pytest.raises(OperationalError, match="readonly"), database.read() as session:
        session.execute(statement)
    with database.write() as session:
        session.execute(statement)


def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x)"))
    count = text("SELECT count(*) FROM t")
    with database.read() as reader:
        before = reader.execute(count).scalar()
        with database.write() as session:
            session.execute(text("INSERT INTO t VALUES (1)"))
        assert reader.execute(count).scalar() == before == 0


def _increment(address: str, times: int) -> None:
    database = open_database(address)
    for _ in range(times):
        with database.write() as session:  # reads, then writes: without BEGIN IMMEDIATE this fails or loses updates
            value = session.execute(text("SELECT x FROM t")).scalar_one()
            session.execute(text("UPDATE t SET x = :x"), {"x": value + 1})


def test_processes_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x)"))
        session.execute(text("INSERT INTO t VALUES (0)"))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_increment, args=(url(tmp_path), 40)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with database.read() as session:
        assert session.execute(text("SELECT x FROM t")).scalar_one() == 120


def _upgrade(address: str) -> None:
    upgrade(open_database(address))


def test_processes_that_start_at_the_same_time_migrate_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_upgrade, args=(url(tmp_path),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    upgrade(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        upgrade(database)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "URL"),
        ("mysql://x/y", "mysql"),
        ("sqlite://", "needs a file"),
        ("sqlite:////proc/nowhere/state.db", "cannot be created"),
    ],
)
def test_addresses_that_cannot_be_opened(address: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        open_database(address)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is not a database at all" * 50)
    with pytest.raises(StoreError, match=r"state\.db cannot be opened"):
        open_database(url(tmp_path))


def test_passwords_of_urls_are_not_shown(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as refusal:
        open_database("postgresql+psycopg://me:topsecret@127.0.0.1:1/x")
    assert "topsecret" not in str(refusal.value)


def test_killed_in_the_middle_of_a_transaction_nothing_is_half(tmp_path: Path) -> None:
    database = open_database(url(tmp_path))
    with database.write() as session:
        session.execute(text("CREATE TABLE t (x)"))
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=_half_a_transaction, args=(url(tmp_path),))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -9
    with sqlite3.connect(tmp_path / "state.db") as plain:
        assert plain.execute("SELECT count(*) FROM t").fetchone() == (0,)
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _half_a_transaction(address: str) -> None:
    import os
    import signal

    with open_database(address).write() as session:
        for number in range(1000):
            session.execute(text("INSERT INTO t VALUES (:x)"), {"x": number})
        os.kill(os.getpid(), signal.SIGKILL)
