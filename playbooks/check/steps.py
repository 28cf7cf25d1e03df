"""Each step by itself: its id, its ways on, its times, its branches."""

from __future__ import annotations

from playbooks.check.report import Report
from playbooks.model import End, Parallel, Playbook, Start, Step, SwitchCondition
from playbooks.vocabulary import kind_of

LONGEST_WAIT = 30 * 24 * 3600 * 1000
"""Milliseconds of a delay or timeout: 30 days."""
MOST_BRANCHES = 100
LONGEST_CASE = 250


def check_steps(playbook: Playbook, report: Report) -> None:
    for key, step in playbook.workflow.items():
        path = f"workflow.{key}"
        _key(key, step, path, report)
        _ways_on(key, step, path, report)
        _waits(key, step, path, report)
        _branches(key, step, path, report)


def _key(key: str, step: Step, path: str, report: Report) -> None:
    kind = kind_of(key)
    if not kind:
        report.wrong(path, f"{key[:80]!r} is no identifier of a step", f"{step.type}--UUID", key)
    elif kind != step.type:
        report.wrong(path, f"the id says {kind}, the type says {step.type}", f"{step.type}--UUID, and everywhere it is named", key)


def _ways_on(key: str, step: Step, path: str, report: Report) -> None:
    ways = dict(step.followers())
    if isinstance(step, End):
        for name in ways:
            report.wrong(f"{path}.{name}", f"an end step has no {name}", "leave it out", key)
        return
    if isinstance(step, Start):
        for name in ("on_success", "on_failure"):
            if name in ways:
                report.wrong(f"{path}.{name}", f"a start step has no {name}", "it has on_completion only", key)
    elif "on_completion" in ways and len(ways) > 1:
        hint = "either on_completion, or on_success and on_failure"
        report.wrong(f"{path}.on_completion", "on_completion stands beside on_success or on_failure", hint, key)
    if "on_completion" not in ways and "on_success" not in ways:
        what = "on_failure alone does not say what comes after success" if ways else "the way on is missing"
        report.lacking(f"{path}.on_completion", what, "name the next step, an end step after the last one", key)


def _waits(key: str, step: Step, path: str, report: Report) -> None:
    if not 0 <= step.delay <= LONGEST_WAIT:
        report.wrong(f"{path}.delay", f"a delay is 0 to {LONGEST_WAIT:,} milliseconds", "30 days at most", key)
    if step.timeout is None:
        return
    if step.timeout == 0:
        report.wrong(f"{path}.timeout", "a timeout of 0 lets the step fail at once", "leave it out, or give milliseconds", key)
    elif not 0 < step.timeout <= LONGEST_WAIT:
        report.wrong(f"{path}.timeout", f"a timeout is 1 to {LONGEST_WAIT:,} milliseconds", "30 days at most", key)


def _branches(key: str, step: Step, path: str, report: Report) -> None:
    if isinstance(step, Parallel) and len(step.next_steps) == 1:
        report.wrong(f"{path}.next_steps", "a parallel step has at least two branches", "without them name the step directly", key)
    if len(list(step.branches())) > MOST_BRANCHES:
        report.wrong(path, f"a step has at most {MOST_BRANCHES} branches", "nest them", key)
    if isinstance(step, SwitchCondition):
        for case in step.cases:
            if not 0 < len(case) <= LONGEST_CASE:
                report.wrong(f"{path}.cases", f"a case has 1 to {LONGEST_CASE} letters", "correct the key", key)
