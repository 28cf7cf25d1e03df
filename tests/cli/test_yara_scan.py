"""``yara`` commands in files of playbooks: the check compiles them, a dry run says where they would look."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cli.__main__ import main
from playbooks.extension import EXTENSION
from tests.playbooks.documents import FIRST, document, octets

RULE = 'rule shell { strings: $a = "eval($_POST" condition: $a }'


def _file(tmp_path: Path, rule: str) -> Path:
    one = document()
    step = one["workflow"][FIRST]
    step |= {"name": "Scan", "commands": [{"type": "yara", "command_b64": base64.b64encode(rule.encode()).decode()}]}
    step["step_extensions"] = {EXTENSION: {"parameters": {"yara": {"incident": 3}}}}
    del step["targets"]
    one["extension_definitions"] = {
        EXTENSION: {"type": "extension-definition", "name": "x", "created_by": one["created_by"], "schema": "x", "version": "1"}
    }
    file = tmp_path / "scan.json"
    file.write_bytes(octets(one))
    return file


def _cli(*arguments: object) -> Any:
    return CliRunner().invoke(main, ["playbook", *map(str, arguments)])


def test_the_check_compiles_rules(tmp_path: Path) -> None:
    assert _cli("check", _file(tmp_path, RULE)).exit_code == 0
    wrong = _cli("check", _file(tmp_path, RULE.replace("condition: $a", "condition: $b")))
    assert wrong.exit_code == 1
    assert f"workflow.{FIRST}.commands[0].command_b64" in wrong.output
    assert 'undefined string "$b"' in wrong.output


def test_a_dry_run_says_where_it_would_look(tmp_path: Path) -> None:
    told = _cli("run", _file(tmp_path, RULE), "--dry-run", "--set", "ip=192.0.2.1", "--assume", "answer=0").output
    assert "would do: look for shell in evidence of incident 3" in told
    assert "touches: incident 3" in told


def test_a_run_outside_of_the_platform_says_that_it_is_not_done_there(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["playbook", "run", str(_file(tmp_path, RULE)), "--set", "ip=192.0.2.1"], input="n\n")
    assert "yara commands are carried out by the platform only; these steps will fail here: Scan" in told.output
