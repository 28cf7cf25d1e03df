"""Documents that are playbooks are read whole; all others are refused with the place, and nothing crashes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.check import check
from playbooks.json_text import MAX_BYTES
from playbooks.model import Action, IfCondition
from playbooks.problems import PlaybookError
from playbooks.reading import read, write
from tests.playbooks.documents import FIREWALL, FIRST, IF, ON_TRUE, document, octets, playbook


def test_everything_of_a_playbook_is_read() -> None:
    found = playbook()
    assert found.name == "封禁攻击地址"
    step = found.workflow[FIRST]
    assert isinstance(step, Action)
    assert step.type == "action"
    assert step.commands[0].text() == "POST /block/__ip__:value HTTP/1.1"
    assert step.commands[0].body() == b'{"gateway": "__gateway__:value"}'
    condition = found.workflow[IF]
    assert isinstance(condition, IfCondition)
    assert list(condition.branches()) == [("on_true", ON_TRUE)]
    assert found.playbook_variables["__answer__"].value == "0"
    assert found.playbook_variables["__ip__"].value == "203.0.113.9"
    assert found.target_definitions[FIREWALL].address["ipv6"] == ["2001:db8::1"]


def test_a_document_is_written_as_it_was_read() -> None:
    one = document(x_own={"b": [1, 2.5, None, "\u2028"], "a": {}})
    again = json.loads(write(read(octets(one))))
    assert again == one
    assert list(again) == list(one)


def test_numbers_of_variables_are_read_as_text() -> None:
    one = document(playbook_variables={"__n__": {"type": "float", "value": 0.85}, "__b__": {"type": "bool", "value": True}})
    variables = playbook(one).playbook_variables
    assert (variables["__n__"].value, variables["__b__"].value) == ("0.85", "true")


def test_commands_of_other_kinds_keep_their_properties() -> None:
    one = document()
    one["workflow"][ON_TRUE]["commands"] = [{"type": "liandun-block", "address": "__ip__:value", "minutes": 30}]
    step = playbook(one).workflow[ON_TRUE]
    assert isinstance(step, Action)
    assert step.commands[0].more == {"address": "__ip__:value", "minutes": 30}


def test_base64_is_decoded() -> None:
    one = document()
    one["workflow"][ON_TRUE]["commands"] = [{"type": "manual", "command_b64": "5bCB56aB"}]
    step = playbook(one).workflow[ON_TRUE]
    assert isinstance(step, Action)
    assert step.commands[0].text() == "封禁"


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        (b"", "", "line 1, column 1"),
        (b"[]", "", "a JSON object is wanted"),
        (b"\xff", "", "not UTF-8"),
        (b'{"type": "bundle"}', "type", "'bundle'"),
        (b'{"type": "playbook", "spec_version": "1.1"}', "spec_version", "'1.1'"),
        (b'{"type": "playbook", "type": "playbook"}', "", "'type' stands twice"),
        (b'{"a": {"b": [{"c": 1, "c": 2}]}}', "a.b[0]", "'c' stands twice"),
        (b'{"a": NaN}', "", "NaN"),
        (b'{"a": 1e999}', "a", "too large"),
        (b'{"a": 18446744073709551616}', "a", "64 bits"),
        (b'{"a": ' + b"9" * 5000 + b"}", "", "no JSON"),
        (rb'{"a": "\ud800"}', "a", "surrogate"),
        (rb'{"a": "\u0000"}', "a", "NUL"),
        (b"[" * 100_000, "", "nested"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "a." * 64 + "a", "nested"),
        (b" " * (MAX_BYTES + 1), "", "4 MiB"),
    ],
)
def test_documents_that_are_none_are_refused(data: bytes, path: str, message: str) -> None:
    with pytest.raises(PlaybookError) as caught:
        read(data)
    assert caught.value.problems[0].path == path
    assert message in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("workflow",), [], "a list stands where the steps are wanted"),
        (("workflow", FIRST, "type"), "actoin", "there is no kind of step 'actoin'"),
        (("workflow", FIRST, "type"), ["action"], "there is no kind of step a list"),
        (("workflow", FIRST, "type"), "playbook", "there is no kind of step 'playbook'"),
        (("workflow", FIRST), "go", "'go' stands where an object is wanted"),
        (("workflow", FIRST, "timeout"), "5000", "'5000' stands where a whole number is wanted"),
        (("workflow", FIRST, "timeout"), True, "True stands where a whole number is wanted"),
        (("workflow", FIRST, "delay"), 1.5, "1.5 stands where a whole number is wanted"),
        (("workflow", FIRST, "on_completion"), None, "null stands where a text is wanted"),
        (("workflow", FIRST, "targets"), FIREWALL, "where a list is wanted"),
        (("workflow", FIRST, "commands", 0, "headers"), {"A": "b"}, "'b' stands where a list is wanted"),
        (("target_definitions", FIREWALL, "address", "ipv4", 0), {}, "an object stands where a text is wanted"),
        (("playbook_variables", "__ip__", "value"), ["10.0.0.1"], "a list stands where"),
        (("revoked",), "no", "'no' stands where true or false is wanted"),
    ],
)
def test_wrong_json_types_are_told_with_their_place(place: tuple[str | int, ...], value: Any, message: str) -> None:
    one: Any = document()
    holder = one
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    with pytest.raises(PlaybookError) as caught:
        read(octets(one))
    assert [message in problem.message for problem in caught.value.problems] == [True]
    if place[0] == "workflow" and len(place) > 1:
        assert caught.value.problems[0].step == place[1]


def test_all_places_are_told_at_once() -> None:
    with pytest.raises(PlaybookError) as caught:
        read(octets(document(revoked=1, labels="x", priority="high", name=7, severity=[])))
    assert len(caught.value.problems) == 5
    assert "and 2 more" in str(caught.value)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_octets_crash_reading(data: bytes) -> None:
    with pytest.raises(PlaybookError):
        read(data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_TEXTS = st.sampled_from(
    [
        "",
        "__ip__:value",
        "__a__:value = 'x' OR",
        FIRST,
        IF,
        "start",
        "end",
        "parallel",
        "switch-condition",
        "::",
        "http://[::",
        "a@b",
        "%",
        "2026-02-30T00:00:00Z",
        "true",
        "=",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), _JSON | _TEXTS)
def test_a_playbook_with_any_other_value_anywhere_is_refused_or_checked(seed: int, value: Any) -> None:
    """One random place of a right document is replaced, removed, or its key renamed; neither reading nor checking may crash."""
    chance = random.Random(seed)
    one = document()
    holder: Any = one
    while True:
        key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.15:
            break
        holder = inner
    act = chance.random()
    if act < 0.15:
        del holder[key]
    elif act < 0.25 and isinstance(holder, dict) and isinstance(value, str):
        holder[value] = holder.pop(key)
    else:
        holder[key] = value
    try:
        found = read(octets(one))
    except PlaybookError:
        return
    for problem in check(found, known_playbooks={}):
        assert problem.message
        assert problem.hint
    check(found, draft=True)
