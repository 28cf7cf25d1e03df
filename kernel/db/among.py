"""A column with one of many ids, as a condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, any_, func, literal, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement


def among(session: Session, column: Any, ids: Sequence[int]) -> ColumnElement[bool]:
    """True for rows with one of ``ids``. They are one parameter, a JSON text or an array: thousands cost more than the query."""
    if session.get_bind().dialect.name != "sqlite":
        return column == any_(literal(list(ids), ARRAY(BigInteger)))  # type: ignore[no-any-return]
    listed = func.json_each(msgspec.json.encode(ids).decode()).table_valued("value")
    return column.in_(select(listed.c.value))  # type: ignore[no-any-return]
