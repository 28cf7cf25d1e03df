"""``./liandun accounts`` on the host."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.accounts import command
from kernel.db import Database
from kernel.layout import Layout
from operations.accounts import links
from operations.accounts.models import Factor
from operations.accounts.service import create_user
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from tests.state_database import migrated

PASSWORD = "Correct-Horse-7"


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return migrated(Layout(tmp_path).create().state_url)


def run(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(tmp_path)])


def test_links_are_made_for_powers_that_nobody_holds(tmp_path: Path, database: Database) -> None:
    create_user(database, SYSTEM, "sys", PASSWORD, "sysadmin")
    done = run(tmp_path, "links")
    assert done.exit_code == 0
    made = dict(re.findall(r"^(\w+) +\S+/setup\?token=(\S+)$", done.output, re.MULTILINE))
    assert sorted(made) == ["auditadmin", "secadmin"]
    assert links.redeem(database, made["secadmin"], "sec", PASSWORD, "").role == "secadmin"
    assert links.redeem(database, made["auditadmin"], "aud", PASSWORD, "").role == "auditadmin"
    assert "every power is held" in run(tmp_path, "links").output
    with database.read() as session:
        entries = audit.listing(session, action="setup.token").entries
    assert all(entry.actor.startswith("host:") for entry in entries)


def test_the_only_administrator_who_lost_everything(tmp_path: Path, database: Database) -> None:
    made = create_user(database, SYSTEM, "sys", PASSWORD, "sysadmin")
    with database.write() as session:
        session.add(Factor(user_id=made.id, kind="totp", name="", material="x", created_at="2026-11-01T00:00:00.000000Z"))
    assert "1 second factors" in run(tmp_path, "list").output
    assert run(tmp_path, "reset-factor", "SYS").exit_code == 0
    assert "0 second factors" in run(tmp_path, "list").output
    assert run(tmp_path, "reset-factor", "nobody").exit_code != 0
    with database.read() as session:
        assert audit.listing(session, action="account.reset").entries[0].object_id == "sys"


def test_a_folder_without_a_platform_is_told(tmp_path: Path) -> None:
    assert "holds no platform" in str(run(tmp_path, "list").exception)
