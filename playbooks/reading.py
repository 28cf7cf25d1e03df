"""A playbook out of the octets of its document, and back.

Reading refuses what cannot stand in the model: no JSON, no playbook of CACAO 2.0, values of the wrong JSON type, unknown kinds of
steps. Everything else is for ``playbooks.check`` to say, so that drafts and playbooks of others can be opened and mended.
One thing is taken over silently as text, because many producers write it so: a number or boolean as value of a variable.

    >>> read(b'{"type": "playbook", "spec_version": "cacao-2.0", "workflow": {}}').workflow
    {}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from playbooks.json_text import MAX_BYTES, read_json, write_json
from playbooks.model import (
    Action,
    Authentication,
    Command,
    End,
    IfCondition,
    Json,
    Parallel,
    Party,
    Playbook,
    PlaybookAction,
    Start,
    Step,
    SwitchCondition,
    Variable,
    WhileCondition,
)
from playbooks.problems import PlaybookError, Problem
from playbooks.shapes import SHAPES, Mismatch, walk
from playbooks.vocabulary import SPEC_VERSION, STEP_TYPES

__all__ = ["MAX_BYTES", "MAX_STEPS", "read", "read_document", "write"]

MAX_STEPS = 5_000
_STEPS: dict[str, type[Step]] = {
    "start": Start,
    "end": End,
    "action": Action,
    "playbook-action": PlaybookAction,
    "parallel": Parallel,
    "if-condition": IfCondition,
    "while-condition": WhileCondition,
    "switch-condition": SwitchCondition,
}
_Made = TypeVar("_Made", bound=msgspec.Struct)


def read(data: bytes) -> Playbook:
    """The playbook of a document. Raises PlaybookError, whose problems name every place that is wrong."""
    return read_document(read_json(data))


def read_document(document: Any) -> Playbook:
    """The playbook of JSON that ``read_json`` has read. It is kept and must not be changed afterwards. Raises PlaybookError."""
    _refuse_others(document)
    problems = [_told(found) for found in walk(document) if isinstance(found, Mismatch)]
    if problems:
        raise PlaybookError(problems)
    return _made(Playbook, document, _PLAYBOOK_PARTS, raw=document)


def write(playbook: Playbook) -> bytes:
    """The document again: every key and value that was read, in its order."""
    return write_json(playbook.raw)


def _refuse_others(document: Any) -> None:
    if not isinstance(document, dict):
        raise _error("", "no playbook: a JSON object is wanted", "one file holds one playbook")
    kind, version = document.get("type"), document.get("spec_version")
    if kind != "playbook":
        hint = "take the playbook out of its bundle" if kind == "bundle" else 'a playbook has "type": "playbook"'
        raise _error("type", f"no playbook: type is {str(kind)[:60]!r}", hint)
    if version != SPEC_VERSION:
        raise _error("spec_version", f"the version {str(version)[:60]!r} cannot be read", f"convert it to {SPEC_VERSION}")
    workflow = document.get("workflow")
    if isinstance(workflow, dict) and len(workflow) > MAX_STEPS:
        raise _error("workflow", f"there are more than {MAX_STEPS:,} steps", "divide it by playbook-action steps")


def _told(found: Mismatch) -> Problem:
    shown = _shown(found.value)
    if found.wanted == "a kind of step":
        message, hint = f"there is no kind of step {shown}", "one of " + ", ".join(STEP_TYPES)
    elif found.path == "workflow":
        message, hint = f"{shown} stands where the steps are wanted", "an object of steps by their ids (earlier versions had lists)"
    elif found.value is None:
        message, hint = f"null stands where {found.wanted} is wanted", "leave the property out"
    else:
        message, hint = f"{shown} stands where {found.wanted} is wanted", f"write {found.wanted}"
    return Problem(path=found.path[:400], step=found.step[:200], message=message, hint=hint)


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return repr(value)[:60]


def _error(path: str, message: str, hint: str) -> PlaybookError:
    return PlaybookError([Problem(path=path, message=message, hint=hint)])


_Parts = dict[str, Callable[[Any], Any]]


def _made(kind: type[_Made], source: Json, parts: _Parts, **more: Any) -> _Made:
    """A struct of the properties that it has; ``parts`` make those that are more than plain JSON."""
    wanted = _FIELDS[kind]
    values = {key: parts[key](value) if key in parts else value for key, value in source.items() if key in wanted}
    values.update(more)
    return kind(**values)


def _variable(raw: Json) -> Variable:
    value = raw.get("value")
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        value = repr(value)
    return _made(Variable, {"type": "", **raw}, {}, value=value)


def _command(raw: Json) -> Command:
    known = SHAPES.get(f"command {raw.get('type')}", SHAPES["command"])
    more = {key: value for key, value in raw.items() if key not in known}
    return _made(Command, {"type": "", **raw}, {}, more=more)


def _party(raw: Json) -> Party:
    return _made(Party, {"type": "", **raw}, {"address": _address})


def _address(raw: dict[str, list[str | int]]) -> dict[str, list[str]]:
    return {kind: [str(one) for one in listed] for kind, listed in raw.items()}


def _authentication(raw: Json) -> Authentication:
    return _made(Authentication, {"type": "", **raw}, {})


def _each(make: Callable[[Json], Any]) -> Callable[[dict[str, Json]], dict[str, Any]]:
    return lambda raw: {key: make(one) for key, one in raw.items()}


def _step(raw: Json) -> Step:
    return _made(_STEPS[raw["type"]], raw, _STEP_PARTS)


_STEP_PARTS: _Parts = {
    "step_variables": _each(_variable),
    "commands": lambda raw: [_command(one) for one in raw],
}
_PLAYBOOK_PARTS: _Parts = {
    "workflow": _each(_step),
    "playbook_variables": _each(_variable),
    "agent_definitions": _each(_party),
    "target_definitions": _each(_party),
    "authentication_info_definitions": _each(_authentication),
}
_FIELDS: dict[type[msgspec.Struct], frozenset[str]] = {
    kind: frozenset(kind.__struct_fields__) - {"raw", "more"}
    for kind in (Playbook, Variable, Command, Party, Authentication, *_STEPS.values())
}
