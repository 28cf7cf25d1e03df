"""No bit of the trail can be turned unnoticed: of any column of any of its tables, or of any byte of the head file.

Each turn is made in a transaction that is rolled back, so that one trail serves all of them. Two columns stand outside of what is
proven and are told as such: ``audit_copies`` says how far copies have got, ``audit_head.tree_since`` when the tree was begun.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.db import Database
from operations.audit.head_file import parse_lines
from operations.audit.heads import Trail
from operations.audit.models import AuditEntry, AuditHead, AuditKey, AuditNode, AuditSignedHead
from operations.audit.schema import Verification
from operations.audit.verify import verify
from tests.operations.audit.conftest import EVE, tamper, write

TABLES = (AuditEntry, AuditHead, AuditNode, AuditKey, AuditSignedHead)
TOLD_ONLY = {("audit_head", "tree_since")}
COLUMNS = [
    (model.__tablename__, column.name)
    for model in TABLES
    for column in model.__table__.columns
    if (model.__tablename__, column.name) not in TOLD_ONLY
]
INTEGER_BITS = 63

one_trail = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def signed(database: Database, trail: Trail) -> Iterator[tuple[Connection, bytes]]:
    """Two keys, three heads, entries beyond them; a connection of somebody who owns the database, and the head file."""
    if database.dialect != "sqlite":
        pytest.skip("turns bits of SQLite's values")
    write(database, 10)
    trail.sign()
    trail.rotate(EVE)
    for number in (3, 4):
        write(database, number)
        trail.sign()
    write(database, 4)
    tamper(database)
    with database.engine.connect() as connection:
        yield connection, trail.head_file.path.read_bytes()


def found_in(connection: Connection, head_file: bytes) -> Verification:
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        return verify(session, head_file=parse_lines(head_file))


def turned(octets: bytes, position: int, bit: int) -> bytes:
    return octets[:position] + bytes((octets[position] ^ 1 << bit,)) + octets[position + 1 :]


def turn(connection: Connection, table: str, column: str, row: int, position: int, bit: int) -> None:
    """Turn one bit of a value; ``row`` and ``position`` count round. An empty text gets a first byte."""
    keys = (
        "level, place" if table == "audit_nodes" else "number" if table == "audit_keys" else "size" if "signed" in table else "id"
    )
    rows = connection.execute(text(f"SELECT {keys}, {column}, typeof({column}) FROM {table} ORDER BY {keys}")).all()
    *key, value, kind = rows[row % len(rows)]
    if kind == "integer":
        new: int | bytes = value ^ 1 << (position * 8 + bit) % INTEGER_BITS
    else:
        octets = value.encode() if kind == "text" else bytes(value)
        new = turned(octets, position % len(octets), bit) if octets else bytes((1 << bit,))
    where = " AND ".join(f"{name.strip()} = {number}" for name, number in zip(keys.split(","), key, strict=True))
    changed = "CAST(:new AS TEXT)" if kind == "text" else ":new"
    connection.execute(text(f"UPDATE {table} SET {column} = {changed} WHERE {where}"), {"new": new})


def notices(connection: Connection, head_file: bytes, *where: object) -> bool:
    """True where the turned bit is noticed; None of what it did stays. A turn that the database itself refuses is none."""
    try:
        turn(connection, *where)  # type: ignore[arg-type]
        return not found_in(connection, head_file).ok
    except IntegrityError:  # a number that another row has
        return True
    finally:
        connection.rollback()


def test_the_trail_is_in_order(signed: tuple[Connection, bytes]) -> None:
    found = found_in(*signed)
    assert found.ok, found.findings
    assert found.heads >= 3


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_first_middle_and_last_byte_of_every_row(signed: tuple[Connection, bytes], table: str, column: str) -> None:
    connection, head_file = signed
    longest = connection.execute(text(f"SELECT max(length(CAST({column} AS BLOB))) FROM {table}")).scalar_one()
    rows = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    connection.rollback()
    unnoticed = [
        (row, position)
        for row in sorted({0, 1 % rows, rows // 2, rows - 1})
        for position in {0, longest // 2, -1}
        if not notices(connection, head_file, table, column, row, position, 0)
    ]
    assert unnoticed == []


@pytest.mark.parametrize("table", [model.__tablename__ for model in TABLES])
def test_any_bit_of_any_value(signed: tuple[Connection, bytes], table: str) -> None:
    @one_trail
    @given(
        st.sampled_from([column for of, column in COLUMNS if of == table]),
        st.integers(0, 100),
        st.integers(0, 400),
        st.integers(0, 7),
    )
    def check(column: str, row: int, position: int, bit: int) -> None:
        assert notices(*signed, table, column, row, position, bit)

    check()


def test_every_kind_of_place_in_the_head_file(signed: tuple[Connection, bytes]) -> None:
    """Names, values (first, middle and last byte), brackets, colons, commas, quotes and the end of the line; of a key, of a head in
    the middle, and of the last line."""
    connection, content = signed
    kinds = [line[9:12] for line in content.splitlines()]
    assert (kinds.count(b"key"), kinds.count(b"hea")) >= (2, 3)
    lines = list(re.finditer(rb"[^\n]+\n", content))
    shown = [lines[0].span(), lines[1].span(), lines[-1].span()]
    places = {place for found in re.finditer(rb'[^"{}:,\n]+', content) for place in _ends(*found.span())}
    places |= {found.start() for found in re.finditer(rb'["{}:,\n]', content)}
    unnoticed = []
    for place in sorted(place for place in places if any(start <= place < end for start, end in shown)):
        if found_in(connection, turned(content, place, 0)).ok:
            unnoticed.append((place, content[max(place - 20, 0) : place + 20]))
        connection.rollback()
    assert unnoticed == []


def _ends(start: int, end: int) -> set[int]:
    return {start, (start + end) // 2, end - 1}


def test_any_bit_of_the_head_file(signed: tuple[Connection, bytes]) -> None:
    connection, content = signed

    @settings(one_trail, max_examples=150)
    @given(st.integers(0, len(content) - 1), st.integers(0, 7))
    def check(place: int, bit: int) -> None:
        try:
            assert not found_in(connection, turned(content, place, bit)).ok
        finally:
            connection.rollback()

    check()
