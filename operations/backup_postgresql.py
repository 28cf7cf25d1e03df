"""A PostgreSQL state database as files: every table by COPY in one REPEATABLE READ transaction, without pg_dump.

    manifest.json      revision of the tables, and for each table its columns, rows, bytes, SM3; values of sequences
    <table>.copy       COPY in text format, UTF-8

All tables are of one moment while writers go on. Restoring makes the tables of that revision by the migrations, fills them, and
then migrates on. What a manifest names is taken only where the tables have it: whoever has the public key can make a sealed file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from crypto.sm3 import sm3_hasher
from kernel.db import Database, upgrade
from kernel.errors import LiandunError

MANIFEST = "manifest.json"
_VERSIONS = "alembic_version"
_PIECE = 1 << 20
_REVISION = re.compile(r"[0-9a-z_]{1,40}")


class SnapshotError(LiandunError):
    """The files are no whole snapshot, or do not fit the database."""


class Table(msgspec.Struct, forbid_unknown_fields=True):
    """One file. ``rows`` are its lines: COPY writes line ends inside of values as ``\\\\n``."""

    name: str
    columns: list[str]
    rows: int
    size: int
    sm3: str


class Manifest(msgspec.Struct, forbid_unknown_fields=True):
    """``tables`` in an order in which they can be filled; ``sequences``: "table.column" → last value that was drawn."""

    revision: str
    server: str
    tables: list[Table]
    sequences: dict[str, int] = {}


def write_snapshot(database: Database, folder: Path) -> Manifest:
    """Write all tables into the new ``folder``. Raises SnapshotError."""
    folder.mkdir(mode=0o700)
    engine = database.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with engine.connect() as connection:
            connection.execute(text("SET LOCAL client_encoding TO 'UTF8'"))  # also the statement that fixes the moment
            revision = MigrationContext.configure(connection).get_current_revision()
            if revision is None:
                raise SnapshotError("the database has no tables of Liandun", "name the right database")
            server = str(connection.execute(text("SHOW server_version")).scalar_one())
            tables = [_write_table(connection, name, folder) for name in _tables(connection)]
            manifest = Manifest(revision, server, tables, _sequences(connection, [table.name for table in tables]))
    except SQLAlchemyError as error:
        raise SnapshotError(f"the database cannot be read: {_told(error)}") from error
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def check_snapshot(folder: Path) -> Manifest:
    """Read the manifest and all files. Raises SnapshotError where one is missing, too much, or not what the manifest says."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise SnapshotError(f"the snapshot has no readable manifest: {error}") from error
    names = [table.name for table in manifest.tables]
    if not _REVISION.fullmatch(manifest.revision) or len(set(names)) < len(names):
        raise SnapshotError("the manifest of the snapshot is damaged")
    if {path.name for path in folder.iterdir()} != {MANIFEST, *(f"{name}.copy" for name in names)}:
        raise SnapshotError("the snapshot has other files than its manifest says")
    for table in manifest.tables:
        hasher, rows, size = sm3_hasher(), 0, 0
        for piece in _pieces(folder / f"{table.name}.copy"):
            hasher.update(piece)
            rows += piece.count(b"\n")
            size += len(piece)
        if (hasher.digest().hex(), rows, size) != (table.sm3, table.rows, table.size):
            raise SnapshotError(f"the table {table.name} of the snapshot is damaged")
    return manifest


def restore_snapshot(database: Database, folder: Path) -> Manifest:
    """Fill an empty database. Raises SnapshotError; then everything that was made in it has been removed again."""
    manifest = check_snapshot(folder)
    if database.dialect != "postgresql":
        raise SnapshotError("this snapshot is of a PostgreSQL database", "name one to restore into")
    with database.engine.connect() as connection:
        if inspect(connection).get_table_names():
            raise SnapshotError("the database has tables already", "restore into an empty one: createdb NAME")
        functions = _functions(connection)
    try:
        upgrade(database, manifest.revision)
        with database.engine.connect() as connection, connection.begin():
            _fill(connection, manifest, folder)
        upgrade(database)
    except BaseException as error:
        _clear(database, functions)
        if isinstance(error, SQLAlchemyError):
            raise SnapshotError(f"the snapshot does not fit the database: {_told(error)}") from error
        raise
    return manifest


def _tables(connection: Connection) -> list[str]:
    """Names, referenced tables before those that refer to them."""
    return [name for name, _ in inspect(connection).get_sorted_table_and_fkc_names() if name is not None and name != _VERSIONS]


def _columns(connection: Connection, table: str) -> list[str]:
    """Those that are stored; computed ones come by themselves."""
    query = text(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = :table "
        "AND is_generated = 'NEVER' ORDER BY ordinal_position"
    )
    return list(connection.execute(query, {"table": table}).scalars())


def _write_table(connection: Connection, name: str, folder: Path) -> Table:
    columns = _columns(connection, name)
    hasher, rows, size = sm3_hasher(), 0, 0
    statement = f"COPY {_target(connection, name, columns)} TO STDOUT"
    with (folder / f"{name}.copy").open("wb") as file, _cursor(connection) as cursor, cursor.copy(statement) as copy:
        for piece in copy:
            octets = bytes(piece)
            file.write(octets)
            hasher.update(octets)
            rows += octets.count(b"\n")
            size += len(octets)
    return Table(name, columns, rows, size, hasher.digest().hex())


def _sequences(connection: Connection, tables: list[str]) -> dict[str, int]:
    """Drawn numbers are not part of any transaction: the newest ones, which are behind all rows."""
    found = {}
    for table, column, sequence in _sequence_names(connection, tables):
        value = connection.execute(text(f"SELECT last_value FROM {sequence} WHERE is_called")).scalar()  # noqa: S608 — quoted by the server
        if value is not None:
            found[f"{table}.{column}"] = int(value)
    return found


def _sequence_names(connection: Connection, tables: list[str]) -> Iterator[tuple[str, str, str]]:
    """Table, column, and the quoted name of the sequence that numbers it."""
    query = text("SELECT pg_get_serial_sequence(quote_ident(:table), :column)")
    for table in tables:
        for column in _columns(connection, table):
            sequence = connection.execute(query, {"table": table, "column": column}).scalar()
            if sequence:
                yield table, column, str(sequence)


def _fill(connection: Connection, manifest: Manifest, folder: Path) -> None:
    present = _tables(connection)
    if sorted(present) != sorted(table.name for table in manifest.tables):
        raise SnapshotError("the snapshot has other tables than its revision")
    connection.execute(text("SET LOCAL client_encoding TO 'UTF8'"))
    for name in reversed(present):  # rows that migrations make; append-only tables, which refuse the very statement, have none
        quoted = _quoted(connection, name)
        if connection.execute(text(f"SELECT EXISTS (SELECT 1 FROM {quoted})")).scalar():  # noqa: S608
            connection.execute(text(f"DELETE FROM {quoted}"))  # noqa: S608
    for table in manifest.tables:
        if sorted(table.columns) != sorted(_columns(connection, table.name)):
            raise SnapshotError(f"the table {table.name} of the snapshot has other columns than its revision")
        with _cursor(connection) as cursor:
            try:
                with cursor.copy(f"COPY {_target(connection, table.name, table.columns)} FROM STDIN") as copy:
                    for piece in _pieces(folder / f"{table.name}.copy"):
                        copy.write(piece)
            except _driver_error(connection) as error:
                raise SnapshotError(f"the table {table.name} cannot be filled: {str(error).splitlines()[0]}") from error
            if cursor.rowcount != table.rows:
                raise SnapshotError(f"{cursor.rowcount} of {table.rows} rows of {table.name} were taken")
    for name, column, sequence in _sequence_names(connection, present):
        value = manifest.sequences.get(f"{name}.{column}")
        if value is not None:
            connection.execute(text("SELECT setval(CAST(:sequence AS regclass), :value)"), {"sequence": sequence, "value": value})


def _clear(database: Database, functions: set[str]) -> None:
    """Remove what a failed restore made in a database that was empty before."""
    with database.engine.connect() as connection, connection.begin():
        for name in inspect(connection).get_table_names():
            connection.execute(text(f"DROP TABLE IF EXISTS {_quoted(connection, name)} CASCADE"))
        for signature in _functions(connection) - functions:
            connection.execute(text(f"DROP FUNCTION IF EXISTS {signature} CASCADE"))


def _functions(connection: Connection) -> set[str]:
    """Signatures of the functions in the schema that are of no extension, quoted by the server."""
    query = text(
        "SELECT CAST(oid AS regprocedure)::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prokind = 'f'"
        " AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')"
    )
    return set(connection.execute(query).scalars())


def _cursor(connection: Connection) -> Any:
    """A cursor of the driver (psycopg 3) within the transaction of ``connection``."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor()


def _driver_error(connection: Connection) -> type[Exception]:
    found = connection.dialect.loaded_dbapi.Error
    assert issubclass(found, Exception)
    return found


def _target(connection: Connection, table: str, columns: list[str]) -> str:
    return f"{_quoted(connection, table)} ({', '.join(_quoted(connection, column) for column in columns)})"


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _told(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", error)).splitlines()[0]
