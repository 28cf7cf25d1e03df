"""Whole numbers from addresses and forms. What no row can have as its number is no number, never an error of the database."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

MAX_ROW_ID = 2**63 - 1
_DIGITS = 19


def row_id(text: str) -> int:
    """The number of a row, for ``request.args.get("after", 0, row_id)``. Raises ValueError for what cannot be one."""
    if not text.isdecimal() or len(text) > _DIGITS or int(text) > MAX_ROW_ID:
        raise ValueError(f"{text[: _DIGITS + 1]!r} is no number of a row")
    return int(text)


class RowIdConverter(IntegerConverter):
    """``<int:…>`` in an address: a number beyond 64 bits is an address that does not exist (404)."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=MAX_ROW_ID)


def install(app: Flask) -> None:
    """Makes ``<int:…>`` mean the number of a row; before any rule is added."""
    app.url_map.converters["int"] = RowIdConverter
