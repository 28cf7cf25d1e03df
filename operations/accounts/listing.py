"""The list of accounts: filtered, sorted, paged by key."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations.accounts.models import User
from operations.accounts.schema import UserPage
from operations.accounts.service import records
from operations.errors import Invalid

SORTS: dict[str, tuple[ColumnElement[Any], bool]] = {
    "name": (User.name_key.expression, False),
    "created": (User.created_at.expression, True),
    "last_login": (func.coalesce(User.last_login_at, ""), True),
    "role": (User.role.expression, False),
}
"""Sort name → column, and whether it usually goes downwards."""

STATES: tuple[str, ...] = ("active", "off", "removed")
MAX_PAGE = 200
_CURSOR = re.compile(r"([0-9]{1,18})~(.{0,128})", re.DOTALL)


class AccountFilter(msgspec.Struct, frozen=True):
    """Which accounts; "" = any. ``role`` "-" = none granted yet; ``state`` "" leaves out removed ones; ``text``: in the names."""

    role: str = ""
    state: str = ""
    text: str = ""


def list_accounts(
    session: Session, where: AccountFilter = AccountFilter(), *, sort: str = "name", limit: int = 50, cursor: str = ""
) -> UserPage:
    """One page. ``sort`` is a name of SORTS, with ``-`` before it for the other direction. Raises Invalid."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise Invalid(f"accounts cannot be sorted by {name[:64]!r}", f"one of {', '.join(SORTS)}", field="sort")
    column, downwards = SORTS[name]
    downwards ^= sort.startswith("-")
    limit = max(1, min(limit, MAX_PAGE))
    conditions = _conditions(where)
    query = select(User, column).where(*conditions)
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        row_id, value = int(match[1]), match[2]
        beyond = column < value if downwards else column > value
        query = query.where(or_(beyond, and_(column == value, User.id < row_id if downwards else User.id > row_id)))
    order = (column.desc(), User.id.desc()) if downwards else (column, User.id)
    rows = list(session.execute(query.order_by(*order).limit(limit + 1)))
    total = session.execute(select(func.count()).select_from(User).where(*conditions)).scalar_one()
    shown = rows[:limit]
    following = f"{shown[-1][0].id}~{shown[-1][1]}" if len(rows) > limit else ""
    return UserPage(records(session, [row[0] for row in shown]), following, total)


def _conditions(where: AccountFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.state and where.state not in STATES:
        raise Invalid(f"there is no state {where.state[:64]!r}", f"one of {', '.join(STATES)}", field="state")
    found.append(User.removed_at.is_not(None) if where.state == "removed" else User.removed_at.is_(None))
    if where.state in ("active", "off"):
        found.append(User.active.is_(where.state == "active"))
    if where.role:
        found.append(User.role == ("" if where.role == "-" else where.role))
    for word in where.text.casefold().split()[:8]:
        found.append(or_(User.name_key.contains(word, autoescape=True), User.display_name.icontains(word, autoescape=True)))
    return found
