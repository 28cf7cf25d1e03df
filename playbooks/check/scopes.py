"""Which variables a step sees: those of the playbook, of each step that opened the branch it stands in, and its own (10.18.1)."""

from __future__ import annotations

from playbooks.check.flow import Flow
from playbooks.check.own_extension import undo_steps
from playbooks.model import Playbook
from playbooks.variables import Scope


def scopes_of(playbook: Playbook, flow: Flow) -> dict[str, Scope]:
    """The variables that each step sees by their names, the nearest declaration of a name. Unreached steps see the playbook's."""
    whole = Scope(playbook.playbook_variables)
    scopes: dict[str, Scope] = {}
    for key, region in flow.region.items():  # an opener is always reached before its branches
        scopes[key] = scopes.get(region.opener, whole).within(playbook.workflow[key].step_variables)
    owners = undo_steps(playbook)
    for key, step in playbook.workflow.items():
        if key not in scopes:
            scopes[key] = scopes.get(owners.get(key, ""), whole).within(step.step_variables)
    return scopes
