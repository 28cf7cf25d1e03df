"""``./liandun playbook``: CACAO 2.0 playbooks as files (docs/playbooks.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from cli.playbook_host_keys import host_keys_command
from cli.playbook_rules import rule_problems
from cli.playbook_run import run_command
from cli.playbook_secrets import secret_group
from cli.playbook_signatures import sign_command, verify_command
from cli.terminal import visible
from kernel.errors import LiandunError
from playbooks.check import check, is_right
from playbooks.model import Playbook
from playbooks.problems import PlaybookError, Problem
from playbooks.reading import MAX_BYTES, read

MOST_SHOWN = 100


@click.group()
def command() -> None:
    """Playbooks of CACAO 2.0: check, run, sign and verify them; secrets that they name (docs/playbooks.md)."""


for _command in (run_command, host_keys_command, secret_group, sign_command, verify_command):
    command.add_command(_command)


class _Checked(msgspec.Struct, frozen=True):
    file: Path
    playbook: Playbook | None
    problems: list[Problem]

    @property
    def right(self) -> bool:
        return self.playbook is not None and is_right(self.problems)


@command.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--draft", is_flag=True, help="What is only missing yet is a warning.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def check_files(files: tuple[Path, ...], draft: bool, form: str) -> None:
    """Say everything that is wrong with each playbook FILE; exit 1 where one cannot run.

    Playbooks that a playbook runs are looked for among the FILEs. Needs no platform and changes nothing.
    """
    checked = _check_all(files, draft)
    if form == "json":
        click.echo(json.dumps([_as_json(one) for one in checked], ensure_ascii=False, indent=2))
    else:
        for one in checked:
            _print(one)
    if not all(one.right for one in checked):
        raise click.exceptions.Exit(1)


def _check_all(files: Sequence[Path], draft: bool) -> list[_Checked]:
    opened = [_open(file) for file in files]
    known: dict[str, list[Playbook]] = {}
    for one in opened:
        if one.playbook is not None and one.playbook.id:
            known.setdefault(one.playbook.id, []).append(one.playbook)
    return [
        one if one.playbook is None else _Checked(one.file, one.playbook, _problems(one.playbook, draft, known)) for one in opened
    ]


def _problems(playbook: Playbook, draft: bool, known: Mapping[str, Sequence[Playbook]]) -> list[Problem]:
    """What the check says, and what compiles rules, of which the check knows only the form."""
    problems = check(playbook, draft=draft, known_playbooks=known)
    told = {problem.path for problem in problems}
    rules = [problem for problem in rule_problems(playbook) if problem.path not in told]
    return sorted([*problems, *rules], key=lambda problem: problem.severity != "error")


def _open(file: Path) -> _Checked:
    try:
        with file.open("rb") as opened:
            return _Checked(file, read(opened.read(MAX_BYTES + 1)), [])
    except PlaybookError as error:
        return _Checked(file, None, error.problems)
    except OSError as error:
        raise LiandunError(f"{file} cannot be read: {error.strerror}") from error


def _print(checked: _Checked) -> None:
    playbook, problems = checked.playbook, checked.problems
    errors = sum(problem.severity == "error" for problem in problems)
    counts = f"{_number(errors, 'error')}, {_number(len(problems) - errors, 'warning')}"
    if playbook is None:
        click.echo(visible(f"{checked.file}: cannot be read: {_number(errors, 'error')}"))
    else:
        verdict = "right" if checked.right else "wrong"
        click.echo(visible(f"{checked.file}: {verdict}: {playbook.name}: {_number(len(playbook.workflow), 'step')}; {counts}"))
    for problem in problems[:MOST_SHOWN]:
        place = f"{problem.path}: " if problem.path else ""
        hint = f" ({problem.hint})" if problem.hint else ""
        click.echo(visible(f"  {problem.severity}: {place}{problem.message}{hint}"))
    if len(problems) > MOST_SHOWN:
        click.echo(f"  and {len(problems) - MOST_SHOWN} more")


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _as_json(checked: _Checked) -> dict[str, Any]:
    playbook = checked.playbook
    return {
        "file": str(checked.file),
        "right": checked.right,
        "id": playbook.id if playbook else None,
        "name": playbook.name if playbook else None,
        "modified": playbook.modified if playbook else None,
        "steps": len(playbook.workflow) if playbook else None,
        "problems": [msgspec.to_builtins(problem) for problem in checked.problems],
    }
