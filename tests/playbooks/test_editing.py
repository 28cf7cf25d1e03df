"""Steps of a document: added, connected, changed, removed; every outcome can be read, and the given document stays."""

from __future__ import annotations

import base64
import copy
import itertools
import json
import uuid
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.errors import Invalid
from playbooks import editing
from playbooks.check import check
from playbooks.json_text import write_json
from playbooks.reading import read
from tests.playbooks.documents import END, FIRST, IF, ON_TRUE, START, TRUE_END, document


def errors(given: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in check(read(write_json(given))) if problem.severity == "error"]


@pytest.mark.parametrize("kind", ["action", "parallel"])
def test_what_is_added_stands_between(kind: str) -> None:
    before = document()
    kept = copy.deepcopy(before)
    after, step = editing.add(before, FIRST, kind)
    assert before == kept
    assert after["workflow"][FIRST]["on_completion"] == step
    assert after["workflow"][step]["on_completion"] == IF
    assert errors(after) == []


def test_a_condition_only_lacks_its_condition() -> None:
    after, step = editing.add(document(), IF, "if-condition")
    assert errors(editing.change(after, step, {"condition": "__answer__:value > 1"}, {})) == []


def test_the_words_and_ways_of_a_step() -> None:
    after = editing.change(document(), FIRST, {"name": "Other", "description": ""}, {"on_completion": END}, "GET / HTTP/1.1")
    step = after["workflow"][FIRST]
    assert (step["name"], step["on_completion"], step["commands"][0]["command"]) == ("Other", END, "GET / HTTP/1.1")
    assert "description" not in step
    without = editing.change(after, FIRST, {}, {"on_completion": ""})
    assert "on_completion" not in without["workflow"][FIRST]


def test_a_switch_with_its_cases() -> None:
    after, step = editing.add(document(), FIRST, "switch-condition")
    assert after["workflow"][step]["on_completion"] == IF
    assert list(after["workflow"][step]["cases"]) == ["default"]
    assert any("switch" in one for one in errors(after))
    other = after["workflow"][step]["cases"]["default"]
    rows = [("1", editing.NEW), ("default", other), ("", editing.NEW), ("", "")]
    made = editing.change(after, step, {"switch": "__answer__:value"}, {}, cases=rows)
    cases = made["workflow"][step]["cases"]
    assert list(cases) == ["1", "default"]
    assert made["workflow"][cases["1"]]["type"] == "action"
    assert errors(made) == []
    assert any("never met" in one for one in errors(editing.change(made, step, {}, {}, cases=[("x", other)])))
    less = editing.change(made, step, {}, {}, cases=[("1", ""), ("default", other)])
    assert list(less["workflow"][step]["cases"]) == ["default"]
    gone = editing.remove(made, step)["workflow"]
    assert gone.keys() == document()["workflow"].keys()
    for wrong in ([("", other)], [("1", other), ("1", other)], [("1", "action--none")], [(str(n), other) for n in range(101)]):
        with pytest.raises(Invalid):
            editing.change(made, step, {}, {}, cases=wrong)


def test_a_playbook_that_is_run() -> None:
    after, step = editing.add(document(), FIRST, "playbook-action")
    assert [one for one in errors(after) if "playbook_id" in one]
    texts = {"playbook_id": f"playbook--{uuid.UUID(int=7, version=4)}", "playbook_version": "2026-11-27T06:30:00.000Z"}
    made = editing.change(after, step, texts, {}, names={"in_args": ["__ip__", "__ip__"], "out_args": []})
    found = made["workflow"][step]
    assert found == {"type": "playbook-action", **texts, "in_args": ["__ip__"], "on_completion": IF}
    assert errors(made) == []
    assert "in_args" not in editing.change(made, step, {}, {}, names={"in_args": []})["workflow"][step]
    assert "playbook_id" not in editing.change(made, FIRST, texts, {})["workflow"][FIRST]


def test_queries_and_rules_stay_base64() -> None:
    before = document()
    before["workflow"][FIRST]["commands"] = [{"type": "elastic", "command": "x", "description": "?"}]
    after = editing.change(before, FIRST, {}, {}, "user:莲\r\nAND b:1")
    (command,) = after["workflow"][FIRST]["commands"]
    assert list(command) == ["type", "description", "command_b64"]
    assert base64.b64decode(command["command_b64"]).decode() == "user:莲\nAND b:1"


def test_what_is_removed_takes_along_what_only_it_led_to() -> None:
    after = editing.remove(document(), IF)
    assert after["workflow"][FIRST]["on_completion"] == END
    assert set(after["workflow"]) == {START, FIRST, END}
    assert errors(after) == []
    assert ON_TRUE not in after["workflow"]
    branch = editing.remove(document(), ON_TRUE)["workflow"]
    assert branch[IF]["on_true"] == TRUE_END


@pytest.mark.parametrize(
    "act",
    [
        lambda one: editing.remove(one, START),
        lambda one: editing.remove(one, "action--none"),
        lambda one: editing.add(one, END, "action"),
        lambda one: editing.add(one, FIRST, "end"),
        lambda one: editing.add({}, FIRST, "action"),
        lambda one: editing.change(one, FIRST, {}, {"on_completion": "action--none"}),
        lambda one: editing.change(one, FIRST, {}, {"on_true": END}),
        lambda one: editing.change(one, FIRST, {}, {"commands": END}),
    ],
)  # fmt: skip
def test_what_is_refused(act: Any) -> None:
    with pytest.raises(Invalid):
        act(document())


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_done_the_outcome_can_be_read(data: st.DataObject) -> None:
    numbers = itertools.count()
    with pytest.MonkeyPatch.context() as patch:  # ids made by chance would make the order of steps one of chance
        patch.setattr(editing.uuid, "uuid4", lambda: uuid.UUID(int=next(numbers), version=4))
        _edit(data)


def _edit(data: st.DataObject) -> None:
    made = json.loads(files("playbooks.library").joinpath("ransomware.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        step = data.draw(st.sampled_from(list(made["workflow"])))
        act = data.draw(st.sampled_from(("remove", *editing.KINDS)))
        try:
            made = editing.remove(made, step) if act == "remove" else editing.add(made, step, act)[0]
        except Invalid:
            continue
    workflow = read(write_json(made)).workflow
    assert {target for step in made["workflow"].values() for target in editing.targets(step)} <= set(workflow)
