"""Which variables a step sees: those of the playbook, of each step that opened the branch it stands in, and its own (10.18.1)."""

from __future__ import annotations

from playbooks.check.flow import Flow
from playbooks.check.own_extension import undo_steps
from playbooks.check.report import Scope
from playbooks.model import Playbook, Variable


def scopes_of(playbook: Playbook, flow: Flow) -> dict[str, Scope]:
    """The variables that each step sees by their names, the nearest declaration of a name. Unreached steps see the playbook's."""
    inside: dict[str, Scope] = {"": playbook.playbook_variables}
    scopes: dict[str, Scope] = {}
    for key, region in flow.region.items():  # an opener is always reached before its branches
        around = inside.get(region.opener, playbook.playbook_variables)
        scopes[key] = inside[key] = _within(around, playbook.workflow[key].step_variables)
    owners = undo_steps(playbook)
    for key, step in playbook.workflow.items():
        if key not in scopes:
            around = scopes.get(owners.get(key, ""), playbook.playbook_variables)
            scopes[key] = _within(around, step.step_variables)
    return scopes


def _within(around: Scope, own: dict[str, Variable]) -> Scope:
    return {**around, **own} if own else around
