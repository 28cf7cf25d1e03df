"""A real PostgreSQL as it comes, and hardened as far as settings go; a login that may see little; nothing there changes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from compliance.probes.contract import Probe
from compliance.probes.facts import Part
from compliance.probes.reading.postgresql import QUERIES, PostgresqlServer
from compliance.probes.registry import of_source, probes
from compliance.probes.result import Result, judged
from compliance.probes.run import run
from tests.postgresql_server import running_postgresql

_CHANGES = (
    "ALTER SYSTEM SET log_statement = 'mod'",
    "ALTER SYSTEM SET log_connections = on",
    "ALTER SYSTEM SET log_disconnections = on",
    "ALTER SYSTEM SET log_line_prefix = '%m [%p] %u@%d %r '",
    "ALTER SYSTEM SET log_destination = 'syslog'",
    "ALTER SYSTEM SET idle_session_timeout = '15min'",
    "ALTER ROLE test VALID UNTIL '2030-01-01'",
    "SELECT pg_reload_conf()",
)
_MESS = (
    "CREATE ROLE second SUPERUSER LOGIN PASSWORD 'x'",
    "CREATE ROLE third SUPERUSER LOGIN",
    "SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD 'md5pw'; RESET password_encryption",
    "CREATE TABLE open (a int); GRANT ALL ON open TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC",
    "CREATE ROLE little LOGIN PASSWORD 'little'",
    "CREATE ROLE postgres_app LOGIN PASSWORD 'x' VALID UNTIL 'infinity'",
)
_AS_IT_COMES = {
    "db.accounts.superusers": "met",  # one
    "db.accounts.password_hashes": "met",
    "db.accounts.password_expiry": "not_met",
    "db.accounts.authentication": "met",
    "db.accounts.password_rules": "not_met",
    "db.accounts.lockout": "not_met",
    "db.accounts.idle_timeout": "not_met",
    "db.audit.statements": "not_met",
    "db.audit.fields": "not_met",
    "db.audit.files": "partly",
    "db.encryption.transport": "not_applicable",  # pg_hba.conf has loopback only
    "db.grants.sources": "met",
    "db.grants.public": "met",
}
_HARDENED = _AS_IT_COMES | {
    "db.accounts.password_expiry": "met",
    "db.accounts.idle_timeout": "met",
    "db.audit.statements": "met",
    "db.audit.fields": "met",
    "db.audit.files": "met",
}
_IN_A_MESS = _HARDENED | {
    "db.accounts.superusers": "not_met",
    "db.accounts.password_hashes": "not_met",
    "db.accounts.password_expiry": "partly",
    "db.grants.public": "not_met",
}


def _results(url: str) -> dict[str, Result]:
    return {one.probe: one for one in run([PostgresqlServer("db", lambda: url)], of_source("postgresql"), seconds=60)}


def _execute(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        for statement in statements:
            with engine.connect() as connection:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def _dumped(url: str) -> str:
    plain = url.replace("+psycopg", "")
    environment = {**os.environ, "PGPASSWORD": "test"}
    done = subprocess.run(["pg_dumpall", "-d", plain], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return "".join(line for line in done.stdout.splitlines(keepends=True) if "restrict " not in line)


@pytest.fixture(scope="module")
def url(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgresql(shared, tmp_path_factory.mktemp("pg")) as found:
        yield found


def test_three_states_of_a_real_server(url: str) -> None:
    before = _dumped(url)
    assert {name: one.outcome for name, one in _results(url).items()} == _AS_IT_COMES
    assert _dumped(url) == before, "nothing changes"
    _execute(url, *_CHANGES)
    found = _results(url)
    assert {name: one.outcome for name, one in found.items()} == _HARDENED, [one.reason for one in found.values()]
    _execute(url, *_MESS)
    found = _results(url)
    assert {name: one.outcome for name, one in found.items()} == _IN_A_MESS, [one.reason for one in found.values()]
    assert "old: md5" in found["db.accounts.password_hashes"].reason
    told = "".join(one.evidence for one in found.values())
    assert "SCRAM-SHA-256$4096" not in told, "no hash leaves the server"
    little = _results(url.replace("test:test", "little:little"))
    hidden = {"db.accounts.password_hashes", "db.accounts.password_expiry", "db.accounts.authentication", "db.encryption.transport"}
    hidden |= {"db.grants.sources", "db.accounts.password_rules", "db.accounts.lockout"}
    assert {name for name, one in little.items() if one.outcome == "error"} >= hidden
    assert "permission denied" in little["db.accounts.password_hashes"].reason


def test_what_cannot_be_reached_is_an_error(url: str) -> None:
    wrong = ("test:wrong", "nobody:x")
    for given in (
        *(url.replace("test:test", one) for one in wrong),
        "postgresql://test:hidden@127.0.0.1:1/x",
        "sqlite://",
        "::",
        "",
    ):
        found = _results(given)
        assert {one.outcome for one in found.values()} == {"error"}
        assert "hidden" not in "".join(one.reason for one in found.values())


def test_the_transaction_cannot_write(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUERIES, "grants", "CREATE TABLE written (a int)")
    assert "read-only transaction" in _results(url)["db.grants.public"].reason


def _rule(kind: str, address: str, netmask: str, method: str, users: str = "all") -> dict[str, object]:
    return {
        "line": 1, "type": kind, "databases": "all", "users": users, "address": address, "netmask": netmask,
        "method": method, "error": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rules", "settings", "outcome"),
    [
        ("db.accounts.authentication", [_rule("local", "", "", "trust")], {}, "not_met"),
        ("db.accounts.authentication", [_rule("host", "10.0.0.0", "255.0.0.0", "password")], {}, "not_met"),
        ("db.accounts.authentication", [_rule("hostssl", "10.0.0.0", "255.0.0.0", "md5")], {}, "partly"),
        ("db.grants.sources", [_rule("host", "0.0.0.0", "0.0.0.0", "scram-sha-256")], {}, "not_met"),
        ("db.grants.sources", [_rule("hostssl", "all", "", "cert", "app")], {}, "partly"),
        ("db.encryption.transport", [_rule("hostssl", "10.0.0.0", "255.0.0.0", "cert")], {"ssl": "on"}, "met"),
        ("db.encryption.transport", [_rule("host", "10.0.0.0", "255.0.0.0", "cert")], {"ssl": "on"}, "partly"),
        ("db.encryption.transport", [_rule("host", "10.0.0.0", "255.0.0.0", "cert")], {"ssl": "off"}, "not_met"),
        (
            "db.encryption.transport",
            [_rule("hostssl", "10.0.0.0", "255.0.0.0", "cert")],
            {"ssl": "on", "ssl_min_protocol_version": "TLSv1"},
            "not_met",
        ),
        ("db.accounts.password_rules", [], {"shared_preload_libraries": "pgaudit, passwordcheck"}, "met"),
        (
            "db.accounts.password_rules",
            [],
            {"shared_preload_libraries": "credcheck", "credcheck.password_min_length": "4"},
            "partly",
        ),
        ("db.accounts.lockout", [], {"shared_preload_libraries": "auth_delay", "auth_delay.milliseconds": "500"}, "partly"),
        ("db.accounts.lockout", [], {"shared_preload_libraries": "credcheck", "credcheck.max_auth_failure": "5"}, "met"),
        ("db.accounts.idle_timeout", [], {"idle_session_timeout": "7200000"}, "partly"),
        ("db.audit.files", [], {"logging_collector": "on", "log_file_mode": "0644"}, "not_met"),
    ],
)
def test_rules_and_settings(name: str, rules: list[dict[str, object]], settings: dict[str, str], outcome: str) -> None:
    rows = [{"name": key, "setting": value} for key, value in settings.items()]
    parts = {"hba": Part(msgspec.json.encode(rules).decode()), "settings": Part(msgspec.json.encode(rows).decode())}
    found = judged(probes()[name], parts, "db", "")
    assert found.outcome == outcome, found.reason


@pytest.mark.parametrize("probe", of_source("postgresql"), ids=lambda one: one.id)
def test_an_answer_of_another_shape_is_an_error(probe: Probe) -> None:
    for shape in ("{}", '[{"name": 1}]', "null", "[" * 5_000):
        assert judged(probe, {name: Part(shape) for name in QUERIES}, "db", "").outcome == "error"
