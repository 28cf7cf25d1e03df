"""``compliance probe`` on what database scripts printed, and the scripts themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.compliance import command
from compliance.probes.reading.database_export import SCRIPTS, Engine


@pytest.mark.parametrize("engine", SCRIPTS)
def test_the_script_is_printed_and_only_reads(engine: Engine) -> None:
    told = CliRunner().invoke(command, ["database-script", engine])
    assert told.stdout_bytes == SCRIPTS[engine].read_bytes()
    sql = [line.split("--")[0].strip().upper() for line in told.stdout.splitlines()]
    begins = {line.split()[0] for line in " ".join(sql).replace(";", "\n").splitlines() if line.strip()}
    assert begins <= {"SELECT", "SET", "START", "ROLLBACK"}


def test_a_file(tmp_path: Path) -> None:
    lines = ["liandun|begin|dm|1", "liandun|row|audits|0", "liandun|count|audits|1", "liandun|row|variables|enable_audit|1"]
    (tmp_path / "water.txt").write_text("\n".join([*lines, "liandun|count|variables|1", "liandun|end|dm", ""]))
    told = CliRunner().invoke(command, ["probe", "--dm-export", str(tmp_path / "water.txt"), "--format", "json"])
    outcomes = {one["probe"]: one["outcome"] for one in json.loads(told.stdout)}
    assert outcomes["dm.audit.statements"] == "not_met"
    assert outcomes["dm.lockout.failed_logins"] == "error"
    wrong = CliRunner().invoke(command, ["probe", "--mysql-export", str(tmp_path / "water.txt"), "--lang", "en"])
    assert (wrong.exit_code, "no export by mysql_export.sql" in wrong.stdout) == (1, True)
