"""A database from before the tree: chained entries get their leaves, and what was wrong with the chain is still told."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

import kernel.db.schema
from kernel.db import Database, open_database, upgrade
from operations.audit import service, tree
from operations.audit.head_file import HeadFile
from operations.audit.heads import Trail
from operations.audit.keys import KeyStore
from operations.audit.verify import head_before, verify
from tests.operations.audit.conftest import MASTER, write

NAMES = ("id", "time", "actor", "address", "action", "object_type", "object_id", "result", "detail")


@pytest.fixture
def chained(tmp_path: Path) -> Path:
    """A database of revision 0003 with 12 chained entries, written as that version wrote them."""
    path = tmp_path / "old.db"
    database = open_database(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(kernel.db.schema._SCRIPTS))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.commit()
    database.close()
    previous = "0" * 64
    with closing(sqlite3.connect(path)) as plain:
        for number in range(1, 13):
            row = [
                number,
                f"2026-01-01T00:00:{number:02d}.000000Z",
                "eve",
                "2001:db8::1",
                "alert.change",
                "alert",
                "7",
                "success",
                "{}",
            ]
            content = json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            digest = hashlib.new("sm3", (previous + content).encode()).hexdigest()
            plain.execute(f"INSERT INTO audit_entries VALUES ({','.join('?' * 11)})", [*row, previous, digest])
            previous = digest
        plain.execute("INSERT INTO audit_head VALUES (1, 12, ?)", [previous])
        plain.commit()
    return path


def opened(path: Path) -> Database:
    database = open_database(f"sqlite:///{path}")
    upgrade(database)
    return database


def spoil(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("DROP TRIGGER IF EXISTS audit_entries_no_update")
        plain.execute("DROP TRIGGER IF EXISTS audit_entries_no_delete")
        for statement in statements:
            plain.execute(statement)
        plain.commit()


def test_chained_entries_become_leaves_and_the_trail_goes_on(chained: Path, tmp_path: Path) -> None:
    database = opened(chained)
    write(database, 5)
    (tmp_path / "secret").mkdir()
    Trail(database, HeadFile(tmp_path / "heads.jsonl"), KeyStore(tmp_path / "secret", MASTER)).sign()
    with database.read() as session:
        assert verify(session).checked == 18
        assert verify(session).ok
        assert verify(session, since=head_before(session, size=18)).ok
        state = tree.state(session)
        begun = service.find(session, 13)
    assert (state.size, state.tree_from) == (18, 13)
    assert state.tree_since == begun.time
    assert (begun.action, begun.detail["chained_entries"], len(begun.detail["chain_digest"])) == ("audit.plant", 12, 64)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE audit_entries SET actor = 'mallory' WHERE id = 5", 5),
        ("UPDATE audit_entries SET digest = previous WHERE id = 5", 5),
        ("UPDATE audit_entries SET previous = digest WHERE id = 5", 5),
        ("DELETE FROM audit_entries WHERE id = 5", 5),
        ("DELETE FROM audit_entries WHERE id BETWEEN 9 AND 12", 9),
        ("DELETE FROM audit_entries WHERE id = 1", 1),
    ],
)
def test_what_was_bent_in_the_chain_is_named(chained: Path, when: str, statement: str, bad: int) -> None:
    """Also where it was bent before the tree was planted over it: the leaf is then of the bent entry, the chain tells."""
    if when == "before":
        spoil(chained, statement)
    database = opened(chained)
    if when == "after":
        database.close()
        spoil(chained, statement)
    write(database, 2)
    with database.read() as session:
        found = verify(session)
    assert (found.ok, found.bad_id) == (False, bad), found.findings


def test_an_empty_database_begins_with_the_tree(tmp_path: Path) -> None:
    database = opened(tmp_path / "new.db")
    with database.read() as session:
        state = tree.state(session)
        assert (state.size, state.tree_from) == (0, 1)
        assert state.tree_since
        assert verify(session).ok
    write(database, 1)
    with database.read() as session:
        assert verify(session).checked == 1
