"""Sigma rules in playbooks, compiled as the platform would: for the check of files."""

from __future__ import annotations

from collections.abc import Iterator

from kernel.errors import RuleError
from playbooks.model import Action, Playbook
from playbooks.problems import Problem
from playbooks.references import names_within


def rule_problems(playbook: Playbook) -> Iterator[Problem]:
    """Rules that cannot be looked for. Those that hold variables are another rule in each run: only a dry run knows them."""
    for key, step in playbook.workflow.items():
        for place, command in enumerate(step.commands if isinstance(step, Action) else ()):
            if command.type != "sigma":
                continue
            name = "command" if command.command else "command_b64"
            try:
                text = command.text()
            except ValueError:
                continue  # told by the check
            if text.strip() and not names_within(text) and (problem := _problem(text)):
                path = f"workflow.{key}.commands[{place}].{name}"
                yield Problem(path=path, message=problem, hint="./liandun rules lint says more", step=key)


def _problem(text: str) -> str:
    from detectors.sigma.hunt import Hunt  # what reads Sigma rules takes half a second to load, and most playbooks have none

    try:
        Hunt(text)
    except RuleError as error:
        return error.message
    return ""
