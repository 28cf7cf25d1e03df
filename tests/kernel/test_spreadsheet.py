"""No cell is run as a formula, none loses text."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.spreadsheet import csv_row, harmless


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        " =1+1",
        "\t=1",
        "\u3000=1",
        "\ufeff=1",
        "\xa0@SUM(1)",
        "＝1+1",
        "　＋1",
        "－1-x",
        "＠x",
        "﹦1",
        "-1+cmd",
        "+a",
        "\r\n=1",
    ],
)
def test_no_cell_begins_a_formula(text: str) -> None:
    assert csv_row([text]).lstrip('"').startswith("'" + text[0])


@pytest.mark.parametrize("text", ["-5", "+5.25", " -5", "a=1", "@timestamp", "", "  ", "1-1", "10.0.0.1", "x ＝ 1", "用户＝张"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert next(csv.reader([csv_row([text, "end"])])) == [text, "end"]


@given(st.text())
def test_no_cell_loses_text(text: str) -> None:
    assert harmless(text).endswith(text)
    if text.isprintable():
        assert next(csv.reader([csv_row([text, "next"])])) == [harmless(text), "next"]
