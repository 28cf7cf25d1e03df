"""The form of one step in the editor: what stands in it, and what its buttons do to the document."""

from __future__ import annotations

from typing import Any

import msgspec
from werkzeug.datastructures import MultiDict

from operations.errors import Invalid
from playbooks import editing
from playbooks.actions.parameters import LOOKING
from playbooks.json_text import read_json, write_json
from playbooks.model import Action, Command, Playbook
from soc_ui.playbooks.chart import MOST_DRAWN
from soc_ui.playbooks.titles import Titles, step_kind

WAY = "way."
"""Beginning of the names of inputs that say where a step leads."""


class StepForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the form shows.

    steps     all steps of the playbook: id and title
    ways      property → id of the step that it leads to, "" = to none
    agents    those that may be chosen: id and name; empty where the step has none
    command   of its first command, None where it has none, or one that is kept in base64 and is no query or rule
    condition None where its kind has none
    """

    step_id: str
    kind: str
    name: str
    description: str
    steps: list[tuple[str, str]]
    ways: dict[str, str]
    agents: list[tuple[str, str]]
    agent: str
    command: str | None
    condition: str | None
    can_add: bool


def form_of(playbook: Playbook, step_id: str) -> StepForm | None:
    """The form of a step; of the first one where there is no such step; None where there are none, or too many to choose from."""
    if not 0 < len(playbook.workflow) <= MOST_DRAWN:
        return None
    if step_id not in playbook.workflow:
        step_id = next(iter(playbook.workflow))
    titles, step = Titles(playbook), playbook.workflow[step_id]
    ways = editing.WAYS.get(step.type, ())
    is_action = isinstance(step, Action)
    return StepForm(
        step_id=step_id,
        kind=step_kind(step),
        name=step.name,
        description=step.description,
        steps=[(one, titles.step(one)) for one in playbook.workflow],
        ways={name: getattr(step, name, "") for name in ways},
        agents=[(one, titles.party(one)) for one in playbook.agent_definitions] if is_action else [],
        agent=step.agent if isinstance(step, Action) else "",
        command=_command_of(step.commands[0]) if isinstance(step, Action) and step.commands else None,
        condition=getattr(step, "condition", None),
        can_add=bool(ways),
    )


def _command_of(command: Command) -> str | None:
    if command.type not in LOOKING:
        return command.command or None
    try:
        return command.text() or None
    except ValueError:  # no base64 of a text: the check says so
        return None


def applied(text: str, form: MultiDict[str, str]) -> tuple[str, str]:
    """The document after the button ``act`` (open, apply, add, remove), and the step to show. Raises PlaybookError, Invalid."""
    act, step_id = form.get("act", ""), form.get("step", "")
    if act == "open":
        return text, step_id
    document: Any = read_json(text.encode("utf-8", "replace"))
    if not isinstance(document, dict):
        raise Invalid("no playbook: a JSON object is wanted", field="document")
    step_id = form.get("shown", "")
    if act == "add":
        document, step_id = editing.add(document, step_id, form.get("kind", ""))
    elif act == "remove":
        document = editing.remove(document, step_id)
    else:
        texts = {name: form[f"step.{name}"] for name in editing.TEXTS if f"step.{name}" in form}
        ways = {name.removeprefix(WAY): target for name, target in form.items() if name.startswith(WAY)}
        document = editing.change(document, step_id, texts, ways, form.get("step.command"))
    return write_json(document).decode(), step_id
