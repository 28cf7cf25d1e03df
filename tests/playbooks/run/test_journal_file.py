"""Journals as files: one of an earlier version is brought up and gone on with, others are refused and stay as they are."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from kernel.db import open_database, upgrade
from kernel.errors import LiandunError
from playbooks.actions.destination import Reach
from playbooks.actions.registry import standard
from playbooks.run.executor import Executor
from playbooks.run.journal import Wanted
from playbooks.run.journal_file import VERSION, open_journal
from tests.playbooks.run.target import running_target
from tests.playbooks.run.test_approvals import QUICK, asked

ROOT = Path(__file__).resolve().parents[3]
MANUAL = ROOT / "tests" / "playbooks" / "conformance" / "manual.json"
TABLES = ("playbook_documents", "playbook_runs", "playbook_events", "playbook_messages")


def age(path: Path) -> None:
    """As a version before the migrations 0027 (questions) and 0030 (subjects) left it."""
    with closing(sqlite3.connect(path)) as file:
        for line in (
            "DROP TABLE playbook_questions", "DROP INDEX ix_playbook_runs_subject", "ALTER TABLE playbook_runs DROP COLUMN subject",
            "PRAGMA user_version = 0",
        ):  # fmt: skip
            file.execute(line)
        file.commit()


def columns(path: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(path)) as file:
        return sorted(row[1] for row in file.execute(f"PRAGMA table_info({table})"))


def indexes(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as file:
        return {row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")}


def test_an_older_journal_is_gone_on_with(tmp_path: Path) -> None:
    path, new, platform = tmp_path / "run.journal", tmp_path / "new.journal", tmp_path / "state.db"
    open_journal(new).close()
    with running_target() as target:
        database = open_journal(path)
        variables = {"__port__": str(target.port)}
        wanted = Wanted(body=MANUAL.read_bytes(), variables=variables, by="cli:someone", cause={"kind": "cli"})
        with Executor(database, standard(Reach.anywhere()), QUICK) as executor:
            asked(database, executor.submit(wanted))
        database.close()
        age(path)
        then = open_database(f"sqlite:///{platform}")
        upgrade(then, "0023")
        then.close()
        assert [columns(path, table) for table in TABLES] == [columns(platform, table) for table in TABLES]

        command = [
            sys.executable,
            "-m",
            "cli",
            "playbook",
            "run",
            str(MANUAL),
            "--set",
            f"port={target.port}",
            "--journal",
            str(path),
        ]
        done = subprocess.run(command, cwd=ROOT, input="y\nopen\n", capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert target.paths == ["/hit/open"]
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT id, state FROM playbook_runs").fetchall() == [(1, "finished")]
        assert file.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert indexes(path) == indexes(new)
    assert columns(path, "playbook_runs") == columns(new, "playbook_runs")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["PRAGMA user_version = 99"], "written by a newer Liandun"),
        (["CREATE TABLE alembic_version (version_num TEXT)"], "the state database of a platform"),
        (["CREATE TABLE notes (text TEXT)"], "no journal of a playbook run"),
        (["CREATE TABLE playbook_runs (id INTEGER, subject TEXT)"], "no column|no such column|too old"),
    ],
)
def test_files_of_others_are_refused_and_stay_as_they_are(tmp_path: Path, lines: list[str], why: str) -> None:
    path = tmp_path / "file"
    with closing(sqlite3.connect(path)) as file:
        for line in lines:
            file.execute(line)
        file.commit()
        before = file.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    with pytest.raises(LiandunError, match=why):
        open_journal(path)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, " * 100)
    with pytest.raises(LiandunError):
        open_journal(path)
    assert path.read_text() == "these are notes, " * 100


def test_a_new_journal_is_its_owners_alone_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    before = os.umask(0o022)
    try:
        first = open_journal(path)
        with first.write() as session:
            session.execute(text("PRAGMA user_version"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        first.close()
        assert modes["run.journal"] == 0o600
        assert set(modes.values()) == {0o600}
        path.chmod(0o640)
        open_journal(path).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    finally:
        os.umask(before)


def test_a_journal_where_none_can_be_made_says_so(tmp_path: Path) -> None:
    with pytest.raises(LiandunError, match="cannot be made: No such file or directory"):
        open_journal(tmp_path / "missing" / "run.journal")
