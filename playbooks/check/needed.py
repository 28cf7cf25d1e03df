"""Which values a playbook cannot do without: external variables without a value that a machine reads where nobody asked EXISTS.

What only people read goes on without (playbooks.variables.in_words), and so does what some step finds out and writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from playbooks.actions.parameters import PROPERTY, words_of
from playbooks.check.flow import Flow, Region, check_flow
from playbooks.check.report import Report
from playbooks.check.scopes import scopes_of
from playbooks.check.variables import names_of_party, parties_of, texts_of
from playbooks.conditions import Condition, ConditionError, parse
from playbooks.extension import parameters_for
from playbooks.model import Action, Command, IfCondition, Playbook, PlaybookAction, Step, SwitchCondition, WhileCondition
from playbooks.references import names_within, the_one

_DEEPEST = 16


def needed(playbook: Playbook, others: Mapping[str, Playbook], depth: int = 0) -> frozenset[str]:
    """Names of the variables that whoever starts ``playbook`` has to give values. ``others``: the playbooks that it runs, by id."""
    open_ones = {
        name for name, one in playbook.playbook_variables.items() if one.external and one.value is None and not one.constant
    } - set(_written(playbook))
    if not open_ones:
        return frozenset()
    flow = check_flow(playbook, Report(draft=True))
    scopes, known = scopes_of(playbook, flow), _known(playbook, flow)
    found: set[str] = set()
    for key, step in playbook.workflow.items():
        if key not in flow.region:
            continue
        for name in _read(playbook, step, known[key], others, depth):
            if name in open_ones and scopes[key].get(name) is playbook.playbook_variables[name]:
                found.add(name)
    return frozenset(found)


def _written(playbook: Playbook) -> Iterator[str]:
    for step in playbook.workflow.values():
        if isinstance(step, Action | PlaybookAction):
            yield from map(the_one, step.out_args)


def _known(playbook: Playbook, flow: Flow) -> dict[str, frozenset[str]]:
    """By step: variables that have a value there, since it lies in a branch whose condition could not be answered without."""
    known: dict[str, frozenset[str]] = {"": frozenset()}
    for key, region in flow.region.items():  # an opener is always reached before its branches
        known[key] = known[region.opener] | _told(playbook, region)
    return known


def _told(playbook: Playbook, region: Region) -> frozenset[str]:
    opener = playbook.workflow.get(region.opener)
    if not isinstance(opener, IfCondition | WhileCondition):
        return frozenset()
    condition = _condition(opener)
    return condition.tells(region.name == "on_true") if condition else frozenset()


def _read(playbook: Playbook, step: Step, known: frozenset[str], others: Mapping[str, Playbook], depth: int) -> frozenset[str]:
    """What a machine reads at ``step`` and may not know."""
    match step:
        case IfCondition() | WhileCondition():
            condition = _condition(step)
            return condition.reads(known) if condition else frozenset()
        case SwitchCondition():
            return frozenset([the_one(step.switch)]) - known
        case PlaybookAction() if step.playbook_id in others and depth < _DEEPEST:
            handed = frozenset(map(the_one, step.in_args))
            return (needed(others[step.playbook_id], others, depth + 1) & handed) - known
        case Action():
            texts = [_for_machines(command) for command in step.commands]
            parties = (names_of_party(playbook, party) for _, party in parties_of(playbook, step))
            told = [parameters_for(step, command.type) for command in step.commands]
            return frozenset().union(names_within([texts, told]), *parties) - known
    return frozenset()


def _for_machines(command: Command) -> list[Any]:
    """The texts of a command that are not only for people."""
    if command.type == "manual":
        return []
    words = words_of(command.type)
    given = command.more.get(PROPERTY)
    if not words or not isinstance(given, dict):
        return [*texts_of(command)]
    return [value for name, value in given.items() if name not in words]


def _condition(step: IfCondition | WhileCondition) -> Condition | None:
    try:
        return parse(step.condition)
    except ConditionError:
        return None
