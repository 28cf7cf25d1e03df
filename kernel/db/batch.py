"""Many rows by one statement, as tuples: for what writes thousands at a time, where making a dictionary of each costs as much as
writing it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def add_up(connection: Connection, table: Table, key: Sequence[str], sums: Sequence[str], rows: Sequence[tuple[Any, ...]],
           replaced: Sequence[str] = ()) -> None:  # fmt: skip
    """Insert ``rows`` (columns ``key``, ``sums``, ``replaced``, in this order); where the key is there already, add the sums to the
    row's and put the replaced ones in place of its."""
    _execute(connection, _adding(connection.dialect.name, table, tuple(key), tuple(sums), tuple(replaced)),
             (*key, *sums, *replaced), rows)  # fmt: skip


def add_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows`` with these columns; the others get their server's default."""
    _execute(connection, _plain(table, tuple(columns)), tuple(columns), rows)


@lru_cache(maxsize=64)
def _adding(dialect: str, table: Table, key: tuple[str, ...], sums: tuple[str, ...], replaced: tuple[str, ...]) -> Insert:
    build = sqlite.insert if dialect == "sqlite" else postgresql.insert  # both spell the upsert alike, each has its own construct
    statement: Any = build(table)
    new = statement.excluded
    changes = {name: table.c[name] + new[name] for name in sums} | {name: new[name] for name in replaced}
    made: Insert = statement.on_conflict_do_update(index_elements=list(key), set_=changes)
    return made


@lru_cache(maxsize=64)
def _plain(table: Table, columns: tuple[str, ...]) -> Insert:
    return table.insert().values(dict.fromkeys(columns))


def _execute(connection: Connection, statement: Insert, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        connection.execute(statement, [dict(zip(columns, row, strict=True)) for row in rows])
        return
    text, order = _compiled(statement, columns)
    connection.exec_driver_sql(text, rows if order is None else [tuple(row[place] for place in order) for row in rows])


@lru_cache(maxsize=128)
def _compiled(statement: Insert, columns: tuple[str, ...]) -> tuple[str, tuple[int, ...] | None]:
    """Text for SQLite, and the order in which it takes the columns; None = as they are."""
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=list(columns))
    order = tuple(columns.index(name) for name in compiled.positiontup or ())
    return compiled.string, None if order == tuple(range(len(columns))) else order
