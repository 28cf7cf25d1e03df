"""What a KingbaseES server (人大金仓 V8R6) says of itself: PostgreSQL's protocol, catalogues called sys_ instead of pg_.

Its parts are those of PostgreSQL, so the same probes judge them; parameters of its own (passwordcheck, identity_pwdexp, sys_audlog,
sysaudit, client_idle_timeout) are among the settings. In its Oracle mode an empty text is NULL: it comes back as empty here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.reading.postgresql import SETTINGS
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

_OWN_SETTINGS = (
    "passwordcheck.enable", "passwordcheck.password_length", "passwordcheck.password_condition_letter",
    "passwordcheck.password_condition_digit", "passwordcheck.password_condition_punct", "identity_pwdexp.password_change_interval",
    "sys_audlog.error_user_connect_times", "sys_audlog.error_user_connect_interval", "client_idle_timeout", "sysaudit.enable",
)  # fmt: skip
_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
"""Of the URL, handed on to libpq."""
_MAY_BE_NONE = ("type", "databases", "users", "until")
QUERIES: dict[str, str] = {
    "settings": "SELECT name, setting FROM sys_catalog.sys_settings WHERE name = ANY(%(names)s) ORDER BY name",
    "roles": "SELECT rolname, rolsuper, rolcreaterole, rolbypassrls, CAST(rolvaliduntil AS text) AS until "
    "FROM sys_catalog.sys_roles WHERE rolcanlogin ORDER BY rolname LIMIT 5000",
    "hashes": "SELECT rolname, CASE WHEN rolpassword IS NULL THEN 'none' "
    "WHEN rolpassword LIKE 'SCRAM-SHA-256$%%' THEN 'scram-sha-256' "
    "WHEN rolpassword LIKE 'SCRAM-SM3$%%' THEN 'scram-sm3' WHEN rolpassword LIKE 'md5%%' THEN 'md5' ELSE 'other' END AS kind "
    "FROM sys_catalog.sys_authid WHERE rolcanlogin ORDER BY rolname LIMIT 5000",
    "hba": "SELECT line_number AS line, type, array_to_string(database, ',') AS databases, "
    "array_to_string(user_name, ',') AS users, address, netmask, auth_method AS method, error "
    "FROM sys_catalog.sys_hba_file_rules ORDER BY line_number LIMIT 5000",
    "schema": "SELECT nspname, has_schema_privilege('public', oid, 'CREATE') AS is_open FROM sys_catalog.sys_namespace "
    "WHERE nspname NOT LIKE 'pg@_%%' ESCAPE '@' AND nspname NOT LIKE 'sys@_%%' ESCAPE '@' "
    "AND nspname NOT IN ('information_schema', 'sys', 'sysaudit', 'sysmac', 'dbms_sql', 'xlog_record_read') "
    "ORDER BY nspname LIMIT 1000",
    "grants": "SELECT table_schema || '.' || table_name AS name, "
    "string_agg(privilege_type, ',' ORDER BY privilege_type) AS rights FROM information_schema.role_table_grants "
    "WHERE grantee = 'PUBLIC' AND table_schema NOT LIKE 'pg@_%%' ESCAPE '@' "
    "AND table_schema NOT LIKE 'sys%%' AND table_schema <> 'information_schema' GROUP BY 1 ORDER BY 1 LIMIT 500",
}


class KingbaseServer(msgspec.Struct, frozen=True):
    """``url`` is asked for when it is needed: kingbase://USER:PASSWORD@HOST:PORT/DATABASE. Only a superuser sees all."""

    name: str
    url: Callable[[], str]
    sources: tuple[Source, ...] = ("postgresql",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        return _read(self.url(), parts, time_left)


def _read(url: str, parts: Collection[str], time_left: TimeLeft) -> dict[str, Part]:
    try:
        import psycopg  # the extra postgresql: not there on each installation
    except ImportError as error:
        raise LiandunError("the driver for PostgreSQL is not installed", "it is the extra postgresql") from error
    try:
        found = make_url(url)
    except ArgumentError as error:
        raise LiandunError("this URL cannot be used", "kingbase://USER:PASSWORD@HOST:PORT/DATABASE") from error
    if found.get_backend_name() not in ("kingbase", "kingbase8", "postgresql") or not found.host:
        raise LiandunError("this is no URL of Kingbase", "kingbase://USER:PASSWORD@HOST:PORT/DATABASE")
    left = time_left.left()
    try:
        with psycopg.connect(psycopg.conninfo.make_conninfo("", **_parameters(found, left))) as connection:
            connection.read_only, connection.isolation_level = True, psycopg.IsolationLevel.REPEATABLE_READ
            return {name: _part(connection, name, psycopg.Error) for name in QUERIES if name in parts and time_left.left()}
    except psycopg.Error as error:
        raise LiandunError(f"the database cannot be asked: {_said(error)}") from error


def _parameters(url: URL, left: float) -> dict[str, str | int | None]:
    """Of a connection, as libpq names them."""
    return {
        **{key: str(value) for key, value in url.query.items() if key in _TLS},
        "host": url.host, "port": url.port or 54321, "user": url.username, "password": url.password, "dbname": url.database,
        "connect_timeout": max(1, min(10, int(left))), "options": f"-c statement_timeout={int(min(left, 30) * 1000)}",
    }  # fmt: skip


def _part(connection: Any, name: str, failure: type[Exception]) -> Part:
    names = {"names": [*SETTINGS, *_OWN_SETTINGS]} if name == "settings" else {}
    try:
        with connection.transaction():
            asked = connection.execute(QUERIES[name], names)
            columns = [column.name.lower() for column in asked.description]
            rows = [dict(zip(columns, row, strict=True)) for row in asked.fetchall()]
    except failure as error:
        return Part("", _said(error), QUERIES[name])
    if name == "hba":
        rows = [{key: value if value is not None or key in _MAY_BE_NONE else "" for key, value in row.items()} for row in rows]
    return Part(msgspec.json.encode(rows).decode(), how=QUERIES[name])


def _said(error: Exception) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(error)).split())[:300]
