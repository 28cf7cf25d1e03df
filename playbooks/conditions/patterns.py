"""LIKE and MATCHES, in time that no pattern can make run away."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import duckdb

from kernel.query.re2 import re2_error, re2_search
from kernel.query.regex import re2_character

LONGEST_PATTERN = 1_000
LONGEST_TEXT = 100_000
Test = Callable[[str], bool]


def like(pattern: str) -> Test:
    """``%`` is any text, ``_`` any one letter; upper and lower case differ."""
    pieces = (".*" if one == "%" else "." if one == "_" else re2_character(ord(one)) for one in pattern)
    return matches(f"\\A{''.join(pieces)}\\z")


@lru_cache(maxsize=1024)
def fault_of(pattern: str) -> str:
    """Why a regular expression cannot be used, "" where it can. RE2's syntax: no look-around, no back references."""
    if "\0" in pattern:
        return "a NUL cannot be searched for"
    return re2_error(f"(?s){pattern}")


def matches(pattern: str) -> Test:
    """Whether the regular expression occurs anywhere in the text; ``.`` is a line end, too."""

    def test(text: str) -> bool:
        try:
            return re2_search(f"(?s){pattern}", text)
        except duckdb.Error as error:
            raise ValueError(str(error).splitlines()[0][:200]) from error

    return test
