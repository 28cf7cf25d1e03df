"""Differences between two documents, as people read them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from playbooks.shelf import service as shelf
from playbooks.shelf.difference import MOST
from tests.playbooks.documents import END, FIRST, ON_TRUE, document, octets

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=12,
)


def test_fields_of_a_step_one_by_one() -> None:
    new = document()
    new["workflow"][FIRST]["name"] = "封禁"
    new["workflow"][FIRST]["commands"][0]["content"] = "{}"
    new["workflow"][FIRST]["timeout"] = 5
    del new["workflow"][FIRST]["targets"]
    found = shelf.difference(octets(document()), octets(new))
    assert [(one.kind, one.path.removeprefix(f"workflow.{FIRST}."), one.old, one.new) for one in found] == [
        ("changed", "name", "Block", "封禁"),
        ("changed", "commands[0].content", '{"gateway": "__gateway__:value"}', "{}"),
        ("removed", "targets", document()["workflow"][FIRST]["targets"], None),
        ("added", "timeout", None, 5),
    ]
    assert {(one.step, one.step_name) for one in found} == {(FIRST, "封禁")}


def test_steps_and_variables_that_came_and_went_are_one_change_each() -> None:
    new = document()
    new["workflow"]["action--new"] = {"type": "action", "name": "新"}
    del new["workflow"][ON_TRUE]
    del new["playbook_variables"]["__ip__"]
    found = {(one.kind, one.path, one.step) for one in shelf.difference(octets(document()), octets(new))}
    assert found == {
        ("removed", "playbook_variables.__ip__", ""),
        ("removed", f"workflow.{ON_TRUE}", ON_TRUE),
        ("added", "workflow.action--new", "action--new"),
    }


def test_the_order_of_keys_is_no_difference_and_true_is_not_one() -> None:
    body = document()
    assert shelf.difference(octets(body), octets(dict(reversed(body.items())))) == []
    old, new = {"a": True, "b": [1, {"c": 1}]}, {"a": 1, "b": [1, {"c": True}]}
    assert [one.path for one in shelf.difference(octets(old), octets(new))] == ["a", "b[1].c"]


def test_a_value_in_the_place_of_steps_does_no_harm() -> None:
    old, new = {"workflow": [1]}, {"workflow": {END: 3}}
    assert [one.kind for one in shelf.difference(octets(old), octets(new))] == ["changed"]


def test_there_is_an_end_to_it() -> None:
    assert len(shelf.difference(b"{}", octets({str(number): number for number in range(MOST + 5)}))) == MOST


@given(JSON, JSON)
def test_nothing_is_told_of_what_is_equal_and_something_of_what_is_not(old: Any, new: Any) -> None:
    assert shelf.difference(octets({"x": old}), octets({"x": old})) == []
    found = shelf.difference(octets({"x": old}), octets({"x": new}))
    assert bool(found) == (json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True))
