"""The ways through a workflow: one start, every pointer resolves, every branch runs to an end of its own, nothing goes round.

A *region* is what can be reached from its first step without entering a branch: the main flow, the exception flow, and each branch
of an if, while, switch or parallel step. Control comes back to the step that opened a branch where the branch reaches an end step,
so a step of one region must not be reachable in another (4.4, 4.7 to 4.10). Each step is given to the first region that reaches it
and is walked once: the time is linear in steps and pointers, joined diamonds included.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from playbooks.check.own_extension import undo_steps
from playbooks.check.report import Report
from playbooks.model import End, Playbook, Start, Step


class Region(NamedTuple):
    """``opener`` is the step that a branch comes back to ("" in main and exception flow), ``name`` the property that names it."""

    number: int
    opener: str
    name: str
    first: str

    def told(self) -> str:
        return f"the branch {self.name} of {self.opener}" if self.opener else "the flow from " + self.name


class Flow(NamedTuple):
    """The region of each step that can be reached, in the order in which they are reached."""

    region: dict[str, Region]


def check_flow(playbook: Playbook, report: Report) -> Flow:
    _starts(playbook, report)
    _pointers(playbook, report)
    flow = _regions(playbook, report)
    _circles(playbook, report)
    aside = _followed(playbook, undo_steps(playbook))
    for key in playbook.workflow:
        if key not in flow.region and key not in aside:
            report.doubtful(f"workflow.{key}", "no way leads to this step", "connect it, or remove it", key)
    return flow


def _followed(playbook: Playbook, firsts: Iterable[str]) -> set[str]:
    """Steps that can be reached from these."""
    found: set[str] = set()
    waiting = list(firsts)
    while waiting:
        key = waiting.pop()
        if key in playbook.workflow and key not in found:
            found.add(key)
            waiting += [named for _, named in _ways(playbook.workflow[key])]
    return found


def _starts(playbook: Playbook, report: Report) -> None:
    starts = [key for key, step in playbook.workflow.items() if isinstance(step, Start)]
    if not starts:
        report.lacking("workflow", "there is no start step", "add one whose on_completion is the first step")
    for key in starts[1:]:
        report.wrong(f"workflow.{key}", "there is a second start step", "a playbook has one start step", key)
    first = playbook.workflow.get(playbook.workflow_start)
    if first is not None and not isinstance(first, Start):
        report.wrong("workflow_start", f"it names a step of the kind {first.type}", "it names the start step")
    if not any(isinstance(step, End) for step in playbook.workflow.values()):
        report.lacking("workflow", "there is no end step", "add one that the last step leads to")
    if not any(step.type in ("action", "playbook-action") for step in playbook.workflow.values()):
        report.lacking("workflow", "nothing is done: there is no action and no playbook-action", "add one")


def _pointers(playbook: Playbook, report: Report) -> None:
    for name in ("workflow_start", "workflow_exception"):
        named = getattr(playbook, name)
        if named and named not in playbook.workflow:
            report.wrong(name, f"there is no step {named[:80]!r}", "name a step of the workflow")
    if isinstance(playbook.workflow.get(playbook.workflow_exception), Start):
        report.wrong("workflow_exception", "it names the start step", "name the first step of the exception flow")
    for key, step in playbook.workflow.items():
        for name, named in _ways(step):
            if named not in playbook.workflow:
                report.wrong(f"workflow.{key}.{name}", f"there is no step {named[:80]!r}", "name a step of the workflow", key)
            elif isinstance(playbook.workflow[named], Start):
                report.wrong(f"workflow.{key}.{name}", "nothing leads to the start step", "name another step", key)


def _ways(step: Step) -> Iterator[tuple[str, str]]:
    yield from step.followers()
    yield from step.branches()


def _regions(playbook: Playbook, report: Report) -> Flow:
    workflow = playbook.workflow
    given: dict[str, Region] = {}
    regions = 0
    waiting = deque([("", "workflow_start", playbook.workflow_start)])
    if playbook.workflow_exception:
        waiting.append(("", "workflow_exception", playbook.workflow_exception))
    while waiting:
        opener, name, first = waiting.popleft()
        region = Region(regions, opener, name, first)
        regions += 1
        if first not in workflow:
            continue
        if first in given:
            _shared(given[first], region, opener, name, first, report)
            continue
        reached = [first]
        given[first] = region
        ends = False
        opened: list[tuple[str, str, str]] = []
        while reached:
            key = reached.pop()
            step = workflow[key]
            ends = ends or isinstance(step, End)
            for way, named in step.followers():
                if named not in workflow or isinstance(workflow[named], Start):
                    continue
                if named not in given:
                    given[named] = region
                    reached.append(named)
                elif given[named] is not region:
                    ends = True  # it runs on in another region: that is what is told
                    _shared(given[named], region, key, way, named, report)
            opened += [(key, way, named) for way, named in step.branches()]
        if not ends:
            path = f"workflow.{opener}.{name}" if opener else name
            report.lacking(path, f"{region.told()} reaches no end step", "lead its last step to an end step of its own", opener)
        waiting += opened
    return Flow(given)


def _shared(owner: Region, region: Region, step: str, way: str, named: str, report: Report) -> None:
    """``step`` of ``region`` leads to a step of another region. The exception flow may end where the main flow ends."""
    if not owner.opener and not region.opener:
        return
    path = f"workflow.{step}.{way}" if step else way
    if named == region.opener:
        hint = "the branch comes back by itself: lead it to an end step of its own"
        report.wrong(path, f"{region.told()} leads back to the step that opened it", hint, step)
        return
    hint = f"every branch has steps and an end step of its own: lead it to one instead of {named[:80]}"
    report.wrong(path, f"{region.told()} runs into {owner.told()}", hint, step)


def _circles(playbook: Playbook, report: Report) -> None:
    """A way that comes back to a step it has passed, branches included; told once for each pointer that closes a circle."""
    told = {problem.path for problem in report.problems}
    done: set[str] = set()
    for root in playbook.workflow:
        if root in done:
            continue
        under_way = {root}
        stack = [(root, _ways(playbook.workflow[root]))]
        while stack:
            key, ways = stack[-1]
            for name, named in ways:
                if named in under_way and f"workflow.{key}.{name}" in told:
                    continue
                if named in under_way:
                    report.wrong(f"workflow.{key}.{name}", f"it leads round in a circle to {named[:80]!r}", _CIRCLE, key)
                elif named in playbook.workflow and named not in done:
                    under_way.add(named)
                    stack.append((named, _ways(playbook.workflow[named])))
                    break
            else:
                stack.pop()
                under_way.discard(key)
                done.add(key)


_CIRCLE = "repeat by a while-condition; lead a branch to an end step"
