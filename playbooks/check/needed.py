"""Which values a playbook cannot do without: external variables without a value that a machine reads where nobody asked EXISTS.

What only people read goes on without (playbooks.variables.in_words), and so does what some step finds out and writes.
"""

from __future__ import annotations

from collections.abc import Mapping
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


def needed(playbook: Playbook, others: Mapping[str, Playbook]) -> frozenset[str]:
    """Names of the variables that whoever starts ``playbook`` has to give values: what it relies on and has no value of its own."""
    return frozenset(name for name in relied_on(playbook, others) if playbook.playbook_variables[name].value is None)


def relied_on(playbook: Playbook, others: Mapping[str, Playbook]) -> frozenset[str]:
    """External variables that ``playbook`` cannot do without, whether they have a value of their own or not: a caller's "not known"
    stands in its place. ``others``: the playbooks that it runs, by id."""
    return _relied_on(playbook, others, {})


def _relied_on(playbook: Playbook, others: Mapping[str, Playbook], met: dict[str, frozenset[str]]) -> frozenset[str]:
    """``met``: what has been found of other playbooks; each is looked at once, however often it is called."""
    met[playbook.id] = frozenset()  # a circle adds nothing
    flow = check_flow(playbook, Report(draft=True))
    scopes = scopes_of(playbook, flow)
    known = _known(playbook, flow)
    outside = {name: one for name, one in playbook.playbook_variables.items() if one.external}
    read: set[str] = set()
    written: set[str] = set()
    for key in flow.region:
        step, scope = playbook.workflow[key], scopes[key]
        written.update(name for name in _written(step) if name in outside and scope.get(name) is outside[name])
        names = _read(playbook, step, known[key], others, met)
        read.update(name for name in names if name in outside and scope.get(name) is outside[name])
    met[playbook.id] = frozenset(read - written)
    return met[playbook.id]


def _written(step: Step) -> list[str]:
    return [the_one(name) for name in step.out_args] if isinstance(step, Action | PlaybookAction) else []


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


def _read(
    playbook: Playbook, step: Step, known: frozenset[str], others: Mapping[str, Playbook], met: dict[str, frozenset[str]]
) -> frozenset[str]:
    """What a machine reads at ``step`` and may not know."""
    match step:
        case IfCondition() | WhileCondition():
            condition = _condition(step)
            return condition.reads(known) if condition else frozenset()
        case SwitchCondition():
            return frozenset([the_one(step.switch)]) - known
        case PlaybookAction() if step.playbook_id in others:
            if step.playbook_id not in met:
                _relied_on(others[step.playbook_id], others, met)
            return (met[step.playbook_id] & frozenset(map(the_one, step.in_args))) - known
        case Action():
            texts = [_for_machines(command) for command in step.commands]
            parties = (names_of_party(playbook, party) for _, party in parties_of(playbook, step))
            told = [parameters_for(step, command.type) for command in step.commands]
            return frozenset().union(names_within([texts, told]), *parties) - known
    return frozenset()


def _for_machines(command: Command) -> list[Any]:
    """The texts of a command that are not only for people."""
    if command.type == "manual":
        return [command.headers, command.more]
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
