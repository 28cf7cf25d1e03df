"""The form of one step in the editor: what stands in it, and what its buttons do to the document."""

from __future__ import annotations

from typing import Any

import msgspec
from werkzeug.datastructures import MultiDict

from operations.errors import Invalid
from playbooks import editing
from playbooks.actions.parameters import LOOKING
from playbooks.json_text import read_json, write_json
from playbooks.model import Action, Command, Playbook, PlaybookAction, Step, SwitchCondition
from soc_ui.numbers import row_id
from soc_ui.playbooks.chart import MOST_DRAWN
from soc_ui.playbooks.titles import Titles, step_kind, variable_title

WAY = "way."
"""Beginning of the names of inputs that say where a step leads."""


class StepForm(msgspec.Struct, frozen=True, kw_only=True):
    """What the form shows.

    steps     all steps of the playbook: id and title
    ways      property → id of the step that it leads to, "" = to none
    agents    those that may be chosen: id and name; empty where the step has none
    command   of its first command, None where it has none, or one that is kept in base64 and is no query or rule
    condition None where its kind has none
    switch    variable by whose value it goes on, ``__kind__:value``, None where its kind has none; ``cases`` value and step
    playbook_id  of the playbook that it runs, None where its kind runs none; with it ``playbook_version``
    variables of the playbook: name and title
    names     those that are handed over and given back, by property
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
    switch: str | None
    cases: list[tuple[str, str]]
    playbook_id: str | None
    playbook_version: str
    variables: list[tuple[str, str]]
    names: dict[str, list[str]]
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
        switch=step.switch if isinstance(step, SwitchCondition) else None,
        cases=list(step.cases.items()) if isinstance(step, SwitchCondition) else [],
        playbook_id=step.playbook_id if isinstance(step, PlaybookAction) else None,
        playbook_version=step.playbook_version if isinstance(step, PlaybookAction) else "",
        variables=_variables(titles, step),
        names={"in_args": step.in_args, "out_args": step.out_args} if isinstance(step, PlaybookAction) else {},
        can_add=bool(ways),
    )


def _variables(titles: Titles, step: Step) -> list[tuple[str, str]]:
    """Those of the playbook, and those that the step names besides."""
    if not isinstance(step, SwitchCondition | PlaybookAction):
        return []
    named = [*step.in_args, *step.out_args] if isinstance(step, PlaybookAction) else []
    known = dict.fromkeys([*titles.playbook.playbook_variables, *step.step_variables, *named])
    return [(name, titles.variable(name) or variable_title(name)) for name in known]


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
        document = editing.change(
            document, step_id, texts, ways, form.get("step.command"),
            cases=_cases(form) if "cases" in form else None,
            names={name: form.getlist(name) for name in editing.LISTS} if "names" in form else None,
        )  # fmt: skip
    return write_json(document).decode(), step_id


def _cases(form: MultiDict[str, str]) -> list[tuple[str, str]]:
    """The rows of cases, the empty last one, too."""
    count = min(form.get("cases", 0, row_id), editing.MOST_CASES + 1)
    return [(form.get(f"case.{place}.value", "").strip(), form.get(f"case.{place}.to", "")) for place in range(count)]
