"""Values of variables out of fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import Invalid
from playbooks.triggers.templates import LONGEST, check_template, fill

FIELDS: dict[str, Any] = {
    "source.ip": "203.0.113.9", "@timestamp": "2026", "n": 7, "t": True, "many": ["a", "b"], "none": None, "o": {}, "x": "{n}",
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{source.ip}", "203.0.113.9"),
        ("告警 {n}: {many} {@timestamp} {t}", "告警 7: a 2026 true"),
        ("{none}{o}{not.there}", ""),
        ("{x}", "{n}"),  # put in once
        ("{{n}}", "{n}"),
        ("", ""),
    ],
)
def test_filling(template: str, text: str) -> None:
    assert fill(template, FIELDS) == text


@pytest.mark.parametrize("template", ["{", "}", "{a b}", "{{}", "{a", "a}", "{}", "{0.__class__}", "{a!r}", "x" * (LONGEST + 1)])
def test_what_is_no_template(template: str) -> None:
    with pytest.raises(Invalid):
        check_template(template)


@given(st.text("{}ab.", max_size=20))
def test_it_is_refused_or_filled(template: str) -> None:
    try:
        check_template(template)
    except Invalid:
        return
    assert isinstance(fill(template, {"a": "1"}), str)
