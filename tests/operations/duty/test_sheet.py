"""The roster as CSV: what is written is read back, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.duty.schema import Place
from operations.duty.sheet import MAX_BYTES, plain, read, safe, write
from operations.errors import Invalid

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(text)
def test_a_cell_comes_back_and_is_no_formula(cell: str) -> None:
    assert plain(safe(cell)) == cell
    assert not safe(cell).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.lists(st.tuples(st.integers(1, 5), text.filter(lambda value: value == value.strip() and value)), min_size=1, max_size=5))
def test_a_roster_comes_back(rows: list[tuple[int, str]]) -> None:
    places = [Place(1, "2026-11-26", "day", rank, name, f"={name}", "", "") for rank, name in rows]
    content = write(places)
    cells = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert all(row[4].startswith("'=") for row in cells[1:])
    assert [(one.rank, one.name) for one in read(content)] == rows


@given(st.binary(max_size=400))
def test_rubbish_is_refused_not_a_fault(content: bytes) -> None:
    try:
        read(content)
    except Invalid:
        return


def test_columns_are_found_by_name_and_chinese_spreadsheets_are_read() -> None:
    content = "备注,name,day,rank,shift\r\n夜间,zhao,2026-11-26,1,day\r\n\r\n,sun,2026-11-26,2,day\r\n".encode("gb18030")
    assert [(one.name, one.rank, one.line) for one in read(content)] == [("zhao", 1, 2), ("sun", 2, 4)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the first line names"),
        (b"day,shift,rank\n", "the first line names"),
        (b"day,shift,rank,name\n", "names no place"),
        (b"day,shift,rank,name\n2026-11-26,day,first,zhao\n", "line 2"),
        (b"day,shift,rank,name\n2026-11-26,day,1\n", "line 2: a cell"),
        (b'day,shift,rank,name\n"2026', "line"),
        (b"x" * (MAX_BYTES + 1), "at most"),
        (b"\xff\xff\xff", "neither"),
    ],
)
def test_files_that_do_not_fit(content: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read(content)
