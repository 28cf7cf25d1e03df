"""A trail with a key of its own and a head file beside the database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from crypto.merkle import Frontier
from crypto.secret import MasterKey
from kernel.db import Database
from operations.accounts.schema import Principal
from operations.audit import service
from operations.audit.entry import COLUMNS, leaf_of
from operations.audit.head_file import HeadFile
from operations.audit.heads import Trail
from operations.audit.keys import KeyStore
from operations.audit.schema import Actor, Verification
from operations.audit.verify import verify

EVE = Actor("eve", "203.0.113.9")
MASTER = MasterKey(bytes(range(16)))


@pytest.fixture
def trail(database: Database, tmp_path: Path) -> Trail:
    (tmp_path / "secret").mkdir(mode=0o700)
    return Trail(database, HeadFile(tmp_path / "heads.jsonl"), KeyStore(tmp_path / "secret", MASTER))


def write(database: Database, number: int = 10) -> None:
    with database.write() as session:
        for step in range(number):
            service.append(session, EVE, "alert.change", "alert", step, detail={"步": step, "x": [1, None]})


def tamper(database: Database, *statements: str) -> None:
    """As somebody who has the database file: triggers away first."""
    with database.engine.begin() as connection:
        if database.dialect == "sqlite":
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit_%'"))
            for (trigger,) in names.all():
                connection.execute(text(f"DROP TRIGGER {trigger}"))
        else:
            for table in ("audit_entries", "audit_nodes", "audit_keys", "audit_signed_heads"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            connection.exec_driver_sql(statement)


def replant(database: Database) -> None:
    """As somebody who recomputes everything that the database holds of the tree from the entries as they stand."""
    frontier = Frontier()
    with database.engine.begin() as connection:
        rows = connection.execute(text("SELECT * FROM audit_entries ORDER BY id")).mappings().all()
        connection.execute(text("DELETE FROM audit_nodes"))
        for row in rows:
            leaf = leaf_of({name: row[name] for name in COLUMNS})
            connection.execute(text("UPDATE audit_entries SET digest = :d WHERE id = :i"), {"d": leaf.hex(), "i": row["id"]})
            nodes = [node._asdict() for node in frontier.append(leaf)]
            connection.execute(text("INSERT INTO audit_nodes VALUES (:level, :place, :hash)"), nodes)
        values = {"n": frontier.size, "d": frontier.root().hex(), "p": frontier.pack()}
        connection.execute(text("UPDATE audit_head SET last_id = :n, digest = :d, peaks = :p"), values)


@pytest.fixture
def check(database: Database, trail: Trail) -> Callable[[], Verification]:
    """Verify the database against the head file."""

    def run() -> Verification:
        with database.read() as session:
            return verify(session, head_file=trail.head_file.read())

    return run


@pytest.fixture
def alice() -> Principal:
    """An audit administrator."""
    return Principal(1, "alice", "", "auditadmin", address="192.0.2.1")
