"""Lines and JSON values out of streams."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collectors.jsonlines import LINE_LIMIT, lines, values


class Trickle(io.RawIOBase):
    """A stream that gives at most ``step`` bytes at a time."""

    def __init__(self, content: bytes, step: int) -> None:
        self._inner, self._step = io.BytesIO(content), step

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(self._step)


def read_lines(content: bytes, limit: int = LINE_LIMIT, step: int = 1 << 18) -> tuple[list[tuple[int, bytes]], list[str]]:
    told: list[str] = []
    return list(lines(Trickle(content, step), told.append, limit=limit)), told  # type: ignore[arg-type]


def read_values(content: bytes, depth: int, limit: int = 1 << 20, step: int = 1 << 18) -> tuple[list[tuple[int, bytes]], list[str]]:
    told: list[str] = []
    return list(values(Trickle(content, step), told.append, depth=depth, limit=limit)), told  # type: ignore[arg-type]


def test_lines_with_offsets() -> None:
    assert read_lines(b"one\r\n\n  \ntwo\nthree")[0] == [(0, b"one"), (9, b"two"), (13, b"three")]


def test_a_ten_megabyte_line_is_skipped_and_told() -> None:
    content = b"a\n" + b"x" * (10 << 20) + b"\nb\n"
    found, told = read_lines(content)
    assert found == [(0, b"a"), (2 + (10 << 20) + 1, b"b")]
    assert told == ["byte 2: line of 10485760 bytes is longer than the limit of 1048576, skipped"]


def test_a_long_last_line_without_end_is_told() -> None:
    found, told = read_lines(b"a\n" + b"x" * 50, limit=10)
    assert found == [(0, b"a")]
    assert "50 bytes" in told[0]


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"_").replace(b"\r", b"_")), max_size=20), st.integers(1, 9))
def test_any_chunking_gives_the_same_lines(parts: list[bytes], step: int) -> None:
    content = b"\n".join(parts)
    found, told = read_lines(content, limit=20, step=step)
    assert [line for _, line in found] == [part for part in parts if part.strip() and len(part) <= 20]
    assert all(content[offset : offset + len(line)] == line for offset, line in found)
    assert len(told) == sum(len(part) > 20 for part in parts)


def test_two_ranges_share_the_lines() -> None:
    content = b"".join(b"line %d\n" % n for n in range(100))
    for cut in range(1, len(content)):
        first = [line for _, line in lines(io.BytesIO(content), print, end=cut)]
        assert len(first) == content[:cut].count(b"\n") + (not content[:cut].endswith(b"\n"))


_VALUE = st.dictionaries(
    st.text(max_size=5), st.text(max_size=8) | st.integers() | st.lists(st.text(max_size=3), max_size=3), max_size=3
)


@given(st.lists(_VALUE, max_size=8), st.integers(1, 40), st.sampled_from([None, 2]))
def test_elements_of_arrays_and_of_wrapped_arrays(objects: list[dict[str, Any]], step: int, indent: int | None) -> None:
    array = json.dumps(objects, indent=indent, ensure_ascii=False).encode()
    wrapped = b'{"Records": ' + array + b', "more": {"a": 1}}'
    one_after_the_other = b"\n".join(json.dumps(one, indent=indent).encode() for one in objects)
    assert [json.loads(value) for _, value in read_values(array, 1, step=step)[0]] == objects
    assert [json.loads(value) for _, value in read_values(one_after_the_other, 0, step=step)[0]] == objects
    told = read_values(wrapped, 2, step=step)
    assert [json.loads(value) for _, value in told[0]][: len(objects)] == objects
    assert told[1] == []


def test_a_value_above_the_limit_is_skipped_and_the_next_is_read() -> None:
    content = json.dumps([{"a": 1}, {"b": "x" * 700_000, "c": ["y"] * 100_000}, {"d": 2}]).encode()
    found, told = read_values(content, 1, limit=300_000, step=50_000)
    assert [json.loads(value) for _, value in found] == [{"a": 1}, {"d": 2}] or "string longer" in told[0]
    assert told


def test_a_cut_off_value_is_told() -> None:
    found, told = read_values(b'[{"a":1},{"b":', 1)
    assert [value for _, value in found] == [b'{"a":1}']
    assert "not complete" in told[0]


@given(st.binary(max_size=200), st.integers(0, 2), st.integers(1, 20))
def test_any_bytes_end_well(content: bytes, depth: int, step: int) -> None:
    for offset, value in read_values(content, depth, step=step)[0]:
        assert content[offset : offset + len(value)] == value
