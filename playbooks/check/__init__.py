"""Everything that is wrong with a playbook, before it runs.

The published schemas let nearly every mistake pass (docs/playbooks.md lists them); here each concern has a file of its own. All of
it takes time linear in the size of the playbook. In the strict mode an error is whatever keeps the playbook from running rightly;
in the draft mode what is only missing yet is a warning, so that half a playbook can be saved and opened again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from playbooks.check.commands import check_commands
from playbooks.check.conditions import check_conditions
from playbooks.check.document import check_document
from playbooks.check.flow import check_flow
from playbooks.check.own_extension import check_own_extension
from playbooks.check.parties import check_parties
from playbooks.check.properties import check_properties
from playbooks.check.report import Report
from playbooks.check.scopes import scopes_of
from playbooks.check.secrets import check_secrets
from playbooks.check.steps import check_steps
from playbooks.check.subplaybooks import check_subplaybooks
from playbooks.check.translations import check_translations
from playbooks.check.variables import check_variables
from playbooks.model import Playbook
from playbooks.problems import Problem
from playbooks.shapes import Found, walk

__all__ = ["check", "is_right"]


def check(
    playbook: Playbook,
    *,
    draft: bool = False,
    known_playbooks: Mapping[str, Sequence[Playbook]] | None = None,
    own_commands: Collection[str] | None = None,
    now: datetime | None = None,
) -> list[Problem]:
    """All problems, errors first.

    ``known_playbooks``: the versions of each playbook that a playbook-action may name; without it they are not looked up.
    ``own_commands``: kinds of commands beyond the standard's that have an action; without it every ``liandun-…`` counts.
    ``now`` decides over valid_from and valid_until.
    """
    report = Report(draft=draft)
    objects = [found for found in walk(playbook.raw) if isinstance(found, Found)]
    check_properties(objects, report)
    check_document(playbook, objects, report, now or datetime.now(UTC))
    check_steps(playbook, report)
    flow = check_flow(playbook, report)
    scopes = scopes_of(playbook, flow)
    check_variables(playbook, report, scopes)
    check_conditions(playbook, report, scopes)
    check_own_extension(playbook, report)
    check_translations(playbook, report)
    check_parties(playbook, report)
    check_commands(playbook, report, own_commands)
    check_secrets(playbook, report)
    check_subplaybooks(playbook, report, known_playbooks)
    return sorted(report.problems, key=lambda problem: problem.severity != "error")


def is_right(problems: Sequence[Problem]) -> bool:
    """Whether nothing keeps the playbook from running: there may be warnings."""
    return all(problem.severity != "error" for problem in problems)
