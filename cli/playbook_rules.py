"""Sigma and YARA rules in playbooks, compiled as the platform would: for the check of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from detectors.yara_apart import names_apart
from kernel.errors import RuleError
from playbooks import yara_text
from playbooks.model import Action, Playbook
from playbooks.problems import Problem
from playbooks.references import names_within


def rule_problems(playbook: Playbook) -> Iterator[Problem]:
    """Rules that cannot be looked for. Those that hold variables are another rule in each run: only a dry run knows them."""
    for key, step in playbook.workflow.items():
        for place, command in enumerate(step.commands if isinstance(step, Action) else ()):
            if command.type not in _PROBLEMS:
                continue
            name = "command" if command.command else "command_b64"
            try:
                text = command.text()
            except ValueError:
                continue  # told by the check
            if text.strip() and not names_within(text) and (problem := _PROBLEMS[command.type](text)):
                path = f"workflow.{key}.commands[{place}].{name}"
                yield Problem(path=path, message=problem, hint=_HINTS.get(command.type, ""), step=key)


def _sigma(text: str) -> str:
    from detectors.sigma.hunt import Hunt  # what reads Sigma rules takes half a second to load, and most playbooks have none

    try:
        Hunt(text)
    except RuleError as error:
        return error.message
    return ""


def _yara(text: str) -> str:
    if problem := yara_text.mistake(text):
        return problem
    try:
        names_apart(text)
    except RuleError as error:
        return error.message
    return ""


_PROBLEMS: dict[str, Callable[[str], str]] = {"sigma": _sigma, "yara": _yara}
_HINTS = {"sigma": "./liandun rules lint says more"}
