"""A state database per test, on SQLite and on a real PostgreSQL, with two bureaus and their people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from kernel.db import Database, open_database, upgrade
from tests.operations.organisations_city import City
from tests.postgresql_server import running_postgresql


class Templates:
    """Migrated databases that tests copy; the server starts with the first test that asks for one."""

    def __init__(self, folder: Path, open_until: ExitStack) -> None:
        self.folder, self._open_until = folder, open_until
        self._file, self._server = folder / "template.db", ""

    def sqlite(self, path: Path) -> str:
        """A copy at ``path``."""
        if not self._file.exists():
            _migrate(f"sqlite:///{self._file}")
        shutil.copy(self._file, path)
        return f"sqlite:///{path}"

    def postgresql(self, shared: Path) -> str:
        """The one test database, made afresh."""
        if not self._server:
            self._server = self._open_until.enter_context(running_postgresql(shared, self.folder))
            self._maintain("CREATE DATABASE compliance_template")
            _migrate(self._url("compliance_template"))
        self._maintain("DROP DATABASE IF EXISTS compliance WITH (FORCE)", "CREATE DATABASE compliance TEMPLATE compliance_template")
        return self._url("compliance")

    def _url(self, name: str) -> str:
        return make_url(self._server).set(database=name).render_as_string(hide_password=False)

    def _maintain(self, *statements: str) -> None:
        engine = create_engine(self._server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()


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
