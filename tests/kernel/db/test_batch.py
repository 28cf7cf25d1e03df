"""Many rows by one statement: the same on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, select
from sqlalchemy.exc import DataError

from kernel.db import Database, open_database
from kernel.db.batch import add_rows, add_up
from tests.postgresql_server import running_postgresql

_TABLES = MetaData()
SUMS = Table("sums", _TABLES, Column("kind", String(8), primary_key=True), Column("place", Integer, primary_key=True),
             Column("number", Integer, nullable=False), Column("label", Text))  # fmt: skip
LINES = Table("lines", _TABLES, Column("id", Integer, primary_key=True), Column("body", String(8)), Column("size", Integer),
              Column("state", String(8), nullable=False, server_default="new"))  # fmt: skip
SHARES = Table("shares", _TABLES, Column("id", Integer, primary_key=True), Column("share", Float))


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgresql(shared, tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/state.db" if request.param == "sqlite" else request.getfixturevalue("server")
    opened = open_database(url)
    _TABLES.create_all(opened.engine)
    yield opened
    _TABLES.drop_all(opened.engine)
    opened.close()


def test_sums_are_those_of_adding_one_by_one(database: Database) -> None:
    dice, expected, labels = random.Random(3), Counter[tuple[str, int]](), dict[tuple[str, int], str]()
    for _round in range(5):
        changes = {(dice.choice(("a", "b", "工具")), place): dice.randint(-9, 9) for place in dice.sample(range(40), 30)}
        with database.write() as session:
            rows = [(*key, step, f"{key[0]} '{step}'") for key, step in changes.items()]
            add_up(session.connection(), SUMS, ("kind", "place"), ("number",), rows, ("label",))
        expected.update(changes)
        labels |= {key: f"{key[0]} '{step}'" for key, step in changes.items()}
    with database.read() as session:
        found = {(row.kind, row.place): (row.number, row.label) for row in session.execute(select(SUMS))}
    assert found == {key: (expected[key], label) for key, label in labels.items()}


def test_rows_keep_their_order_their_nulls_and_the_defaults_of_other_columns(database: Database) -> None:
    rows = [("x", 1), (None, 2), ("", None), ("{,\\}", -(2**31)), ('"é"', 5)] * 3
    with database.write() as session:
        add_rows(session.connection(), LINES, ("body", "size"), rows)
        add_rows(session.connection(), LINES, ("body", "size"), [])
    with database.read() as session:
        found = session.execute(select(LINES.c.body, LINES.c.size, LINES.c.state).order_by(LINES.c.id)).all()
    assert [tuple(row) for row in found] == [(*row, "new") for row in rows]


def test_what_is_too_long_is_refused_and_not_cut(server: str) -> None:
    database = open_database(server)
    _TABLES.create_all(database.engine)
    with pytest.raises(DataError), database.write() as session:
        add_rows(session.connection(), LINES, ("body", "size"), [("x" * 9, 1)])
    with database.read() as session:
        assert session.execute(select(LINES)).all() == []
    with pytest.raises(TypeError), database.write() as session:
        add_rows(session.connection(), SHARES, ("share",), [(0.5,)])
    _TABLES.drop_all(database.engine)
    database.close()
