"""``./liandun audit`` from the outside."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from cli.audit import KEY_VARIABLE
from kernel.db import open_database
from kernel.errors import LiandunError
from kernel.layout import Layout
from operations.accounts import keys
from operations.accounts import service as accounts
from operations.accounts.schema import Principal
from operations.audit.schema import SYSTEM
from tests.state_database import migrated


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A platform with an administrator and an analyst: a few entries."""
    made = Layout(tmp_path / "data").create()
    database = migrated(made.state_url)
    for name, role in (("lin.mei", "auditadmin"), ("wang.wu", "analyst")):
        accounts.create_user(database, SYSTEM, name, f"Correct-Horse-{role}-7", role)
    database.close()
    return made


def audit(layout: Layout, *arguments: str | Path, environment: dict[str, str] | None = None) -> Result:
    command = ["audit", *map(str, arguments), "--data", str(layout.root)]
    return CliRunner().invoke(main, command, catch_exceptions=False, standalone_mode=False, env=environment)


def run(layout: Layout, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """As a process of its own, for exit codes."""
    command = [sys.executable, "-m", "cli", "audit", *map(str, arguments), "--data", str(layout.root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def spoil(layout: Layout, statement: str) -> None:
    with closing(sqlite3.connect(layout.state_file)) as plain:
        plain.execute("DROP TRIGGER audit_entries_no_update")
        plain.execute(statement)
        plain.commit()


def test_sound_and_then_bent(layout: Layout) -> None:
    assert "#" not in audit(layout, "heads", "--sign").output
    sound = run(layout, "verify")
    assert (sound.returncode, sound.stdout.splitlines()[-1]) == (0, "sound")
    told = json.loads(run(layout, "verify", "--json").stdout)
    assert (told["ok"], told["checked"], told["heads"]) == (True, 3, 1)  # the first verification is an entry
    assert run(layout, "verify", "--key", told["key"]).returncode == 0
    assert run(layout, "verify", "--key", "0" * 32).returncode == 1
    spoil(layout, "UPDATE audit_entries SET actor = 'mallory' WHERE id = 2")
    bent = run(layout, "verify")
    assert bent.returncode == 1
    assert "entry 2: its content was changed" in bent.stdout
    assert "entry 2: its content was changed" in bent.stderr
    told = json.loads(run(layout, "verify", "--json").stdout)
    assert (told["ok"], told["bad_id"], told["checked"]) == (False, 2, 1)


def test_read_only_leaves_everything_as_it_is(layout: Layout) -> None:
    audit(layout, "heads", "--sign")
    before = layout.state_file.read_bytes(), layout.audit_heads.read_bytes()
    assert run(layout, "verify", "--read-only").returncode == 0
    assert (layout.state_file.read_bytes(), layout.audit_heads.read_bytes()) == before


def test_since_a_time_and_since_an_entry(layout: Layout) -> None:
    audit(layout, "heads", "--sign")
    for since in ("2", "9999-01-01"):
        assert json.loads(audit(layout, "verify", "--since", since, "--json").output)["since"] == 2
    with pytest.raises(LiandunError, match="no head"):
        audit(layout, "verify", "--since", "1999-01-01T00:00:00Z")
    assert run(layout, "verify", "--since", "soon").returncode == 2


def test_an_export_verifies_with_its_own_script_and_covers_itself(layout: Layout, tmp_path: Path) -> None:
    target = tmp_path / "trail.zip"
    assert audit(layout, "verify", "--export", target).exit_code == 0
    with zipfile.ZipFile(target) as bundle:
        (tmp_path / "verify.py").write_bytes(bundle.read("verify.py"))
        acts = [json.loads(line)["action"] for line in bundle.read("entries.jsonl").splitlines()]
    assert acts == ["account.create", "account.create", "audit.verify", "audit.export"]
    done = subprocess.run([sys.executable, "-I", "-S", tmp_path / "verify.py", target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sound: entries 1 to 4" in done.stdout
    proof = tmp_path / "proof.json"
    proof.write_text(audit(layout, "prove", "2", "--json").stdout)
    command = [sys.executable, "-I", "-S", tmp_path / "verify.py", "--proof", proof]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    with pytest.raises(Exception, match="no signed head covers entry 99"):
        audit(layout, "prove", "99")


def test_heads_kept_elsewhere_tell_a_rollback_of_everything(layout: Layout, tmp_path: Path) -> None:
    audit(layout, "heads", "--sign")
    before = {path: path.read_bytes() for path in (layout.state_file, layout.audit_heads)}
    audit(layout, "verify")
    audit(layout, "heads", "--sign")
    kept = tmp_path / "received.log"
    head = layout.audit_heads.read_bytes().splitlines()[-1]
    kept.write_bytes(b"Nov 26 01:00:00 collector liandun[1]: " + head)
    for path, content in before.items():
        path.write_bytes(content)
    for suffix in ("-wal", "-shm"):
        layout.state_file.with_name(layout.state_file.name + suffix).unlink(missing_ok=True)
    assert run(layout, "verify", "--read-only").returncode == 0
    found = json.loads(run(layout, "verify", "--read-only", "--heads", kept, "--json").stdout)
    assert (found["bad_id"], found["place"]) == (3, "rollback")


def test_rotating_the_key(layout: Layout) -> None:
    assert "key 2" in audit(layout, "rotate-key").output
    told = json.loads(audit(layout, "heads", "--json").output)
    assert [key["number"] for key in told["keys"]] == [1, 2]
    assert audit(layout, "verify").exit_code == 0


def test_purging_needs_the_key_of_somebody_with_the_audit_power(layout: Layout) -> None:
    database = open_database(layout.state_url)
    tokens = {}
    with database.write() as session:
        for number, (name, role) in enumerate((("lin.mei", "auditadmin"), ("wang.wu", "analyst")), 1):
            tokens[role] = keys.create_key(session, Principal(number, name, "", role), "purge", "write", 1)[1]
    database.close()
    for token in ("ldn_unknown", tokens["analyst"]):
        with pytest.raises(LiandunError, match=r"unknown|audit\.retain"):
            audit(layout, "purge", "--older-than", "200d", environment={KEY_VARIABLE: token})
    with pytest.raises(LiandunError, match="fewer than 180"):
        audit(layout, "purge", "--older-than", "30d", environment={KEY_VARIABLE: tokens["auditadmin"]})
    done = audit(layout, "purge", "--older-than", "200d", environment={KEY_VARIABLE: tokens["auditadmin"]})
    assert "0 entries older than 200 days removed" in done.output
    assert run(layout, "purge", "--older-than", "200").returncode == 2


def test_a_data_directory_without_a_platform(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no platform in this data directory"):
        audit(Layout(tmp_path / "none"), "verify")
    assert not (tmp_path / "none").exists()
