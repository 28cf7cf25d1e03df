"""Which generations of the master key an unpacked state database needs: it is not restored beside a key that opens nothing."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from crypto.secret import MARK, generation_of
from operations.accounts.models import Challenge
from operations.secrets.tables import COLUMNS

_COLUMNS = [(column.model.__tablename__, column.value.key) for column in COLUMNS if column.model is not Challenge]
"""Table and column; challenges are of no use ten minutes later."""

_SEALED_CELL = re.compile(rb"(?:^|\t)(" + re.escape(MARK.encode()) + rb"[^\t\n]{1,40})")


def generations_in_sqlite(file: Path) -> set[int]:
    """Of a SQLite database."""
    found: set[int] = set()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for table, name in _COLUMNS:
            query = f"SELECT DISTINCT substr({name}, 1, 40) FROM {table} WHERE {name} LIKE ?"  # noqa: S608 — names of our own
            with contextlib.suppress(sqlite3.OperationalError):  # a table that this version has not had yet
                found |= {generation_of(start) for (start,) in connection.execute(query, (MARK + "%",))}
    return found


def generations_in_snapshot(folder: Path) -> set[int]:
    """Of the files that operations.backup_postgresql writes."""
    return {generation_of(start) for table in {table for table, _ in _COLUMNS} for start in _sealed(folder / f"{table}.copy")}


def _sealed(file: Path) -> Iterator[str]:
    if not file.exists():
        return
    with file.open("rb") as lines:
        for line in lines:
            for cell in _SEALED_CELL.finditer(line):
                yield cell[1].decode("ascii", "replace")
