"""Conditions can be read, use declared variables and compare what can be compared; the cases of a switch can be met."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.check.report import Report, Scope
from playbooks.conditions import ConditionError, parse
from playbooks.model import IfCondition, Playbook, SwitchCondition, WhileCondition
from playbooks.references import the_one
from playbooks.values import typed

DEFAULT_CASE = "default"
MOST_MATCHES = 1_000
"""Regular expressions in one playbook: each takes about half a millisecond to look at."""


def check_conditions(playbook: Playbook, report: Report, scopes: Mapping[str, Scope]) -> None:
    conditions = (step.condition for step in playbook.workflow.values() if isinstance(step, IfCondition | WhileCondition))
    if sum(text.upper().count("MATCHES") for text in conditions) > MOST_MATCHES:
        report.wrong("workflow", f"the conditions hold more than {MOST_MATCHES:,} MATCHES", "use LIKE, or divide the playbook")
        return
    for key, step in playbook.workflow.items():
        if isinstance(step, IfCondition | WhileCondition) and step.condition:
            _condition(key, step.condition, report, scopes[key])
        elif isinstance(step, SwitchCondition) and step.switch:
            _switch(key, step, report, scopes[key])


def _condition(key: str, text: str, report: Report, scope: Scope) -> None:
    path = f"workflow.{key}.condition"
    try:
        found = parse(text).check(scope)
    except ConditionError as error:
        found = [error]
    for one in found:
        report.wrong(path, f"at letter {one.position + 1}: {one.message}", one.hint, key)


def _switch(key: str, step: SwitchCondition, report: Report, scope: Scope) -> None:
    path, name = f"workflow.{key}.switch", the_one(step.switch)
    if not name:
        report.wrong(path, f"{step.switch[:80]!r} is no variable", "for example __kind__:value", key)
        return
    if name not in scope:
        hint = "declare it in the step, in the step around the branch, or in the playbook"
        report.wrong(path, f"the variable {name} is not declared here", hint, key)
        return
    kind = scope[name].type
    for case in step.cases:
        if case != DEFAULT_CASE:
            try:
                typed(kind, case)
            except ValueError as error:
                at = f"workflow.{key}.cases.{case[:80]}"
                report.wrong(at, f"this case is never met: {error}", f"{name} is of type {kind}", key)
