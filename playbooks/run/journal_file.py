"""A file that is nothing but a journal (``./liandun playbook run --journal FILE``), brought to this version's tables when opened.

The tables are those of the platform's journal, without the platform and its migrations. Which of them a file has is kept in
SQLite's own ``user_version``; files from before that have 0, and show by their columns what they lack. Nothing is taken away from
a file but an index, and all of it in one transaction: a file is of one version or of the other.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.exc import DatabaseError

from kernel.db import Base, Database, open_database
from kernel.errors import LiandunError
from playbooks.run.models import TABLES, PlaybookRun

VERSION = 1
"""Of the tables; a change of them needs a step in ``_bring_up`` and a new number."""


def open_journal(path: Path) -> Database:
    """The journal in this file, made where there is none. Raises LiandunError for one of a newer version, or of something else."""
    _make(path)
    database = open_database(f"sqlite:///{path}")
    try:
        with database.write() as session:
            connection = session.connection()
            _refuse_others(connection, path)
            _bring_up(connection)
            _refuse_what_lacks(connection, path)
            connection.execute(text(f"PRAGMA user_version = {VERSION}"))
    except DatabaseError as error:
        database.close()
        raise LiandunError(f"{path} is no journal of a playbook run: {error.orig}", "name another file") from error
    except BaseException:
        database.close()
        raise
    return database


def _make(path: Path) -> None:
    """A new file is its owner's alone, whatever the umask: it holds what commands sent and gave back. SQLite's own files beside
    it take its mode. One that is there keeps the mode that somebody gave it."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise LiandunError(f"the journal {path} cannot be made: {error.strerror}", "name a file in a folder of yours") from error


def _refuse_others(connection: Connection, path: Path) -> None:
    version = connection.execute(text("PRAGMA user_version")).scalar_one()
    if version > VERSION:
        hint = "go on with the version that made it, or name a new file to begin anew"
        raise LiandunError(f"the journal {path} was written by a newer Liandun", hint)
    found = set(inspect(connection).get_table_names())
    if "alembic_version" in found:
        raise LiandunError(f"{path} is the state database of a platform, no journal of a run", "name another file")
    if found and PlaybookRun.__tablename__ not in found:
        raise LiandunError(f"{path} is a database, but no journal of a playbook run", "name another file")


def _bring_up(connection: Connection) -> None:
    """Tables, columns and indexes that the file lacks."""
    Base.metadata.create_all(connection, tables=TABLES, checkfirst=True)
    looked = inspect(connection)
    if "subject" not in {column["name"] for column in looked.get_columns("playbook_runs")}:
        connection.execute(text("ALTER TABLE playbook_runs ADD COLUMN subject VARCHAR(160)"))
    connection.execute(text("DROP INDEX IF EXISTS uq_playbook_questions"))  # a run may ask the same again after an undo
    for table in TABLES:
        present = {index["name"] for index in inspect(connection).get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in present:
                index.create(connection)


def _refuse_what_lacks(connection: Connection, path: Path) -> None:
    """A file that lacks what no step above adds would fail in the middle of its run."""
    for table in TABLES:
        lacking = _columns(table) - {column["name"] for column in inspect(connection).get_columns(table.name)}
        if lacking:
            hint = "go on with the version that made it, or name a new file to begin anew"
            raise LiandunError(f"the journal {path} is too old: {table.name} has no {', '.join(sorted(lacking))}", hint)


def _columns(table: Table) -> set[str]:
    return {column.name for column in table.columns}
