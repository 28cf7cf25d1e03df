"""Changing the steps of a playbook's document one at a time: what the form of the editor does.

Documents are JSON objects as ``json_text`` reads them; each act gives a new one and leaves the given one as it is. Whether the
outcome can run is for the check to say.

    document, step = add(document, after="action--…", kind="if-condition")
"""

from __future__ import annotations

import copy
import uuid
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from operations.errors import Invalid
from playbooks.actions.parameters import LOOKING
from playbooks.check.conditions import DEFAULT_CASE
from playbooks.vocabulary import PEOPLE

Document: TypeAlias = dict[str, Any]
Step: TypeAlias = dict[str, Any]
KINDS: tuple[str, ...] = ("action", "if-condition", "switch-condition", "while-condition", "parallel", "playbook-action")
"""Kinds of steps that can be added."""
WAYS: dict[str, tuple[str, ...]] = {
    "start": ("on_completion",),
    "action": ("on_completion", "on_success", "on_failure"),
    "playbook-action": ("on_completion", "on_success", "on_failure"),
    "parallel": ("on_completion", "on_success", "on_failure"),
    "if-condition": ("on_true", "on_false", "on_completion", "on_success", "on_failure"),
    "while-condition": ("on_true", "on_completion", "on_success", "on_failure"),
    "switch-condition": ("on_completion", "on_success", "on_failure"),
}
"""Properties of each kind that name one following step."""
TEXTS: tuple[str, ...] = ("name", "description", "condition", "agent", "switch", "playbook_id", "playbook_version")
LISTS: tuple[str, ...] = ("in_args", "out_args")
"""Properties that hold names of variables."""
_ONLY = {"switch": "switch-condition", "playbook_id": "playbook-action", "playbook_version": "playbook-action"}
"""Texts that one kind of step alone has."""
NEW = "+"
"""In the place of a step that a case leads to: a new task."""
MOST_CASES = 100
_FOLLOWING = ("on_completion", "on_success")
_SINGLE = (*_FOLLOWING, "on_failure", "on_true", "on_false")


def change(
    document: Document,
    step_id: str,
    texts: Mapping[str, str],
    ways: Mapping[str, str],
    command: str | None = None,
    *,
    cases: Sequence[tuple[str, str]] | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
) -> Document:
    """Give a step other words and ways; "" takes a property away. Raises Invalid.

    command  of its first command
    cases    of a switch, all of them: value and the step that it leads to (NEW: a task made for it; "": no longer a case)
    names    variables that it is handed and gives back (LISTS)
    """
    changed = copy.deepcopy(document)
    step = _step(changed, step_id)
    if cases is not None and step["type"] == "switch-condition":
        step["cases"] = _cases(changed, cases)
    for name in LISTS if names and step["type"] == "playbook-action" else ():
        _put(step, name, list(dict.fromkeys(names[name])) if names and name in names else [])
    known = (name for name in TEXTS if name in texts and _ONLY.get(name, step["type"]) == step["type"])
    for name, text in (*((name, texts[name]) for name in known), *ways.items()):
        if name in ways and (name not in WAYS.get(step["type"], ()) or (text and text not in changed["workflow"])):
            raise Invalid(f"{name[:40]} cannot lead to {text[:80]!r}", "choose a step of this playbook", field="step")
        _put(step, name, text)
    commands = step.get("commands")
    if command is not None and isinstance(commands, list) and commands and isinstance(commands[0], dict):
        commands[0] = _with_text(commands[0], command)
    return changed


def _put(step: Step, name: str, value: str | list[str]) -> None:
    if value:
        step[name] = value
    else:
        step.pop(name, None)


def _cases(document: Document, given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The cases of a switch as they were filled in; rows in which nothing stands are left out. Raises Invalid."""
    made: dict[str, str] = {}
    for value, target in given:
        if target in ("", NEW) and not value:
            continue
        if not value:
            raise Invalid("a case needs the value for which it is", "or default, for every other value", field="step")
        if value in made:
            raise Invalid(f"there are two cases for {value[:80]!r}", "leave one of them", field="step")
        if target == NEW:
            made[value] = _branch(document)
        elif target and target not in document["workflow"]:
            raise Invalid(f"cases cannot lead to {target[:80]!r}", "choose a step of this playbook", field="step")
        elif target:
            made[value] = target
    if len(made) > MOST_CASES:
        raise Invalid(f"a switch has at most {MOST_CASES} cases here", "divide it", field="step")
    return made


def _with_text(command: dict[str, Any], text: str) -> dict[str, Any]:
    """A command with another text, in its place; queries and rules stand as base64 only."""
    if command.get("type") not in LOOKING:
        return {key: value for key, value in command.items() if key != "command_b64"} | {"command": text}
    encoded = b64encode(text.replace("\r\n", "\n").encode("utf-8", "replace")).decode()
    return {key: value for key, value in command.items() if key != "command"} | {"command_b64": encoded}


def add(document: Document, after: str, kind: str) -> tuple[Document, str]:
    """Put a new step between ``after`` and what follows it; returns its id, too. Raises Invalid."""
    if kind not in KINDS:
        raise Invalid(f"there is no kind of step {kind[:40]!r} to add", f"one of {', '.join(KINDS)}", field="kind")
    changed = copy.deepcopy(document)
    before = _step(changed, after)
    if before["type"] not in WAYS:
        raise Invalid("nothing follows an end", "choose another step", field="step")
    way = next((name for name in _FOLLOWING if name in before), "on_completion")
    made, step_id = _made(changed, kind), _new(kind)
    if way in before:
        made["on_completion"] = before[way]
    before[way] = step_id
    changed["workflow"][step_id] = made
    return changed, step_id


def remove(document: Document, step_id: str) -> Document:
    """Take a step out: what led to it leads to what follows it; what only it led to goes with it. Raises Invalid."""
    if document.get("workflow_start") == step_id:
        raise Invalid("a playbook needs its start", "remove another step", field="step")
    changed = copy.deepcopy(document)
    gone = _step(changed, step_id)
    following = next((gone[name] for name in _FOLLOWING if name in gone), "")
    before = _reached(changed)
    del changed["workflow"][step_id]
    for step in _steps(changed):
        _lead_on(step, step_id, following)
    for left in before - _reached(changed):
        changed["workflow"].pop(left, None)
    return changed


def targets(step: Step) -> Iterator[str]:
    """Ids of all steps that a step leads to."""
    yield from (step[name] for name in _SINGLE if isinstance(step.get(name), str))
    for many in (step.get("next_steps"), list(step["cases"].values()) if isinstance(step.get("cases"), dict) else None):
        yield from (one for one in many or () if isinstance(one, str))


def _step(document: Document, step_id: str) -> Step:
    workflow = document.get("workflow")
    step = workflow.get(step_id) if isinstance(workflow, dict) else None
    if not isinstance(step, dict) or not isinstance(step.get("type"), str):
        raise Invalid(f"there is no step {step_id[:80]!r}", "choose another one", field="step")
    return step


def _steps(document: Document) -> list[Step]:
    return [step for step in document["workflow"].values() if isinstance(step, dict)]


def _lead_on(step: Step, gone: str, following: str) -> None:
    for name in _SINGLE:
        if step.get(name) == gone:
            if following:
                step[name] = following
            else:
                del step[name]
    if isinstance(step.get("next_steps"), list):
        step["next_steps"] = [following or None if one == gone else one for one in step["next_steps"]]
        step["next_steps"] = [one for one in step["next_steps"] if one is not None]
    if isinstance(step.get("cases"), dict):
        led = {key: following if one == gone else one for key, one in step["cases"].items()}
        step["cases"] = {key: one for key, one in led.items() if one}


def _reached(document: Document) -> set[str]:
    """Steps that the start or the way for failures leads to."""
    seen: set[str] = set()
    waiting = [document.get(name) for name in ("workflow_start", "workflow_exception")]
    while waiting:
        step_id = waiting.pop()
        step = document["workflow"].get(step_id) if isinstance(step_id, str) and step_id not in seen else None
        if isinstance(step_id, str) and isinstance(step, dict):
            seen.add(step_id)
            waiting += targets(step)
    return seen


def _made(document: Document, kind: str) -> Step:
    """A step of the kind, with branches of one task each where it has branches."""
    if kind == "action":
        return {"type": kind, "commands": [{"type": "manual", "command": "…"}], "agent": _person(document)}
    if kind == "parallel":
        return {"type": kind, "next_steps": [_branch(document), _branch(document)]}
    if kind == "switch-condition":
        return {"type": kind, "switch": "", "cases": {DEFAULT_CASE: _branch(document)}}
    if kind == "playbook-action":
        return {"type": kind, "playbook_id": ""}
    return {"type": kind, "condition": "", "on_true": _branch(document)}


def _branch(document: Document) -> str:
    """A task and its end."""
    task, end = _new("action"), _new("end")
    document["workflow"][task] = _made(document, "action") | {"on_completion": end}
    document["workflow"][end] = {"type": "end"}
    return task


def _person(document: Document) -> str:
    """Somebody who carries tasks out: who is there already, or a new one."""
    agents = document.setdefault("agent_definitions", {})
    for identifier, agent in agents.items():
        if isinstance(agent, dict) and agent.get("type") in PEOPLE:
            return str(identifier)
    identifier = _new("individual")
    agents[identifier] = {"type": "individual", "name": "…"}
    return identifier


def _new(kind: str) -> str:
    return f"{kind}--{uuid.uuid4()}"
