"""References to variables are found wherever they stand in a text."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from playbooks.references import forgotten, names_within, references, the_one


def test_references_are_found_with_their_place() -> None:
    text = "https://__host__:value/__Path-1__:value?q=__not__"
    assert [(text[one.start : one.end], one.name) for one in references(text)] == [
        ("__host__:value", "__host__"),
        ("__Path-1__:value", "__Path-1__"),
    ]
    assert list(forgotten(text)) == ["__not__"]


def test_a_name_reaches_back_to_the_first_underscores_of_its_word() -> None:
    assert [one.name for one in references("x__a__:value")] == ["__a__"]
    assert [one.name for one in references("__a__b__:value")] == ["__a__b__"]
    assert [one.name for one in references("-__a__:values")] == ["__a__"]
    assert [one.name for one in references("__1__:value ____:value _a_:value __a:value 中__b__:value")] == ["__b__"]


def test_the_one_is_a_whole_text() -> None:
    assert the_one(" __a__:value ") == "__a__"
    assert the_one("__a__") == "__a__"
    assert the_one("__a__:value b") == ""


def test_names_within_json() -> None:
    assert names_within({"__k__:value": ["a __b__:value", {"c": "__d__:value"}, 5, None]}) == {"__k__", "__b__", "__d__"}


@given(st.text(alphabet="_a-:value1 ", max_size=60))
def test_no_text_crashes_and_what_is_found_is_there(text: str) -> None:
    for one in references(text):
        assert text[one.start : one.end] == f"{one.name}:value"


def test_long_words_take_linear_time() -> None:
    started = time.perf_counter()
    assert [len(one.name) for one in references("_" * 2_000_000 + ":value" + "__a" * 500_000)] == [250]
    assert list(forgotten("_a" * 1_000_000 + "__")) == []
    assert time.perf_counter() - started < 5
