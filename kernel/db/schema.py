"""Bringing the tables up to date: Alembic migrations, run by whichever process comes first.

Several roles start at once; a lock (a file beside SQLite, an advisory lock in PostgreSQL) lets one migrate while the others wait.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from crypto.private_file import open_lock
from kernel.db.engine import Database
from kernel.errors import StoreError

_SCRIPTS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x6C69616E64756E  # "liandun"


def upgrade(database: Database, revision: str = "") -> str:
    """Bring the tables to the newest revision (or an earlier ``revision``, where a backup asks for it) and return it.

    Harmless when already there. Raises StoreError when the database or ``revision`` is of a newer Liandun.
    """
    if not revision and _is_newest(database):
        return _newest()
    from alembic import command  # takes a quarter of a second, and is seldom needed: see above
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    head = revision or scripts.get_current_head() or ""
    if head not in known:
        raise StoreError(f"this version does not know the revision {head}", "it is of a newer Liandun: install that version")
    with _lock(database), database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        connection.rollback()
        if current == head:
            return head
        if current is not None and current not in known:
            raise StoreError(
                f"the database has revision {current}, which this version does not know",
                "it was written by a newer Liandun: install that version",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, head)
        connection.commit()
    database.analyze()
    return head


def _newest() -> str:
    """The newest revision that this version knows: migrations are one line, and their files begin with their number."""
    return max(path.name[:4] for path in _SCRIPTS.glob("versions/[0-9]*.py"))


def _is_newest(database: Database) -> bool:
    """Whether nothing is to be done: a look that costs nothing, before the tools of migration are loaded."""
    try:
        with database.engine.connect() as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    except DBAPIError:  # no table yet, or no database: what follows makes it, or says what is wrong
        return False
    return list(found) == [_newest()]


@contextmanager
def _lock(database: Database) -> Iterator[None]:
    path = database.engine.url.database
    if database.dialect == "sqlite" and path:
        lock = Path(f"{path}.migrate")
        try:
            handle = open_lock(lock)
        except OSError as error:
            raise StoreError(f"the lock file {lock} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
        return
    with database.engine.connect() as connection:
        _advisory(connection, "pg_advisory_lock")
        try:
            yield
        finally:
            _advisory(connection, "pg_advisory_unlock")


def _advisory(connection: Connection, function: str) -> None:
    connection.execute(text(f"SELECT {function}({_ADVISORY_LOCK})"))
    connection.commit()
