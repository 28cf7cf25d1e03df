"""The whole platform with its state in PostgreSQL: one file in the data directory says so, every role and command follows."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from kernel.db import open_database
from kernel.errors import StoreError
from kernel.layout import Layout
from operations.alerts import service as alerts
from tests.postgresql_server import running_postgresql
from tests.system.platform import ROOT, Platform, wait_until


@pytest.fixture
def url(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgresql(shared, tmp_path_factory.mktemp("pg")) as server:
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE liandun"))
        engine.dispose()
        yield server.removesuffix("postgres") + "liandun"


def write_url(data: Path, url: str, mode: int = 0o600) -> None:
    data.mkdir(parents=True, exist_ok=True)
    path = data / "state.url"
    path.write_text(url + "\n", "utf-8")
    path.chmod(mode)


def liandun(data: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANDUN_DATA": str(data)}
    command = [sys.executable, "-m", "cli", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_roles_console_and_commands_use_the_server(url: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_url(data, url)
    platform = Platform(data, "--demo", "--speed", "8")
    platform.start(120)
    try:
        with closing(open_database(url)) as database:

            def an_alert_is_there() -> bool:
                with database.read() as session:
                    return alerts.latest_id(session) > 0

            wait_until(an_alert_is_there, 120, "an alert in PostgreSQL")
        with urllib.request.urlopen(f"http://127.0.0.1:{platform.console_port}/setup", timeout=20) as page:
            assert page.status == 200
        liandun(data, "audit", "verify")
        key, public = tmp_path / "officer.pem", tmp_path / "officer.pub"
        liandun(data, "crypto", "keygen", "--out", str(key), "--public", str(public), "--scheme", "plain")
        sealed = [str(tmp_path / "state.sealed"), "--keys", str(tmp_path / "keys.sealed"), "--to", str(public)]
        liandun(data, "backup", "create", *sealed)
        assert "in order" in liandun(data, "backup", "verify", sealed[0], "--key", str(key))
    finally:
        platform.stop()
    assert not (data / "state.db").exists()


def test_a_url_that_others_may_read_is_refused(tmp_path: Path) -> None:
    write_url(tmp_path, "postgresql+psycopg://liandun:secret@127.0.0.1/liandun", 0o644)
    with pytest.raises(StoreError, match="chmod 600") as told:
        _ = Layout(tmp_path).state_url
    assert "secret" not in str(told.value)
