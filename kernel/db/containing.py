"""A text column that has a word in it, as a condition."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement


def containing(session: Session, column: Any, word: str) -> ColumnElement[bool]:
    """True for rows with ``word`` anywhere in ``column``, without regard to case: on SQLite to that of ASCII letters only.

    The word stays as it was typed: lower() of SQLite knows ASCII only, so a word lowered here would miss Ä and full-width letters.
    LIKE itself disregards the case of ASCII letters there, and is quicker than lower() on both sides.
    """
    pattern = f"%{word.replace('/', '//').replace('%', '/%').replace('_', '/_')}%"
    sqlite = session.get_bind().dialect.name == "sqlite"
    return column.like(pattern, escape="/") if sqlite else column.ilike(pattern, escape="/")  # type: ignore[no-any-return]
