"""A real MariaDB as it comes, in a mess, and hardened, by what the script prints there; MySQL 8 by lines of the same form."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.probes.contract import Probe
from compliance.probes.reading.database_export import SCRIPTS, DatabaseExport, printed
from compliance.probes.registry import of_source, probes
from compliance.probes.result import Result, judged
from compliance.probes.run import run
from kernel.errors import LiandunError
from kernel.programs.time_left import Deadline
from tests.mariadb_server import Client, running_mariadb

_SCRIPT = SCRIPTS["mysql"].read_text("utf-8")
_AS_IT_COMES = {
    "mysql.accounts.anonymous": "met",
    "mysql.accounts.default_account": "met",
    "mysql.accounts.empty_passwords": "met",
    "mysql.audit.statements": "not_met",
    "mysql.encryption.transport": "not_applicable",  # nobody comes from afar
    "mysql.grants.privileges": "met",
    "mysql.grants.sources": "met",
    "mysql.lockout.failed_logins": "not_met",
    "mysql.passwords.ageing": "not_applicable",
    "mysql.passwords.complexity": "not_met",
    "mysql.passwords.hashes": "met",
    "mysql.services.server_files": "not_met",
    "mysql.session.idle_timeout": "not_met",
}
_MESS = """
CREATE DATABASE test;
CREATE USER root@'%' IDENTIFIED BY 'x';
CREATE USER app@'%' IDENTIFIED BY '';
GRANT SUPER, FILE ON *.* TO app@'%';
CREATE USER ''@localhost;
"""
_IN_A_MESS = {
    "mysql.accounts.anonymous": "not_met",
    "mysql.accounts.default_account": "not_met",
    "mysql.accounts.empty_passwords": "not_met",
    "mysql.encryption.transport": "not_met",  # no certificate
    "mysql.grants.privileges": "not_met",
    "mysql.grants.sources": "partly",
    "mysql.lockout.failed_logins": "not_met",
    "mysql.passwords.ageing": "not_met",
    "mysql.passwords.hashes": "partly",
}
_HARD = (
    "--plugin-load-add=server_audit", "--server-audit-logging=ON", "--server-audit-output-type=syslog",
    "--plugin-load-add=simple_password_check", "--plugin-load-add=auth_ed25519", "--max-password-errors=5",
    "--default-password-lifetime=90", "--interactive-timeout=900", "--wait-timeout=900", "--require-secure-transport=ON",
    "--local-infile=0", "--secure-file-priv=/var/lib",
)  # fmt: skip


def _results(text: str, folder: Path) -> dict[str, Result]:
    path = folder / "city.txt"
    path.write_text(text)
    return {one.probe: one for one in run([DatabaseExport("city", path, "mysql")], of_source("mysql"), seconds=30)}


def _state(client: Client) -> str:
    return client("SELECT * FROM mysql.global_priv ORDER BY Host, User; SHOW GLOBAL VARIABLES; SHOW DATABASES")


def test_a_real_server_as_it_comes_and_in_a_mess(tmp_path: Path) -> None:
    with running_mariadb() as client:
        before = _state(client)
        found = _results(client(_SCRIPT), tmp_path)
        assert {name: one.outcome for name, one in found.items()} == _AS_IT_COMES, [one.reason for one in found.values()]
        assert _state(client) == before, "nothing changes"
        client(_MESS)
        told = client(_SCRIPT)
        found = _results(told, tmp_path)
        assert {name: one.outcome for name, one in found.items()} == _AS_IT_COMES | _IN_A_MESS, [
            one.reason for one in found.values()
        ]
        hashes = client("SELECT authentication_string FROM mysql.user WHERE authentication_string LIKE '*%'").split()
        assert hashes
        assert not any(one in told for one in hashes), "no hash is printed"


def test_a_real_server_that_was_hardened(tmp_path: Path) -> None:
    with running_mariadb(*_HARD, tls=True) as client:
        client("CREATE USER app@'10.1.%' IDENTIFIED VIA ed25519 USING PASSWORD('Long-Enough-1')")
        found = _results(client(_SCRIPT), tmp_path)
        assert {one.outcome for one in found.values()} == {"met"}, [one.reason for one in found.values() if one.outcome != "met"]


_MYSQL_8 = """
liandun|begin|mysql|1
liandun|row|server|8.0.36|MySQL Community Server - GPL
liandun|count|server|1
{variables}
liandun|row|accounts|%|app|caching_sha2_password|set|N|N|N|-
liandun|row|accounts|localhost|mysql.sys|caching_sha2_password|set|N|N|N|-
liandun|row|accounts|localhost|root|caching_sha2_password|set|Y|Y|Y|-
liandun|count|accounts|3
liandun|row|ages|%|app|30|N|{attempts}
liandun|row|ages|localhost|mysql.sys|-|Y|
liandun|row|ages|localhost|root|-|N|{attempts}
liandun|count|ages|3
liandun|row|plugins|caching_sha2_password
liandun|row|plugins|{component}
liandun|count|plugins|2
liandun|row|databases|mysql
liandun|count|databases|1
liandun|end|mysql
"""


def _mysql_8(component: str = "file://component_validate_password", attempts: str = "5", **variables: str) -> str:
    values = {
        "default_password_lifetime": "60", "interactive_timeout": "1800", "wait_timeout": "1800", "require_secure_transport": "ON",
        "tls_version": "TLSv1.2,TLSv1.3", "local_infile": "OFF", "secure_file_priv": "NULL", "validate_password.policy": "MEDIUM",
        "validate_password.length": "8",
    } | {name.replace("__", "."): value for name, value in variables.items()}  # fmt: skip
    rows = [f"liandun|row|variables|{name}|{value}" for name, value in values.items()]
    return _MYSQL_8.format(
        variables="\n".join([*rows, f"liandun|count|variables|{len(rows)}"]), component=component, attempts=attempts
    )


@pytest.mark.parametrize(
    ("probe", "text", "outcome"),
    [
        ("mysql.accounts.empty_passwords", _mysql_8().replace("set|N", "none|N", 1), "not_met"),
        ("mysql.accounts.default_account", _mysql_8(), "met"),
        ("mysql.passwords.complexity", _mysql_8(), "met"),
        ("mysql.passwords.complexity", _mysql_8(validate_password__policy="LOW"), "partly"),
        ("mysql.passwords.complexity", _mysql_8("cracklib_password_check"), "met"),
        ("mysql.passwords.complexity", _mysql_8("simple_password_check", simple_password_check_minimal_length="6"), "partly"),
        ("mysql.passwords.ageing", _mysql_8(), "met"),
        ("mysql.passwords.ageing", _mysql_8(default_password_lifetime="0"), "partly"),
        ("mysql.passwords.hashes", _mysql_8(), "met"),
        ("mysql.passwords.hashes", _mysql_8().replace("app|caching_sha2_password", "app|mysql_old_password"), "not_met"),
        ("mysql.lockout.failed_logins", _mysql_8(), "met"),
        ("mysql.lockout.failed_logins", _mysql_8(attempts="0"), "not_met"),
        ("mysql.lockout.failed_logins", _mysql_8().replace("root|-|N|5", "root|-|N|"), "partly"),
        ("mysql.lockout.failed_logins", _mysql_8(
            "connection_control", "", connection_control_failed_connections_threshold="3"), "met"),
        ("mysql.lockout.failed_logins", _mysql_8("x", "", max_password_errors="100"), "partly"),
        ("mysql.session.idle_timeout", _mysql_8(wait_timeout="28800"), "partly"),
        ("mysql.encryption.transport", _mysql_8(require_secure_transport="OFF"), "partly"),
        ("mysql.encryption.transport", _mysql_8(tls_version="TLSv1,TLSv1.2"), "not_met"),
        ("mysql.encryption.transport", _mysql_8(skip_networking="ON"), "not_applicable"),
        ("mysql.audit.statements", _mysql_8("audit_log"), "met"),
        ("mysql.audit.statements", _mysql_8(general_log="ON"), "partly"),
        ("mysql.audit.statements", _mysql_8(
            "server_audit", server_audit_logging="ON", server_audit_events="CONNECT"), "partly"),
        ("mysql.grants.sources", _mysql_8(), "partly"),
        ("mysql.grants.privileges", _mysql_8().replace("%|app|", "10.%|app|").replace("set|N", "set|Y", 1), "partly"),
        ("mysql.services.server_files", _mysql_8(local_infile="ON"), "partly"),
        ("mysql.services.server_files", _mysql_8(secure_file_priv=""), "not_met"),
    ],
)  # fmt: skip
def test_mysql_8(probe: str, text: str, outcome: str) -> None:
    found = judged(probes()[probe], printed(text, "mysql", "x"), "city", "")
    assert found.outcome == outcome, found.reason


@pytest.mark.parametrize("probe", of_source("mysql"), ids=lambda one: one.id)
def test_what_was_not_printed_is_an_error(probe: Probe) -> None:
    lines = [line for line in _mysql_8().splitlines() if not line.startswith(f"liandun|row|{probe.reads[0]}|")]
    found = judged(probe, printed("\n".join(lines), "mysql", "x"), "city", "")
    assert found.outcome == "error"
    assert "may lack a right" in found.reason


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no export by mysql_export.sql"),
        ("liandun|begin|dm|1\nliandun|end|dm", "no export"),
        (_mysql_8().partition("liandun|end")[0], "not come to its end"),
        (_SCRIPT, "no export"),
    ],
)
def test_what_is_no_export(text: str, why: str) -> None:
    with pytest.raises(LiandunError, match=why):
        printed(text, "mysql", "city.txt")


def test_tables_that_programs_draw_are_taken_too() -> None:
    drawn = "\n".join(f"| {line} |" if line else line for line in _mysql_8().splitlines())
    plain, framed = printed(_mysql_8(), "mysql", "x"), printed(drawn.replace(" |", ""), "mysql", "x")
    assert framed == plain


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LiandunError, match="No such file"):
        DatabaseExport("x", tmp_path / "none", "mysql").read((), Deadline(1))


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(LiandunError):
        printed(text, "mysql", "x")
    printed(f"liandun|begin|mysql|1\n{text.replace('liandun|', '')}\nliandun|end|mysql", "mysql", "x")
