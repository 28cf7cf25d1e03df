"""The audit trail: append-only, in one tree with its entries, and whoever tampers is named by entry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kernel.db import Database
from kernel.errors import StateUnavailable
from operations.audit import service
from operations.audit.verify import verify
from operations.errors import Invalid
from tests.operations.audit.conftest import EVE, tamper, write


def check(database: Database) -> tuple[bool, int]:
    with database.read() as session:
        found = verify(session)
    return found.ok, found.bad_id


def test_an_untouched_trail_verifies(database: Database) -> None:
    write(database)
    assert check(database) == (True, 0)


def test_leaves_and_root_are_what_the_docstrings_say(database: Database) -> None:
    """Recomputed here with hashlib from the documented formula, recursively."""
    write(database)
    names = ("id", "time", "actor", "address", "action", "object_type", "object_id", "result", "detail")
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM audit_entries ORDER BY id")).mappings().all()
        stored = connection.execute(text("SELECT place, hash FROM audit_nodes WHERE level = 0 ORDER BY place")).all()
        root = connection.execute(text("SELECT digest FROM audit_head")).scalar_one()
    lines = [
        json.dumps({name: row[name] for name in names}, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for row in rows
    ]
    leaves = [hashlib.new("sm3", b"\0" + line.encode()).digest() for line in lines]
    assert [(place, bytes(leaf)) for place, leaf in stored] == list(enumerate(leaves))
    assert [row["digest"] for row in rows] == [leaf.hex() for leaf in leaves]
    assert root == _root(leaves).hex()


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.new("sm3", b"\1" + _root(leaves[:half]) + _root(leaves[half:])).digest()


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE audit_entries SET actor = 'alice' WHERE id = 7", 7),
        ("UPDATE audit_entries SET detail = '{}' WHERE id = 7", 7),
        ("UPDATE audit_entries SET time = '2020-01-01T00:00:00.000000Z' WHERE id = 7", 7),
        ("DELETE FROM audit_entries WHERE id = 7", 7),
        ("DELETE FROM audit_entries WHERE id = 1", 1),
        ("DELETE FROM audit_entries WHERE id > 9", 10),
        ("DELETE FROM audit_entries", 1),
        ("DELETE FROM audit_head", 13),
        ("UPDATE audit_entries SET digest = previous WHERE id = 7", 7),
        ("UPDATE audit_entries SET previous = digest WHERE id = 7", 7),
        ("UPDATE audit_entries SET id = -id WHERE id = 7", 7),
        ("DELETE FROM audit_nodes WHERE level = 0 AND place = 6", 7),
        ("DELETE FROM audit_nodes WHERE level = 2 AND place = 1", 8),
        ("UPDATE audit_nodes SET hash = substr(hash, 2, 31) || substr(hash, 1, 1) WHERE level = 0 AND place = 6", 7),
        ("UPDATE audit_nodes SET hash = substr(hash, 2, 31) || substr(hash, 1, 1) WHERE level = 1 AND place = 3", 8),
        ("UPDATE audit_head SET last_id = 11", 12),
        ("UPDATE audit_head SET last_id = 13", 13),
        ("UPDATE audit_head SET digest = 'x'", 13),
        ("UPDATE audit_head SET purged = 5", 1),
        ("UPDATE audit_entries SET id = 99 WHERE id = 7", 7),
    ],
)
def test_tampering_is_found_and_named(database: Database, statement: str, bad: int) -> None:
    write(database)
    with database.read() as session:
        last = service.listing(session, limit=1).entries[0].id
    assert last == 12  # two of the set-up stand before ours
    tamper(database, statement)
    assert check(database) == (False, bad)


def test_the_database_refuses_changes_to_entries(database: Database) -> None:
    write(database)
    statements: list[Callable[[Connection], object]] = [
        lambda connection: connection.execute(text("UPDATE audit_entries SET actor = 'x'")),
        lambda connection: connection.execute(text("DELETE FROM audit_entries")),
    ]
    for statement in statements:
        with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
            statement(connection)
    assert check(database) == (True, 0)


def test_a_change_that_cannot_be_audited_does_not_happen(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entries RENAME TO gone"))

    def change() -> None:
        with database.write() as session:
            session.execute(text("UPDATE users SET role = 'viewer'"))
            service.append(session, EVE, "account.change")

    with pytest.raises(StateUnavailable, match="audit_entries"):
        change()
    with database.read() as session:
        assert session.execute(text("SELECT role FROM users")).scalars().all() == ["sysadmin"]


def test_writers_at_the_same_time_make_one_tree(database: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: write(database, 5), range(12)))
    assert check(database) == (True, 0)
    with database.read() as session:
        assert verify(session).checked == 62


def test_listing_pages_and_filters(database: Database) -> None:
    write(database, 7)
    seen: list[str] = []
    cursor = ""
    with database.read() as session:
        while True:
            page = service.listing(session, limit=3, cursor=cursor, actor="eve")
            seen += [entry.object_id for entry in page.entries]
            cursor = page.cursor
            if not cursor:
                break
        assert seen == ["6", "5", "4", "3", "2", "1", "0"]
        [entry] = service.listing(session, object_type="alert", object_id="3").entries
    assert (entry.actor, entry.address, entry.detail) == ("eve", "203.0.113.9", {"步": 3, "x": [1, None]})


@pytest.mark.parametrize("cursor", ["x", "²", "9" * 19, "-1"])
def test_a_made_up_cursor_is_refused(database: Database, cursor: str) -> None:
    with database.read() as session, pytest.raises(Invalid):
        service.listing(session, cursor=cursor)
