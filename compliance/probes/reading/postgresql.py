"""What a PostgreSQL server says of itself, in one read-only transaction. No hash of a password leaves the server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

SETTINGS = (
    "ssl", "ssl_min_protocol_version", "ssl_ciphers", "password_encryption", "log_connections", "log_disconnections",
    "log_statement", "log_line_prefix", "log_destination", "logging_collector", "log_file_mode", "log_truncate_on_rotation",
    "log_rotation_age", "shared_preload_libraries", "idle_session_timeout", "idle_in_transaction_session_timeout",
    "authentication_timeout",
    "tcp_keepalives_idle", "listen_addresses", "server_version", "pgaudit.log", "auth_delay.milliseconds",
    "credcheck.password_min_length", "credcheck.max_auth_failure",
)  # fmt: skip
QUERIES: dict[str, str] = {
    "settings": "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY(:names) ORDER BY name",
    "roles": "SELECT rolname, rolsuper, rolcreaterole, rolbypassrls, rolvaliduntil::text AS until FROM pg_catalog.pg_roles "
    "WHERE rolcanlogin ORDER BY rolname LIMIT 5000",
    "hashes": "SELECT rolname, CASE WHEN rolpassword IS NULL THEN 'none' WHEN rolpassword "
    "LIKE 'SCRAM-SHA-256$%' THEN 'scram-sha-256' WHEN rolpassword LIKE 'md5%' THEN 'md5' ELSE 'other' END AS kind "
    "FROM pg_catalog.pg_authid WHERE rolcanlogin ORDER BY rolname LIMIT 5000",
    "hba": "SELECT line_number AS line, type, array_to_string(database, ',') AS databases, "
    "array_to_string(user_name, ',') AS users, coalesce(address, '') AS address, "
    "coalesce(netmask, '') AS netmask, coalesce(auth_method, '') AS method, "
    "coalesce(error, '') AS error "
    "FROM pg_catalog.pg_hba_file_rules ORDER BY line_number LIMIT 5000",
    "schema": "SELECT nspname, has_schema_privilege('public', oid, 'CREATE') AS is_open FROM pg_catalog.pg_namespace "
    "WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname LIMIT 1000",
    "grants": "SELECT table_schema || '.' || table_name AS name, string_agg(privilege_type, ',' ORDER BY privilege_type) AS rights "
    "FROM information_schema.role_table_grants WHERE grantee = 'PUBLIC' "
    "AND table_schema NOT IN ('pg_catalog', 'information_schema') GROUP BY 1 ORDER BY 1 LIMIT 500",
}


class PostgresqlServer(msgspec.Struct, frozen=True):
    """``url`` is asked for when it is needed: postgresql://USER:PASSWORD@HOST:PORT/DATABASE. Only a superuser sees all."""

    name: str
    url: Callable[[], str]
    sources: tuple[Source, ...] = ("postgresql",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        return _read(self.url(), parts, time_left)


def _read(url: str, parts: Collection[str], time_left: TimeLeft) -> dict[str, Part]:
    left = time_left.left()
    waits = {"connect_timeout": max(1, min(10, int(left))), "options": f"-c statement_timeout={int(min(left, 30) * 1000)}"}
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise LiandunError("this is no URL of PostgreSQL", "postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=waits)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise LiandunError(f"this URL cannot be used ({type(error).__name__})", "the driver is the extra postgresql") from error
    try:
        with engine.connect().execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ") as connection:
            return {name: _part(connection, name) for name in QUERIES if name in parts and time_left.left()}
    except SQLAlchemyError as error:
        raise LiandunError(f"the database cannot be asked: {_said(error)}") from error
    finally:
        engine.dispose()


def _part(connection: Connection, name: str) -> Part:
    values = {"names": list(SETTINGS)} if name == "settings" else {}
    try:
        with connection.begin_nested():
            rows = [dict(row) for row in connection.execute(text(QUERIES[name]), values).mappings()]
    except SQLAlchemyError as error:
        return Part("", _said(error), QUERIES[name])
    return Part(msgspec.json.encode(rows).decode(), how=QUERIES[name])


def _said(error: SQLAlchemyError) -> str:
    said = str(getattr(error, "orig", None) or error)
    return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:300]
