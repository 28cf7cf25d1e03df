"""Opening the state database, and its two kinds of transaction.

SQLite: write-ahead log, ``synchronous=FULL`` (a commit is on disk), foreign keys on, 30 s of patience for the one writer, and
every write transaction starts with BEGIN IMMEDIATE: a transaction that first reads and then writes would otherwise fail with
"database is locked" instead of waiting. PostgreSQL is taken by URL (``postgresql+psycopg://…``; the driver is not installed by
default).

    database = open_database("sqlite:////var/lib/liandun/state.db")
    with database.write() as session:   # commits at the end, rolls back on an exception
        ...
    with database.read() as session:    # one consistent snapshot; cannot write
        ...
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from kernel.db.turns import Turns
from kernel.db.unavailable import explained
from kernel.errors import StoreError

BUSY_TIMEOUT_MS = 30_000


class Database:
    """The state database. Safe to share between threads; each process opens its own."""

    def __init__(
        self,
        engine: Engine,
        info: Mapping[str, Any] | None = None,
        turns: Turns | None = None,
        kept: dict[Any, Any] | None = None,
    ) -> None:
        self.engine = engine
        self._turns = turns or Turns()
        self._kept: dict[Any, Any] = {} if kept is None else kept
        self._info = dict(info or {})
        self.dialect = engine.dialect.name
        # PostgreSQL's default would let each statement of a reader see a later moment; a reader here can never fail to serialise.
        steady = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        self._reader = engine.execution_options(liandun_write=False, postgresql_readonly=True, **steady)
        self._writer = engine.execution_options(liandun_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A snapshot to read from. Writing in it fails.

        ``session.info["snapshot"]`` is a dict for what was worked out from the snapshot and is asked for again (a write session
        has none: what it knows may change underneath). ``session.info["kept"]`` is one for all snapshots of this process: what
        stands there has to say of which state it is. Raises StateUnavailable.
        """
        info = {"snapshot": {}, "kept": self._kept, **self._info}
        with explained(writing=False), Session(self._reader, autoflush=False, expire_on_commit=False, info=info) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A write transaction: commits when the block ends, rolls back when it raises. Keep it short, writers queue.

        Raises StateUnavailable where nothing can be written: the disk is full, the file read-only, the server away.
        """
        fresh = Session(self._writer, expire_on_commit=False, info=dict(self._info))
        with explained(writing=True), self._turn(), fresh as session, session.begin():
            if self.dialect == "sqlite":
                session.connection()  # take the write lock now, so that what the block reads stays true until it writes
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers of an embedded database queue; a server has rows to lock."""
        if self.dialect != "sqlite":
            yield
            return
        with self._turns.turn(BUSY_TIMEOUT_MS / 1000):
            yield

    def carrying(self, info: Mapping[str, Any]) -> Database:
        """The same database; every session has ``info`` in its ``session.info``, for the rooms that read it (operations.reach)."""
        return Database(self.engine, {**self._info, **info}, self._turns, self._kept)

    def optimize(self) -> None:
        """Refresh planner statistics where they are stale (without them SQLite picks wrong indexes at a million rows)."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("PRAGMA optimize" if self.dialect == "sqlite" else "ANALYZE"))

    def analyze(self) -> None:
        """Gather planner statistics afresh; seconds on millions of rows."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str) -> Database:
    """The database behind ``url`` (``sqlite:////absolute/path`` or ``postgresql+psycopg://user:password@host/name``).

    A new SQLite file is created readable by its owner only. Raises StoreError where the URL is wrong or the server does not answer.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError("the database URL cannot be read", "write e.g. sqlite:////var/lib/liandun/state.db") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        engine = _sqlite_engine(parsed)
    elif backend == "postgresql":
        engine = _postgresql_engine(parsed)
    else:
        raise StoreError(f"database kind {backend!r} is not supported", "use sqlite or postgresql")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        shown = parsed.render_as_string(hide_password=True)
        raise StoreError(f"the database {shown} cannot be opened: {getattr(error, 'orig', error)}") from error
    return Database(engine)


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("the state database needs a file", "write e.g. sqlite:////var/lib/liandun/state.db")
    _create_private(Path(url.database))
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
        pool_size=8,
        max_overflow=24,
        pool_use_lifo=True,  # the connection used last has the warmest cache
        pool_reset_on_return="rollback",
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_private(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"the database file {path} cannot be created: {error.strerror}") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not start transactions of its own: _begin_sqlite does
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "wal_autocheckpoint = 8192",  # pages: a page that many commits change is written home once, not every time
        "foreign_keys = ON",
        "cache_size = -32768",
        "mmap_size = 268435456",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("liandun_write", True)
    mode = "OFF" if write else "ON"
    if connection.info.get("query_only") != mode:  # kept with the connection, which a pool lends again and again
        connection.exec_driver_sql(f"PRAGMA query_only = {mode}")
        connection.info["query_only"] = mode
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _postgresql_engine(url: URL) -> Engine:
    try:
        engine = create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED")
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            "the PostgreSQL driver is missing", "pip install 'psycopg[binary]' and write postgresql+psycopg://…"
        ) from error
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Many short statements that stop at a page of rows: starting workers and compiling plans for one takes longer than it does."""
    connection.execute("SET jit = off")
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()
