"""Commands of the standard that only look: their query or rule, what our extension tells them, and what a step wants of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from playbooks import bodies, sigma_text, yara_text
from playbooks.actions.contract import ActionError
from playbooks.actions.elastic_query import body_of, path_of
from playbooks.actions.file_paths import whole_paths
from playbooks.actions.parameters import LOOKING, PROPERTY, mistakes
from playbooks.actions.query_parameters import ElasticParameters
from playbooks.check.report import Report
from playbooks.extension import EXTENSION, ExtensionError, Options, options_of, parameters_for
from playbooks.model import Action, Command
from playbooks.query_texts import is_dsl, languages_within
from playbooks.references import names_within, the_one
from playbooks.variables import VariableError


def check_looking(key: str, step: Action, report: Report) -> None:
    """``key``: the id of the step."""
    for place, command in enumerate(step.commands):
        if command.type in LOOKING:
            _command(f"workflow.{key}.commands[{place}]", key, step, command, report)
    try:
        options = options_of(step)
    except ExtensionError:
        return  # told where the extension is looked at
    _parameters(key, step, options, report)
    if step.commands and all(command.type in LOOKING for command in step.commands):
        _wanted(key, step, options, report)


def _command(path: str, key: str, step: Action, command: Command, report: Report) -> None:
    name = "command" if command.command else "command_b64"
    if command.command:
        report.doubtful(f"{path}.command", f"the standard has {command.type} commands as base64 only", "put it in command_b64", key)
    try:
        text = command.text()
    except ValueError:
        return  # told where base64 is looked at
    if not text.strip():
        if command.command_b64:
            report.lacking(f"{path}.command_b64", f"the {command.type} command is empty", "give it as base64", key)
        return
    for message, hint in _TEXTS[command.type](text, parameters_for(step, command.type)):
        report.wrong(f"{path}.{name}", message, hint, key)


def _parameters(key: str, step: Action, options: Options, report: Report) -> None:
    kinds = {command.type for command in step.commands}
    path = f"workflow.{key}.step_extensions.{EXTENSION}.parameters"
    for kind in sorted(options.parameters.keys() - LOOKING.keys()):
        report.wrong(f"{path}.{kind[:80]}", f"{kind[:60]!r} takes no parameters here", "one of " + ", ".join(LOOKING), key)
    for kind in sorted(kinds & LOOKING.keys()):
        for found in mistakes(kind, {PROPERTY: options.parameters.get(kind, {})}):
            tell = report.lacking if found.lacking else report.wrong
            tell(f"{path}.{kind}.{found.path.partition('.')[2]}", found.message, found.hint, key)
    for kind in sorted(options.parameters.keys() & LOOKING.keys() - kinds):
        report.doubtful(f"{path}.{kind}", f"the step has no {kind} command", "leave them out", key)


def _wanted(key: str, step: Action, options: Options, report: Report) -> None:
    """Values that are wanted by name are among what these commands give."""
    gives = sorted({name for command in step.commands for name in LOOKING[command.type].gives})
    if len(step.out_args) == 1:
        return  # one value alone is the first that they give
    for place, name in enumerate(map(the_one, step.out_args)):
        if name and name not in options.outputs and name.strip("_") not in gives:
            hint = f"they give {', '.join(gives)}; outputs may point at more"
            report.wrong(f"workflow.{key}.out_args[{place}]", f"these commands do not give {name.strip('_')[:80]}", hint, key)


Mistakes = list[tuple[str, str]]


def _elastic(text: str, given: dict[str, Any]) -> Mistakes:
    if is_dsl(text):
        if not bodies.is_json(text):
            return [("the query begins like JSON and is none", "quote names that stand for text")]
        if found := languages_within(text):
            hint = "term, match, prefix and range take values as they are"
            return [(f"a value cannot stand in a {found[0]} query", hint)]
    call = "count" if given.get("call") == "count" else "search"
    try:
        if not names_within(given.get("index", "")):
            path_of(ElasticParameters(index=str(given.get("index", ""))))
        if not is_dsl(text) or _decodes(text):  # names without quotes stand for numbers that are not known yet
            body_of(text, ElasticParameters(call=call))  # type: ignore[arg-type]
    except ValueError as error:
        return [(str(error), "docs/playbooks.md, Looking")]
    return []


def _decodes(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return True


def _sigma(text: str, given: dict[str, Any]) -> Mistakes:
    """The form only: what compiles rules is not known here. Dry runs and plans say the rest."""
    try:
        rules = sigma_text.documents(text)
    except VariableError as error:
        return [(error.message, error.hint or "a Sigma rule is YAML")]
    if not any(isinstance(one, dict) and isinstance(one.get("detection"), dict) for one in rules):
        return [("there is no Sigma rule with a detection", "title, logsource, detection with its condition")]
    if place := sigma_text.misplaced(rules):
        return [(f"a value cannot stand in {place[:80]} of a rule", "values stand in the texts of selections")]
    return []


def _yara(text: str, given: dict[str, Any]) -> Mistakes:
    """The form only: what compiles rules is not known here. The check of files, dry runs and plans say the rest."""
    if problem := yara_text.mistake(text):
        return [(problem, "docs/playbooks.md, Looking")]
    if place := yara_text.misplaced(text):
        return [(f"a value cannot stand in {place} of a rule", "values stand in texts in quotes")]
    if not given.get("paths") and not given.get("incident"):
        return [("there is nothing to look through", "say in parameters.yara: paths of the target, or an incident")]
    try:
        paths = given.get("paths", [])
        whole_paths(one for one in paths if isinstance(one, str) and not names_within(one)) if isinstance(paths, list) else None
    except ActionError as error:
        return [(error.message, error.hint)]
    return []


_TEXTS: dict[str, Callable[[str, dict[str, Any]], Mistakes]] = {"elastic": _elastic, "sigma": _sigma, "yara": _yara}
