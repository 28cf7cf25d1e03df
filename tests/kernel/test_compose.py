"""A query narrowed by one more condition finds what both find, however the first was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.query import matches, parse_query
from kernel.query.compose import condition_of, narrowed

CONDITIONS = st.sampled_from(
    ["a:1", "a:x\\", "NOT b:2", 'c:"p | q"', "(a:1 b:2)", "a:(1 or 2)", "b:/x|y/", "10.0.0.0/8", "a:x\\ y", "_exists_:c"]
)
JOINS = st.sampled_from([" OR ", " or ", "\tOR\t", " OR\n", " AND ", " and ", " ", " OR NOT ", " or not "])
PIPES = st.sampled_from(["", " | top a 3", "|count", " | sort a | top b"])
EVENTS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(["1", "2", "x\\", "x y", "p | q", "10.1.2.3", "x\\ AND"]) for name in "abc"}
)


@st.composite
def conditions(draw: st.DrawFn) -> str:
    text = draw(CONDITIONS)
    for _ in range(draw(st.integers(0, 3))):
        join = draw(JOINS)
        text = condition_of(text) + join + draw(CONDITIONS)
    return text


@given(conditions(), PIPES, EVENTS, st.booleans())
def test_a_narrowed_query_is_both(text: str, pipes: str, event: dict[str, str], exclude: bool) -> None:
    asked = condition_of(text) + pipes
    term = ("NOT " if exclude else "") + 'd:"z"'
    for value in ("z", "other"):
        found = event | {"d": value}
        expected = matches(parse_query(text), found) and ((value == "z") is not exclude)
        assert matches(parse_query(narrowed(asked, term)), found) is expected, narrowed(asked, term)
    assert parse_query(narrowed(asked, term)).pipes == parse_query(asked).pipes


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("", ""),
        (" a:1  ", "a:1"),
        ("a:1 | count", "a:1"),
        ('a:"x|y" | top a', 'a:"x|y"'),
        ("a:C:\\", "a:C:\\\\"),
        ("a:b\\ | count", "a:b\\ "),
    ],
)
def test_the_condition_stands_alone(text: str, condition: str) -> None:
    assert condition_of(text) == condition
    assert parse_query(condition_of(text)).root == parse_query(text).root
