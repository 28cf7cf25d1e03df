"""KingbaseES: a PostgreSQL that has its catalogues (views called sys_) stands in for one; the protocol is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from compliance.probes.facts import Part
from compliance.probes.reading.kingbase import QUERIES, KingbaseServer
from compliance.probes.registry import of_source, probes
from compliance.probes.result import Result, judged
from compliance.probes.run import run
from tests.postgresql_server import running_postgresql

_STAND_IN = (
    "CREATE SCHEMA sys_catalog",
    "CREATE VIEW sys_catalog.sys_settings AS SELECT * FROM pg_settings WHERE name <> 'idle_session_timeout'",
    "CREATE VIEW sys_catalog.sys_roles AS SELECT * FROM pg_roles",
    "CREATE VIEW sys_catalog.sys_authid AS SELECT * FROM pg_authid",
    "CREATE VIEW sys_catalog.sys_hba_file_rules AS SELECT * FROM pg_hba_file_rules",
    "CREATE VIEW sys_catalog.sys_namespace AS SELECT oid, nspname FROM pg_namespace",
)


@pytest.fixture(scope="module")
def url(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgresql(shared, tmp_path_factory.mktemp("kingbase")) as found:
        engine = create_engine(found, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in _STAND_IN:
                connection.execute(text(statement))
        engine.dispose()
        yield found.replace("postgresql+psycopg", "kingbase")


def _results(url: str) -> dict[str, Result]:
    return {one.probe: one for one in run([KingbaseServer("kes", lambda: url)], of_source("postgresql"), seconds=60)}


def test_the_probes_of_postgresql_judge_it(url: str) -> None:
    found = _results(url)
    outcomes = {name: one.outcome for name, one in found.items()}
    assert outcomes["db.accounts.superusers"] == "met", found["db.accounts.superusers"].reason
    assert outcomes["db.accounts.password_hashes"] == "met"
    assert outcomes["db.accounts.authentication"] == "met"
    assert outcomes["db.grants.public"] == "met", found["db.grants.public"].reason
    assert outcomes["db.audit.statements"] == "not_met"
    assert outcomes["db.accounts.idle_timeout"] == "error", "this stand-in has neither timeout"
    assert "SCRAM-SHA-256$4096" not in "".join(one.evidence for one in found.values())


def test_the_transaction_cannot_write(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUERIES, "grants", "CREATE TABLE written (a int)")
    assert "read-only transaction" in _results(url)["db.grants.public"].reason


def test_tls_is_asked_for_by_the_url(url: str) -> None:
    found = _results(f"{url}?sslmode=require")
    assert "SSL" in found["db.accounts.superusers"].reason, "this server has none"


@pytest.mark.parametrize("given", ["kingbase://test:hidden@127.0.0.1:1/x", "sqlite://", "::", "", "wrong-password"])
def test_what_cannot_be_reached_is_an_error(url: str, given: str) -> None:
    found = _results(url.replace("test:test", "test:hidden") if given == "wrong-password" else given)
    assert {one.outcome for one in found.values()} == {"error"}
    assert "hidden" not in "".join(one.reason for one in found.values())


@pytest.mark.parametrize(
    ("probe", "settings", "outcome"),
    [
        ("db.accounts.lockout", {"sys_audlog.error_user_connect_times": "5"}, "met"),
        ("db.accounts.lockout", {"sys_audlog.error_user_connect_times": "50"}, "partly"),
        ("db.accounts.lockout", {"sys_audlog.error_user_connect_times": "0"}, "not_met"),
        ("db.accounts.password_rules", {"passwordcheck.enable": "on", "passwordcheck.password_length": "10"}, "met"),
        ("db.accounts.password_rules", {"passwordcheck.enable": "on", "passwordcheck.password_length": "6"}, "partly"),
        ("db.accounts.password_rules", {"passwordcheck.enable": "off"}, "not_met"),
        ("db.accounts.password_expiry", {"identity_pwdexp.password_change_interval": "90"}, "met"),
        ("db.accounts.password_expiry", {"identity_pwdexp.password_change_interval": "0"}, "not_met"),
        ("db.accounts.idle_timeout", {"client_idle_timeout": "1800"}, "met"),
        ("db.accounts.idle_timeout", {"client_idle_timeout": "3600"}, "partly"),
        ("db.accounts.idle_timeout", {"client_idle_timeout": "0"}, "not_met"),
        ("db.audit.statements", {"sysaudit.enable": "on"}, "met"),
        ("db.audit.statements", {"sysaudit.enable": "off"}, "not_met"),
    ],
)
def test_parameters_of_its_own(probe: str, settings: dict[str, str], outcome: str) -> None:
    loaded = {"shared_preload_libraries": "liboracle_parser, passwordcheck, sys_audlog, sysaudit"}
    rows = [{"name": name, "setting": value} for name, value in (loaded | settings).items()]
    roles = [{"rolname": "app", "rolsuper": False, "rolcreaterole": False, "rolbypassrls": False, "until": None}]
    made = {"settings": rows, "roles": roles, "hashes": [{"rolname": "app", "kind": "scram-sm3"}]}
    parts = {name: Part(msgspec.json.encode(found).decode()) for name, found in made.items()}
    found = judged(probes()[probe], parts, "kes", "")
    assert found.outcome == outcome, found.reason
