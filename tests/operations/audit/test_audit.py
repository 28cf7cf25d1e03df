"""The audit trail: chained, append-only, and whoever tampers is named by row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kernel.db import Database
from operations.audit import service
from operations.audit.schema import Actor
from operations.errors import Invalid

EVE = Actor("eve", "203.0.113.9")


def write(database: Database, number: int = 10) -> None:
    with database.write() as session:
        for step in range(number):
            service.append(session, EVE, "alert.change", "alert", step, detail={"步": step, "x": [1, None]})


def tamper(database: Database, *statements: str) -> None:
    """As somebody who has the database file: triggers away first."""
    with database.engine.begin() as connection:
        if database.dialect == "sqlite":
            for trigger in ("audit_entries_no_update", "audit_entries_no_delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        else:
            connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        for statement in statements:
            connection.execute(text(statement))


def check(database: Database) -> tuple[bool, int]:
    with database.read() as session:
        found = service.verify(session)
    return found.ok, found.bad_id


def test_an_untouched_chain_verifies(database: Database) -> None:
    write(database)
    assert check(database) == (True, 0)


def test_the_chain_is_what_the_docstring_says(database: Database) -> None:
    """Recomputed here with hashlib from the documented formula."""
    write(database)
    names = ("id", "time", "actor", "address", "action", "object_type", "object_id", "result", "detail")
    previous = "0" * 64
    with database.engine.connect() as connection:
        for row in connection.execute(text("SELECT * FROM audit_entries ORDER BY id")).mappings():
            content = json.dumps({name: row[name] for name in names}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            previous = hashlib.new("sm3", (previous + content).encode()).hexdigest()
            assert row["digest"] == previous


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

    with pytest.raises(DBAPIError, match="audit_entries"):
        change()
    with database.read() as session:
        assert session.execute(text("SELECT role FROM users")).scalars().all() == ["sysadmin"]


def test_writers_at_the_same_time_make_one_chain(database: Database) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: write(database, 5), range(12)))
    assert check(database) == (True, 0)
    with database.read() as session:
        assert service.verify(session).checked == 62


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
