"""Which values a playbook cannot do without, by its text; and that the text is right about it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from playbooks.check.needed import needed
from playbooks.model import Playbook
from playbooks.reading import read
from playbooks.run.events import Started
from playbooks.run.machine import Machine
from tests.playbooks.documents import AGENT, END, PERSON, START, document, octets, uuid

A, B, IF, WHILE, SWITCH, IN, OUT = (f"{kind}--{uuid(number)}" for number, kind in enumerate(
    ("action", "action", "if-condition", "while-condition", "switch-condition", "end", "end"), 300))  # fmt: skip
CALL, CALLED = f"playbook-action--{uuid(310)}", f"playbook--{uuid(311)}"
HTTP = {"type": "http-api", "command": "POST /block/__ip__:value HTTP/1.1"}
MANUAL = {"type": "manual", "command": "look at __ip__:value"}


def action(*commands: dict[str, Any], agent: str = AGENT, then: str = END, **more: Any) -> dict[str, Any]:
    return {"type": "action", "commands": list(commands), "agent": agent, "on_completion": then, **more}


def playbook(first: str, steps: dict[str, Any], *, value: str | None = None, **more: Any) -> Playbook:
    given = {"type": "string", "external": True} | ({"value": value} if value is not None else {})
    workflow = {START: {"type": "start", "on_completion": first}, **steps, END: {"type": "end"}}
    return read(octets(document(playbook_variables={"__ip__": given, "__n__": {"type": "integer", "value": "0"}},
                                workflow=workflow, **more)))  # fmt: skip


def asked(condition: str, way: str, kind: str = "if-condition") -> dict[str, Any]:
    return {
        IF: {"type": kind, "condition": condition, way: A, "on_completion": END},
        A: action(HTTP, then=IN),
        IN: {"type": "end"},
    }


@pytest.mark.parametrize(
    ("command", "is_needed"),
    [
        (HTTP, True),
        (MANUAL, False),
        ({"type": "liandun-ticket", "parameters": {"title": "__ip__:value", "body": "__ip__:value"}}, False),
        ({"type": "liandun-ticket", "parameters": {"title": "t", "bureau": "__ip__:value"}}, True),
        ({"type": "liandun-nft-block", "parameters": {"address": "192.0.2.1", "reason": "__ip__:value"}}, False),
        ({"type": "liandun-nft-block", "parameters": {"address": "__ip__:value", "reason": "r"}}, True),
        ({"type": "bash", "command": "ping __n__:value"}, False),
    ],
)
def test_what_a_machine_reads(command: dict[str, Any], is_needed: bool) -> None:
    agent = PERSON if command["type"] == "manual" else AGENT
    assert needed(playbook(A, {A: action(command, agent=agent)}), {}) == (frozenset(["__ip__"]) if is_needed else frozenset())


@pytest.mark.parametrize(
    ("steps", "is_needed"),
    [
        (asked("EXISTS __ip__:value", "on_true"), False),
        (asked("EXISTS __ip__:value", "on_false"), True),
        (asked("NOT (EXISTS __ip__:value)", "on_false"), False),
        (asked("EXISTS __ip__:value AND __ip__:value LIKE '10.%'", "on_true"), False),
        (asked("EXISTS __ip__:value AND __ip__:value LIKE '10.%'", "on_false"), True),
        (asked("EXISTS __ip__:value OR __n__:value = 1", "on_true"), True),
        (asked("__n__:value = 1", "on_true"), True),
        (asked("EXISTS __ip__:value", "on_true", "while-condition"), False),
        ({A: action(HTTP)}, True),
        ({A: action(HTTP, then=B), B: action(MANUAL, agent=PERSON, out_args=["__ip__"])}, False),
        ({A: action(HTTP, step_variables={"__ip__": {"type": "string", "value": "x"}})}, False),
    ],
)
def test_what_was_asked_for_before(steps: dict[str, Any], is_needed: bool) -> None:
    made = playbook(next(iter(steps)), steps)
    assert needed(made, {}) == (frozenset(["__ip__"]) if is_needed else frozenset())
    assert needed(playbook(next(iter(steps)), steps, value="192.0.2.1"), {}) == frozenset()


def test_what_a_called_playbook_needs_of_what_it_is_handed() -> None:
    called = playbook(A, {A: action(HTTP)}, id=CALLED)
    hands = {CALL: {"type": "playbook-action", "playbook_id": CALLED, "in_args": ["__ip__"], "on_completion": END}}
    keeps = {CALL: {"type": "playbook-action", "playbook_id": CALLED, "on_completion": END}}
    assert needed(playbook(CALL, hands), {CALLED: called}) == {"__ip__"}
    assert needed(playbook(CALL, keeps), {CALLED: called}) == frozenset()
    assert needed(playbook(CALL, hands), {}) == frozenset(), "nobody knows what it reads"
    defaults = playbook(A, {A: action(HTTP)}, value="192.0.2.1", id=CALLED)
    assert needed(playbook(CALL, hands), {CALLED: defaults}) == {"__ip__"}, "what the caller does not know takes its place"
    itself = playbook(CALL, hands, id=CALLED)
    assert needed(itself, {CALLED: itself}) == frozenset(), "no circle is followed for ever"


def test_many_calls_of_calls_take_no_longer() -> None:
    """Each playbook is looked at once; way by way this would be 10^12 of them."""
    ids = [f"playbook--{uuid(400 + number)}" for number in range(6)]
    calls = [f"playbook-action--{uuid(500 + number)}" for number in range(100)]
    known = {ids[-1]: playbook(A, {A: action(HTTP)}, id=ids[-1])}
    for own, called in pairwise(ids):
        steps = {
            call: {"type": "playbook-action", "playbook_id": called, "in_args": ["__ip__"], "on_completion": then}
            for call, then in zip(calls, [*calls[1:], END], strict=True)
        }
        known[own] = playbook(calls[0], steps, id=own)
    assert needed(known[ids[0]], known) == {"__ip__"}


def test_what_is_written_elsewhere_is_not_found_out() -> None:
    copy = {"__ip__": {"type": "string", "value": "x"}}
    steps = {A: action(HTTP, then=B), B: action(MANUAL, agent=PERSON, out_args=["__ip__"], step_variables=copy)}
    assert needed(playbook(A, steps), {}) == {"__ip__"}, "the step writes a copy of its own"


def test_an_open_constant_comes_from_outside() -> None:
    given = {"__ip__": {"type": "string", "external": True, "constant": True}}
    workflow = {START: {"type": "start", "on_completion": A}, A: action(HTTP), END: {"type": "end"}}
    assert needed(read(octets(document(playbook_variables=given, workflow=workflow))), {}) == {"__ip__"}


@pytest.mark.parametrize(
    "command",
    [
        MANUAL,
        MANUAL | {"content": "about __ip__:value"},
        MANUAL | {"content": '{"about": "__ip__:value"}'},
        MANUAL | {"headers": {"about": ["__ip__:value"]}},
        HTTP,
    ],
)
@pytest.mark.parametrize("value", [None, "192.0.2.1"])
def test_a_run_fails_for_a_value_just_where_it_is_needed(command: dict[str, Any], value: str | None) -> None:
    made = playbook(A, {A: action(command, agent=PERSON if command["type"] == "manual" else AGENT)})
    machine = Machine(made)
    machine.apply(Started(at=0, variables={"__ip__": value}))
    assert (machine.state == "failed") == (value is None and needed(made, {}) == {"__ip__"})


def test_switches_and_logins() -> None:
    switch = {
        SWITCH: {"type": "switch-condition", "switch": "__ip__:value", "cases": {"default": A}, "on_completion": END},
        A: action(MANUAL, agent=PERSON, then=IN), IN: {"type": "end"},
    }  # fmt: skip
    assert needed(playbook(SWITCH, switch), {}) == {"__ip__"}
    host = {"type": "http-api", "name": "gw", "address": {"url": ["https://__ip__:value/"]}}
    command = {"type": "http-api", "command": "GET /state HTTP/1.1"}
    made = playbook(A, {A: action(command, targets=[f"http-api--{uuid(8)}"])}, target_definitions={f"http-api--{uuid(8)}": host})
    assert needed(made, {}) == {"__ip__"}
