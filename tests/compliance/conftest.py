"""A state database per test, on SQLite and on a real PostgreSQL, with two bureaus and their people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from kernel.db import Database, open_database, upgrade
from tests.operations.organisations_city import City
from tests.postgresql_server import running_postgresql


class Templates:
    """Migrated databases for tests; the server starts with the first test that asks for one."""

    def __init__(self, folder: Path, open_until: ExitStack) -> None:
        self.folder, self._open_until = folder, open_until
        self._file = folder / "template.db"
        self._reused: Reused | None = None

    def sqlite(self, path: Path) -> str:
        """A copy at ``path``."""
        if not self._file.exists():
            _migrate(f"sqlite:///{self._file}")
        shutil.copy(self._file, path)
        return f"sqlite:///{path}"

    def postgresql(self, shared: Path) -> str:
        """The one test database, as the migrations leave it."""
        if self._reused is None:
            server = self._open_until.enter_context(running_postgresql(shared, self.folder))
            url = make_url(server).set(database="compliance").render_as_string(hide_password=False)
            with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text("CREATE DATABASE compliance"))
            _migrate(url)
            self._reused = Reused(url)
        else:
            self._reused.restore()
        return self._reused.url


class Reused:
    """A PostgreSQL database that one test after the other uses: what the last one wrote is undone, in a tenth of the time that a
    copy of a template takes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = create_engine(url, poolclass=NullPool)
        with self._engine.connect() as connection:
            tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
            rows = (f"SELECT '{name}', (SELECT json_agg(t ORDER BY t::text)::text FROM {name} t)" for name in tables)
            self._contents = text(" UNION ALL ".join(["SELECT 'pg_class', count(*)::text FROM pg_class", *rows]))
            self._fresh = self._read(connection)

    def _read(self, connection: Connection) -> dict[str, str | None]:
        """Every table's rows as JSON, None where it is empty; as pg_class how many relations there are."""
        return dict(connection.execute(self._contents).all())

    def restore(self) -> None:
        """Rows and sequences as at first; connections that a test left are ended."""
        with self._engine.begin() as connection:
            for statement in (
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
                "SET LOCAL session_replication_role = replica",  # without triggers: what is only ever added to is emptied too
                "SELECT setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences"
                " WHERE last_value IS NOT NULL",
            ):
                connection.execute(text(statement))
            for name, rows in self._read(connection).items():
                if rows == self._fresh[name]:
                    continue
                assert name != "pg_class", "a test has made or removed tables"
                connection.execute(text(f"DELETE FROM {name}"))
                insert = f"INSERT INTO {name} SELECT * FROM json_populate_recordset(NULL::{name}, CAST(:rows AS json))"
                connection.execute(text(insert), {"rows": self._fresh[name] or "[]"})


def _migrate(url: str) -> None:
    database = open_database(url)
    upgrade(database)
    database.close()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    with ExitStack() as until:
        yield Templates(tmp_path_factory.mktemp("compliance"), until)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = templates.sqlite(tmp_path / "state.db")
    else:
        url = templates.postgresql(request.getfixturevalue("shared"))
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def city(database: Database) -> City:
    return City(database)
