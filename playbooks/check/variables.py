"""Variables: declared where they are used, of their type, constants never written, arguments that exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from playbooks.check.report import Report, Scope
from playbooks.extension import parameters_for
from playbooks.model import Action, Command, Party, Playbook, PlaybookAction, Variable
from playbooks.references import forgotten, names_within, the_one
from playbooks.values import typed
from playbooks.vocabulary import LONGEST_VARIABLE_NAME, VARIABLE_TYPES, is_variable_name

MOST_USED = 200
"""Variables that one agent or target uses."""
_NAME = f"two underscores, a letter, letters digits _ -, two underscores; {LONGEST_VARIABLE_NAME} letters at most"


def check_variables(playbook: Playbook, report: Report, scopes: Mapping[str, Scope]) -> None:
    _declared("playbook_variables", "", playbook.playbook_variables, report)
    written = _written(playbook)
    for key, step in playbook.workflow.items():
        path = f"workflow.{key}"
        _declared(f"{path}.step_variables", key, step.step_variables, report)
        for name in step.step_variables:
            if name in playbook.playbook_variables:
                hint = "give it a name of its own: only the step's copy is read and written here"
                report.doubtful(f"{path}.step_variables.{name}", f"{name} hides the playbook's variable", hint, key)
        if isinstance(step, Action | PlaybookAction):
            _arguments(key, step, report, scopes[key])
        if isinstance(step, Action):
            _commands(key, step, report, scopes[key], written)
    _parties(playbook, report, scopes)


def texts_of(command: Command) -> list[str]:
    """The texts of a command in which variables are replaced; base64 that is no text holds none."""
    found = [*_texts_within(command.more), command.content, *(value for listed in command.headers.values() for value in listed)]
    for read in (command.text, lambda: command.body().decode("utf-8") if command.content_b64 else ""):
        try:
            found.append(read())
        except ValueError:
            continue
    return found


def _declared(path: str, step: str, variables: dict[str, Variable], report: Report) -> None:
    for name, variable in variables.items():
        at = f"{path}.{name}"
        if not is_variable_name(name):
            report.wrong(at, f"{name[:80]!r} cannot name a variable", _NAME, step)
        if variable.type and variable.type not in VARIABLE_TYPES:
            hint = "one of " + ", ".join(VARIABLE_TYPES)
            report.doubtful(f"{at}.type", f"the type {variable.type[:60]!r} is not listed and counts as text", hint, step)
        if variable.external and step:
            report.doubtful(f"{at}.external", "only a variable of the playbook can be external", "move it there", step)
        if variable.value is None:
            if variable.constant and not variable.external:
                report.lacking(f"{at}.value", "a constant without a value", "give it one, or make it external", step)
            continue
        try:
            typed(variable.type, variable.value)
        except ValueError as error:
            report.wrong(f"{at}.value", str(error), f"the type is {variable.type}", step)
        for used in sorted(names_within(variable.value)):
            report.doubtful(f"{at}.value", f"{used} is not replaced in a value", "use it where the value goes", step)


def _written(playbook: Playbook) -> frozenset[str]:
    steps = (step for step in playbook.workflow.values() if isinstance(step, Action | PlaybookAction))
    return frozenset(the_one(name) for step in steps for name in step.out_args)


def _arguments(key: str, step: Action | PlaybookAction, report: Report, scope: Scope) -> None:
    for group, names in (("in_args", step.in_args), ("out_args", step.out_args)):
        seen: set[str] = set()
        for place, text in enumerate(names):
            path, name = f"workflow.{key}.{group}[{place}]", the_one(text)
            if not name:
                report.wrong(path, f"{text[:80]!r} is no name of a variable", _NAME, key)
            elif name not in scope:
                report.wrong(path, f"{name} is not declared here", "declare it in the step or in the playbook", key)
            elif group == "out_args" and scope[name].constant:
                report.wrong(path, f"{name} is constant and would be written", "take it out of out_args, or let it vary", key)
            if name in seen:
                report.doubtful(path, f"{name} is named twice", "remove one", key)
            seen.add(name)


def _commands(key: str, step: Action, report: Report, scope: Scope, written: frozenset[str]) -> None:
    for place, command in enumerate(step.commands):
        path = f"workflow.{key}.commands[{place}]"
        texts = texts_of(command) + _texts_within(parameters_for(step, command.type))
        names = names_within(texts)
        _usable(path, key, names, step, scope, report)
        for name in sorted(names & scope.keys()):
            variable = scope[name]
            if variable.value is None and not variable.external and name not in written:
                report.doubtful(path, f"{name} is used and never gets a value", "give it one, or make it external", key)
        if command.type != "manual":
            for name in dict.fromkeys(name for text in texts for name in forgotten(text)):
                report.doubtful(path, f"{name} stays as it is", f"{name}:value is replaced by its value", key)


def _usable(path: str, key: str, names: Iterable[str], step: Action, scope: Scope, report: Report) -> None:
    """Names are declared, and where the step says what may be read (in_args), among that."""
    readable = {*map(the_one, step.in_args), *step.step_variables} if step.in_args else scope.keys()
    for name in sorted(names):
        if name not in scope:
            hint = "declare it in the step, in the step around the branch, or in the playbook"
            report.wrong(path, f"the variable {name} is not declared here", hint, key)
        elif name not in readable:
            report.lacking(path, f"the variable {name} may not be read: it is not among in_args", "add it there", key)


def _parties(playbook: Playbook, report: Report, scopes: Mapping[str, Scope]) -> None:
    """What agents and targets use has to be declared wherever a step uses them."""
    used: dict[str, frozenset[str]] = {}
    for key, step in playbook.workflow.items():
        if isinstance(step, Action):
            for path, party in parties_of(playbook, step):
                if path not in used:
                    used[path] = names_of_party(playbook, party)
                    if len(used[path]) > MOST_USED:
                        report.wrong(path, f"it uses more than {MOST_USED} variables", "divide it", key)
                        used[path] = frozenset()
                _usable(path, key, used[path], step, scopes[key], report)


def parties_of(playbook: Playbook, step: Action) -> list[tuple[str, Party]]:
    """Agent and targets of a step, each with its place in the document."""
    named = [("agent_definitions", playbook.agent_definitions, step.agent)]
    named += [("target_definitions", playbook.target_definitions, target) for target in step.targets]
    return [(f"{group}.{one}", defined[one]) for group, defined, one in named if one in defined]


def names_of_party(playbook: Playbook, party: Party) -> frozenset[str]:
    """Variables that an agent or target and its login use."""
    login = playbook.authentication_info_definitions.get(party.authentication_info)
    texts = (
        [login.user_id, login.username, login.password, login.token, login.oauth_header, login.kms_key_identifier] if login else []
    )
    return names_within([*party.address.values(), party.port, party.name, *party.contact.values(), *party.location.values(), texts])


def _texts_within(value: Any) -> list[str]:
    """The texts of a JSON value; names of properties are not replaced."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
    return found
