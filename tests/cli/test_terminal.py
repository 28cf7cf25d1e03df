"""Text of others on a terminal, and tables of one line a row."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from rich.cells import cell_len

from cli import terminal
from cli.terminal import print_lines, visible


@given(st.text())
def test_visible_text_is_one_line_without_control_characters(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert all(sign.isprintable() or sign.isspace() for sign in shown)
    assert len(shown.splitlines()) <= 1
    assert not set(shown) & set("\x1b\x07\x7f\x9b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028")


def test_chinese_and_its_blanks_stay_as_they_are() -> None:
    assert visible("横向移动　（测试）\ta\r\nb") == "横向移动　（测试） a  b"


CELL = st.text("abc 规则", max_size=120)


@given(rows=st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=5), width=st.integers(20, 400))
def test_a_row_is_a_line_and_narrow_columns_are_whole(rows: list[tuple[str, ...]], width: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "PIPED_WIDTH", width)
        console = terminal.console()
        patch.setattr(terminal, "console", lambda: console)
        with console.capture() as captured:
            assert print_lines(("one", "two", "three", "four"), rows) == len(rows)
    lines = captured.get().splitlines()
    assert len(lines) == len(rows) + 1
    for at in range(4):
        if all(cell_len(row[at]) <= 40 for row in rows):
            assert all(row[at].rstrip() in line for row, line in zip(rows, lines[1:], strict=True))
    natural = [max([5, *(cell_len(row[at]) for row in rows)]) for at in range(4)]
    least = sum(one if one <= 40 else 20 for one in natural) + 8
    assert max(map(cell_len, lines)) <= max(width, least)
