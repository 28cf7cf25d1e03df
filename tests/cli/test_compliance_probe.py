"""``liandun compliance probe`` as people call it; hosts by SSH are in tests/compliance/probes/test_linux_hosts.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crypto.sm3 import sm3
from kernel.layout import Layout
from tests.operations.accounts.ldap_server import SLAPD, LdapServer
from tests.postgresql_server import running_postgresql
from tests.state_database import migrated

ROOT = Path(__file__).resolve().parents[2]
DEVICES = ROOT / "tests" / "compliance" / "probes" / "devices"


def run(*words: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "cli", *words]
    return subprocess.run(
        line, input=given, capture_output=True, text=True, cwd=ROOT, timeout=120, env={**os.environ, **environment}
    )


def test_devices_as_a_table_and_as_json() -> None:
    files = [word for kind in ("hard", "weak") for word in ("--config-file", str(DEVICES / f"cisco-{kind}.cfg"))]
    table = run("compliance", "probe", *files, "--dialect", "cisco")
    assert table.returncode == 1
    for word in ("cisco-hard.cfg\n", "cisco-weak.cfg\n", "不符合：", "待确认", "复核: ", "netdev.config.snmp  8.1.4.1.c 8.1.4.2.b"):
        assert word in table.stdout
    english = run("compliance", "probe", *files[2:], "--dialect", "cisco", "--lang", "en", "--probe", "netdev.config.lockout")
    assert "not met: 5 failed logins or fewer lock [found: failed logins lock nothing] (to be confirmed)" in english.stdout
    assert "by hand: " in english.stdout
    found = json.loads(run("compliance", "probe", *files, "--dialect", "cisco", "--format", "json").stdout)
    assert {one["target"]: 0 for one in found} == {"cisco-hard.cfg": 0, "cisco-weak.cfg": 0}
    assert all(one["sm3"] == sm3(one["evidence"].encode()).hex() for one in found)
    assert set(found[0]) >= {"probe", "items", "target", "outcome", "reason", "reason_zh", "evidence", "reproduce", "at"}
    assert "Secret" not in json.dumps(found)


def test_all_is_met_or_it_is_told_by_the_exit_code() -> None:
    good = run("compliance", "probe", "--config-file", str(DEVICES / "h3c-hard.cfg"), "--dialect", "h3c")
    assert good.returncode == 0, good.stdout
    assert "符合 13" in good.stderr
    closed = run("compliance", "probe", "--tls", "127.0.0.1:1", "--lang", "en")
    assert closed.returncode == 1
    assert "127.0.0.1:1 does not answer" in closed.stdout


@pytest.mark.skipif(SLAPD is None, reason="no slapd: apt-get install slapd ldap-utils")
def test_a_directory_behind_a_secret(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data").create()
    database = migrated(layout.state_url)
    database.close()
    with LdapServer(tmp_path) as server:
        url = f"ldaps://cn%3Dadmin%2Cdc%3Dcity%2Cdc%3Dtest:search-secret@127.0.0.1:{server.tls_port}/dc=city,dc=test"
        kept = run("playbook", "secret", "set", "city-ldap", given=url, LIANDUN_DATA=str(layout.root))
        assert kept.returncode == 0, kept.stderr
        words = ("--ldap", "city-ldap", "--ca-file", str(server.ca), "--lang", "en")
        found = run("compliance", "probe", *words, LIANDUN_DATA=str(layout.root))
    assert found.returncode == 1, found.stderr
    assert "partly: anonymous binds are refused" in found.stdout
    assert "search-secret" not in found.stdout + found.stderr


def test_findings_of_an_object() -> None:
    words = ("--config-file", str(DEVICES / "h3c-weak.cfg"), "--dialect", "h3c", "--format", "findings", "--object", "7")
    found = {one["item_id"]: one for one in json.loads(run("compliance", "probe", *words).stdout)}
    assert (found["8.1.4.1.b"]["verdict"], found["8.1.4.1.b"]["object_id"]) == ("not_met", 7)
    assert set(found["8.1.4.1.b"]) == {"item_id", "object_id", "verdict", "reason", "evidence", "reproduce", "at"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "nothing to look at"),
        (["host"], "--key-secret"),
        (["host", "--key-secret", "k", "--user", "-oProxyCommand=x"], "--user"),
        (["--config-file", str(DEVICES / "h3c-hard.cfg")], "--dialect"),
        (["--tls", "host"], "no port"),
        (["--tls", "a:1", "--tls", "b:1", "--format", "findings"], "one object"),
        (["--local", "--probe", "no.such"], "no probe"),
    ],
)
def test_wrong_usage(words: list[str], why: str) -> None:
    told = run("compliance", "probe", *words)
    assert (told.returncode, why in told.stderr) == (2, True), told.stderr


def test_a_database_by_the_name_of_a_secret(shared: Path, tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data").create()
    database = migrated(layout.state_url)
    database.close()
    (tmp_path / "pg").mkdir()
    with running_postgresql(shared, tmp_path / "pg") as url:
        plain = url.replace("+psycopg", "")
        set_it = run("playbook", "secret", "set", "city-db", given=plain, LIANDUN_DATA=str(layout.root))
        assert set_it.returncode == 0, set_it.stderr
        told = run("compliance", "probe", "--postgresql", "city-db", "--format", "json", LIANDUN_DATA=str(layout.root))
        missing = run("compliance", "probe", "--postgresql", "other", LIANDUN_DATA=str(layout.root))
    outcomes = {one["probe"]: one["outcome"] for one in json.loads(told.stdout)}
    assert (outcomes["db.accounts.superusers"], outcomes["db.audit.statements"]) == ("met", "not_met")
    assert "test:test" not in told.stdout + told.stderr
    assert missing.returncode == 1
    assert "there is no secret" in missing.stdout


def test_a_host_without_known_hosts_is_not_reached(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data").create()
    database = migrated(layout.state_url)
    database.close()
    told = run("compliance", "probe", "10.99.0.1", "--key-secret", "k", LIANDUN_DATA=str(layout.root))
    assert (told.returncode, "known_hosts" in told.stderr) == (2, True)


def test_the_platform_itself(tmp_path: Path) -> None:
    assert "there is no platform" in run("compliance", "probe", "--platform", "--data", str(tmp_path / "none")).stderr
    database = migrated(Layout(tmp_path / "data").create().state_url)
    database.close()
    data = ("--data", str(tmp_path / "data"), "--format", "json")
    found = {one["probe"]: one for one in json.loads(run("compliance", "probe", "--platform", *data).stdout)}
    assert (found["app.auth.lockout"]["outcome"], found["soc.rbac.powers"]["outcome"]) == ("met", "not_met")
    assert "nobody is audit administrator" in found["soc.rbac.powers"]["reason"]
    assert found["soc.analytics.engines"]["outcome"] == "error"
    assert {one["target"] for one in found.values()} == {"platform"}
