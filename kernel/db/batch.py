"""Many rows by one statement, as tuples: for what writes thousands at a time, where making a dictionary of each costs as much as
writing it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Insert, Integer, Select, String, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement


def add_up(connection: Connection, table: Table, key: Sequence[str], sums: Sequence[str], rows: Sequence[tuple[Any, ...]],
           replaced: Sequence[str] = ()) -> None:  # fmt: skip
    """Insert ``rows`` (columns ``key``, ``sums``, ``replaced``, in this order; each key once); where the key is there already, add
    the sums to the row's and put the replaced ones in place of its."""
    _execute(connection, _adding(connection.dialect.name, table, tuple(key), tuple(sums), tuple(replaced)),
             (*key, *sums, *replaced), rows)  # fmt: skip


def add_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows`` with these columns, of text or whole numbers; the others get their server's default."""
    _execute(connection, _plain(connection.dialect.name, table, tuple(columns)), tuple(columns), rows)


@lru_cache(maxsize=64)
def _adding(dialect: str, table: Table, key: tuple[str, ...], sums: tuple[str, ...], replaced: tuple[str, ...]) -> Insert:
    statement: Any  # both spell the upsert alike, each has its own construct
    if dialect == "sqlite":
        statement = sqlite.insert(table)
    else:
        columns = (*key, *sums, *replaced)
        statement = postgresql.insert(table).from_select(list(columns), _unnested(table, columns))
    new = statement.excluded
    changes = {name: table.c[name] + new[name] for name in sums} | {name: new[name] for name in replaced}
    made: Insert = statement.on_conflict_do_update(index_elements=list(key), set_=changes)
    return made


@lru_cache(maxsize=64)
def _plain(dialect: str, table: Table, columns: tuple[str, ...]) -> Insert:
    if dialect == "sqlite":
        return table.insert().values(dict.fromkeys(columns))
    return table.insert().from_select(list(columns), _unnested(table, columns))


def _unnested(table: Table, columns: tuple[str, ...]) -> Select[Any]:
    """The rows, for PostgreSQL: one JSON text. A statement for each row takes ten times as long, and an array for each column four
    times: the driver quotes each of its values."""
    text = cast(bindparam("rows", type_=Text), postgresql.JSONB)
    each = func.jsonb_array_elements(text).table_valued(column("one_row", postgresql.JSONB)).render_derived("new_rows")
    return select(*(_value(each.c.one_row, place, table.c[name].type) for place, name in enumerate(columns)))


def _value(row: ColumnElement[Any], place: int, kind: Any) -> ColumnElement[Any]:
    """The value at a place: what is too long for its column must be refused by it, not be cut by a cast."""
    value = row.op("->>", return_type=Text())(place)
    if isinstance(kind, Integer):
        return cast(value, BigInteger)
    if isinstance(kind, String):
        return value
    raise TypeError(f"rows with a column of {kind!r} cannot be written many at a time")


def _execute(connection: Connection, statement: Insert, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        connection.execute(statement, {"rows": orjson.dumps(rows).decode()})
        return
    text, order = _compiled(statement, columns)
    connection.exec_driver_sql(text, rows if order is None else [tuple(row[place] for place in order) for row in rows])


@lru_cache(maxsize=128)
def _compiled(statement: Insert, columns: tuple[str, ...]) -> tuple[str, tuple[int, ...] | None]:
    """Text for SQLite, and the order in which it takes the columns; None = as they are."""
    compiled = statement.compile(dialect=sqlite.dialect(), column_keys=list(columns))
    order = tuple(columns.index(name) for name in compiled.positiontup or ())
    return compiled.string, None if order == tuple(range(len(columns))) else order
