"""The machine against a second, much simpler interpreter: playbooks are made as trees, which say themselves what has to happen.

The tree is walked by plain recursion (``Walk``), one branch after another; the machine is given the playbook that the tree becomes,
and outcomes in any order. Both must call the same actions, equally often, and end alike.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.check import check, is_right
from playbooks.extension import EXTENSION
from playbooks.reading import read
from playbooks.run.events import Begun, Cancelled, Decided, Due, Ended, Event, Resumed, Started
from playbooks.run.machine import ENDED, Machine
from playbooks.run.state import Call
from playbooks.variables import Value

AGENT = "liandun--4fb38cdf-cc83-5544-9179-be16c2d78c3c"
TARGET = "http-api--63bf30ce-1d22-5585-8582-596421196071"
ROUNDS = 3
NAMESPACE = uuid.UUID("392e9c62-14cc-5141-9d31-4bd82da2d47e")


class Act(NamedTuple):
    """An action: whether it succeeds, and what it writes to __n__ then (None: nothing)."""

    right: bool
    writes: int | None


class Block(NamedTuple):
    """A step that opens branches. ``number`` is what its condition compares with."""

    kind: str
    number: int
    branches: list[list[Node]]


class Node(NamedTuple):
    """A step, and whether a failure of it is handled, and how that handling ends."""

    what: Act | Block
    handler: bool | None


def trees(*, writing: bool = True) -> st.SearchStrategy[list[Node]]:
    """Branches of steps. Inside of parallel steps nothing is written, or the outcome would hang on the order."""
    acts = st.builds(Act, st.booleans(), st.integers(0, 4) if writing else st.none())
    nodes = st.recursive(
        st.builds(Node, acts, st.none() | st.booleans()),
        lambda inner: st.builds(
            Node,
            st.one_of(
                st.builds(Block, st.just("if"), st.integers(0, 4), st.lists(st.lists(inner, max_size=2), min_size=1, max_size=2)),
                st.builds(
                    Block, st.just("while"), st.integers(0, 4), st.lists(st.lists(inner, max_size=2), min_size=1, max_size=1)
                ),
                st.builds(
                    Block, st.just("switch"), st.integers(0, 4), st.lists(st.lists(inner, max_size=2), min_size=1, max_size=3)
                ),
                st.builds(Block, st.just("parallel"), st.just(0), quiet_branches()) if writing else inner.map(lambda one: one.what),
            ),
            st.none() | st.booleans(),
        ),
        max_leaves=8,
    )
    first = st.builds(Node, acts, st.none() | st.booleans())  # a playbook has an action somewhere
    return st.builds(lambda one, more: [one, *more], first, st.lists(nodes, max_size=4))


def quiet_branches() -> st.SearchStrategy[list[list[Node]]]:
    quiet = st.builds(Node, st.builds(Act, st.booleans(), st.none()), st.none() | st.booleans())
    return st.lists(st.lists(quiet, max_size=3), min_size=2, max_size=3)


class Walk:
    """What the tree says: the actions that are called, and whether the end is a right one."""

    def __init__(self) -> None:
        self.called: Counter[str] = Counter()
        self.number = 0

    def branch(self, nodes: list[Node], place: str) -> bool:
        for position, node in enumerate(nodes):
            here = f"{place}.{position}"
            if not self.step(node.what, here):
                if node.handler is None:
                    return False
                self.called[f"{here}.handler"] += 1
                return node.handler
        return True

    def step(self, what: Act | Block, place: str) -> bool:
        if isinstance(what, Act):
            self.called[place] += 1
            if what.right and what.writes is not None:
                self.number = what.writes
            return what.right
        branches = [(nodes, f"{place}/{position}") for position, nodes in enumerate(what.branches)]
        if what.kind == "parallel":
            results = [self.branch(*branch) for branch in branches]  # all of them run, whatever one comes to
            return all(results)
        if what.kind == "if":
            taken = branches[:1] if self.number > what.number else branches[1:2]
            return all(self.branch(*branch) for branch in taken)
        if what.kind == "switch":
            taken = branches[self.number : self.number + 1]
            return all(self.branch(*branch) for branch in taken)
        for _round in range(ROUNDS):
            if self.number >= what.number:
                return True
            if not self.branch(*branches[0]):
                return False
        return self.number >= what.number


class Writing:
    """The same tree as a playbook. Names of steps are their places in the tree."""

    def __init__(self) -> None:
        self.workflow: dict[str, Any] = {}

    def add(self, kind: str, place: str, **more: Any) -> str:
        key = f"{kind}--{uuid.uuid5(NAMESPACE, f'{kind} {place}')}"
        self.workflow[key] = {"type": kind, **({"name": place} if kind == "action" else {}), **more}
        return key

    def act(self, place: str, following: dict[str, str], *, writes: bool = False) -> str:
        command = {"type": "http-api", "command": "POST /act HTTP/1.1"}
        out = {"out_args": ["__n__"]} if writes else {}
        return self.add("action", place, commands=[command], agent=AGENT, targets=[TARGET], **out, **following)

    def branch(self, nodes: list[Node], place: str) -> str:
        following = self.add("end", place)
        end = following
        for position in reversed(range(len(nodes))):
            following = self.step(nodes[position], f"{place}.{position}", following, end)
        return following

    def step(self, node: Node, place: str, following: str, end: str) -> str:
        ways = {"on_completion": following}
        if node.handler is not None:
            ways = {"on_success": following, "on_failure": self.act(f"{place}.handler", {"on_completion": end})}
        what = node.what
        if isinstance(what, Act):
            return self.act(place, ways, writes=what.writes is not None)
        firsts = [self.branch(nodes, f"{place}/{position}") for position, nodes in enumerate(what.branches)]
        if what.kind == "parallel":
            return self.add("parallel", place, next_steps=firsts, **ways)
        if what.kind == "if":
            more = {"on_true": firsts[0], **({"on_false": firsts[1]} if len(firsts) > 1 else {})}
            return self.add("if-condition", place, condition=f"__n__:value > {what.number}", **more, **ways)
        if what.kind == "switch":
            cases = {str(position): first for position, first in enumerate(firsts)}
            return self.add("switch-condition", place, switch="__n__:value", cases=cases, **ways)
        ceiling = {"step_extensions": {EXTENSION: {"rounds": ROUNDS}}}
        return self.add("while-condition", place, condition=f"__n__:value < {what.number}", on_true=firsts[0], **ceiling, **ways)


def document(nodes: list[Node]) -> bytes:
    writing = Writing()
    start = writing.add("start", "start", on_completion=writing.branch(nodes, ""))
    return json.dumps(
        {
            "type": "playbook", "spec_version": "cacao-2.0", "id": "playbook--392e9c62-14cc-5141-9d31-4bd82da2d47e", "name": "tree",
            "created_by": "identity--96abab60-238a-44ff-8962-5806aa60cbce", "created": "2026-11-27T00:00:00.000Z",
            "modified": "2026-11-27T00:00:00.000Z", "workflow_start": start, "workflow": writing.workflow,
            "playbook_variables": {"__n__": {"type": "integer", "value": "0"}},
            "agent_definitions": {AGENT: {"type": "liandun", "name": "Liandun"}},
            "target_definitions": {TARGET: {"type": "http-api", "name": "target", "address": {"url": ["http://127.0.0.1:8080"]}}},
            "extension_definitions": {
                EXTENSION: {
                    "type": "extension-definition", "name": "Liandun", "description": "steps", "version": "1",
                    "created_by": "identity--96abab60-238a-44ff-8962-5806aa60cbce", "schema": "https://example.org/schema",
                }
            },
        }
    ).encode()  # fmt: skip


def acts_of(nodes: list[Node], place: str = "") -> dict[str, Act]:
    found: dict[str, Act] = {}
    for position, node in enumerate(nodes):
        here = f"{place}.{position}"
        if node.handler is not None:
            found[f"{here}.handler"] = Act(node.handler, None)
        if isinstance(node.what, Act):
            found[here] = node.what
        else:
            for number, branch in enumerate(node.what.branches):
                found |= acts_of(branch, f"{here}/{number}")
    return found


class Driver:
    """An executor without effects: lets events happen to a machine, and keeps them as the journal would."""

    def __init__(self, nodes: list[Node]) -> None:
        self.playbook = read(document(nodes))
        self.acts = acts_of(nodes)
        self.machine = Machine(self.playbook)
        self.events: list[Event] = []
        self.called: Counter[str] = Counter()
        self.done: set[str] = set()
        self.now = 1_000
        self.happen(Started(at=self.now))

    def happen(self, event: Event) -> None:
        self.events.append(event)
        self.machine.apply(event)
        machine = self.machine
        assert machine.state in ENDED or machine.ready() or machine.begun() or machine.questions() or machine.next_timer()

    def begin(self, call: Call) -> None:
        assert call.key not in self.done, "carried out twice"
        self.called[call.request.step_name] += 1
        self.happen(Begun(at=self.now, call=call.key, attempt=call.attempt))

    def end(self, call: Call) -> None:
        act = self.acts[call.request.step_name]
        self.done.add(call.key)
        if act.right:
            written: dict[str, Value] = {} if act.writes is None else {"__n__": str(act.writes)}
            self.happen(Ended(at=self.now, call=call.key, attempt=call.attempt, variables=written))
        else:
            self.happen(Ended(at=self.now, call=call.key, attempt=call.attempt, code="HTTP_ERROR", message="500"))

    def again(self) -> Machine:
        """The run as it is read back from its journal."""
        machine = Machine(self.playbook)
        for event in self.events:
            machine.apply(event)
        return machine


@settings(max_examples=150, deadline=None)
@given(trees(), st.randoms(use_true_random=False))
def test_calls_and_ends_as_the_tree_says(nodes: list[Node], dice: Any) -> None:
    walk = Walk()
    right = walk.branch(nodes, "")
    driver = Driver(nodes)
    assert is_right(check(driver.playbook)), check(driver.playbook)
    while driver.machine.state not in ENDED:
        ready, begun = driver.machine.ready(), driver.machine.begun()
        if ready and (not begun or dice.random() < 0.6):
            driver.begin(dice.choice(ready))
        else:
            driver.end(dice.choice(begun))
    assert driver.called == walk.called
    assert driver.machine.state == ("finished" if right else "failed")
    assert driver.machine.variables()["__n__"] == str(walk.number)


@settings(max_examples=150, deadline=None)
@given(trees(), st.integers(0, 2**32))
def test_read_back_at_any_moment_it_goes_on_the_same_way(nodes: list[Node], seed: int) -> None:
    """Crashes, cancelling and people in between: the journal gives the same run, nothing that ended is begun again, and it ends."""
    driver, dice = Driver(nodes), random.Random(seed)
    for _move in range(2_000):
        machine = driver.machine
        if machine.state in ENDED:
            break
        luck = dice.random()
        if luck < 0.1:
            read_back = driver.again()
            assert [call.key for call in read_back.ready()] == [call.key for call in machine.ready()]
            assert [call.key for call in read_back.begun()] == [call.key for call in machine.begun()]
            assert (read_back.state, read_back.variables(), read_back.next_timer()) == (
                machine.state, machine.variables(), machine.next_timer(),
            )  # fmt: skip
            driver.machine = read_back
            driver.happen(Resumed(at=driver.now))
        elif luck < 0.12:
            driver.happen(Cancelled(at=driver.now, by="analyst"))
        elif luck < 0.15 and (timer := machine.next_timer()):
            driver.now = timer
            driver.happen(Due(at=timer))
        elif questions := machine.questions():
            call = dice.choice(questions)
            choice = dice.choice(["done", "again", "fail"])
            if choice != "again":
                driver.done.add(call.key)
            driver.happen(Decided(at=driver.now, call=call.key, choice=choice))
        elif machine.ready() and (not machine.begun() or luck < 0.6):
            driver.begin(dice.choice(machine.ready()))
        elif machine.begun():
            driver.end(dice.choice(machine.begun()))
        else:
            driver.now = machine.next_timer() or driver.now
            driver.happen(Due(at=driver.now))
    assert driver.machine.state in ENDED
    assert driver.again().state == driver.machine.state
