"""Saved views: a name for a filter of the queue, private or shared with those of the same scope.

A view keeps parameters of the queue's address and nothing else: what somebody sees through it is what they would see with the same
filter typed by hand. ``*me`` as assignee stands for whoever looks.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crypto.sm3 import sm3
from operations import clock, written
from operations.accounts.models import User
from operations.accounts.schema import Principal
from operations.alerts.desk_models import AlertView
from operations.alerts.models import OPEN, SUPPRESSED
from operations.alerts.schema import UNASSIGNED
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound

ME = "*me"
"""Stands for the person who looks; no name of an account has a star."""

MAX_NAME = 60
MAX_QUERY = 2000
MOST = 50
"""Views of one account; a list shows at most as many shared ones of others."""

Pairs = tuple[tuple[str, str], ...]
_OPEN: Pairs = tuple(("status", status) for status in OPEN)
BUILT_IN: dict[str, Pairs] = {
    "mine-and-unassigned": (*_OPEN, ("assignee", ME), ("assignee", UNASSIGNED)),
    "open": _OPEN,
    "mine": (*_OPEN, ("assignee", ME)),
    "unassigned": (*_OPEN, ("assignee", UNASSIGNED)),
    "closed": (("status", "closed"),),
    "suppressed": (("status", SUPPRESSED),),
    "all": (),
}
"""Slug → parameters of the views that everybody has."""


class View(msgspec.Struct, frozen=True):
    """A saved view as one account sees it; ``mine``: its owner's, who alone may change it."""

    slug: str
    name: str
    query: str
    shared: bool
    owner: str
    mine: bool
    created_at: str
    updated_at: str
    version: int

    @property
    def pairs(self) -> Pairs:
        """Its parameters."""
        return tuple(parse_qsl(self.query, keep_blank_values=True))


def list_views(session: Session, who: Principal) -> list[View]:
    """One's own and those that others share with this scope, by name."""
    shared = AlertView.shared & (AlertView.scope == scope_of(who)) & (AlertView.owner_id != who.user_id)
    own = select(AlertView).where(AlertView.owner_id == who.user_id).order_by(AlertView.name).limit(MOST)
    of_others = select(AlertView).join(User, User.id == AlertView.owner_id).where(shared, User.active, User.removed_at.is_(None))
    rows = [*session.execute(own).scalars(), *session.execute(of_others.order_by(AlertView.name).limit(MOST)).scalars()]
    return [_record(row, who) for row in sorted(rows, key=lambda row: (row.name, row.slug))]


def get_view(session: Session, who: Principal, slug: str) -> View:
    """One view. Raises NotFound, also for what is not shared with this person."""
    return _record(_row(session, who, slug), who)


def create_view(session: Session, who: Principal, name: str, pairs: Sequence[tuple[str, str]], *, shared: bool = False) -> View:
    """Keep ``pairs`` (checked by the filter parser of the queue) under a name. Raises Invalid."""
    query = _query(pairs)
    number = session.execute(select(func.count()).select_from(AlertView).where(AlertView.owner_id == who.user_id)).scalar_one()
    if number >= MOST:
        raise Invalid(f"an account has at most {MOST} views", "delete one first", field="name")
    name, present = _free_name(session, who, name), clock.now()
    row = AlertView(
        slug=_slug(name), owner_id=who.user_id, owner=who.name, name=name, query=query, shared=shared, scope=scope_of(who),
        created_at=present, updated_at=present, version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    audit.append(session, who.actor, "view.create", "alert view", row.slug, detail={"name": name, "query": query, "shared": shared})
    return _record(row, who)


def change_view(
    session: Session,
    who: Principal,
    slug: str,
    *,
    expected_version: int | None,
    name: str | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    shared: bool | None = None,
) -> View:
    """Change one's own view; None leaves a field as it is. Raises NotFound, Invalid, Conflict."""
    row = _own(session, who, slug, expected_version)
    before = {"name": row.name, "query": row.query, "shared": row.shared}
    row.name = row.name if name is None else _free_name(session, who, name, but=slug)
    row.query = row.query if pairs is None else _query(pairs)
    row.shared = row.shared if shared is None else shared
    after = {"name": row.name, "query": row.query, "shared": row.shared}
    if after != before:
        row.scope, row.version, row.updated_at = scope_of(who), row.version + 1, clock.now()
        audit.append(session, who.actor, "view.change", "alert view", slug, detail={"before": before, "after": after})
    session.flush()
    return _record(row, who)


def delete_view(session: Session, who: Principal, slug: str, *, expected_version: int | None) -> None:
    """Delete one's own view. Raises NotFound, Conflict."""
    row = _own(session, who, slug, expected_version)
    audit.append(session, who.actor, "view.delete", "alert view", slug, detail={"name": row.name, "query": row.query})
    session.delete(row)
    session.flush()


def scope_of(who: Principal) -> str:
    """Who shares with whom: accounts of the same organisations, or of the same zones where these make the scope; "" = no scope."""
    if who.zones is None:
        return ""
    names = ("organisations", *sorted(who.organisations)) if who.organisations else ("zones", *sorted(who.zones))
    return sm3("\n".join(names).encode()).hex()


def _row(session: Session, who: Principal, slug: str) -> AlertView:
    seen = or_(AlertView.owner_id == who.user_id, AlertView.shared & (AlertView.scope == scope_of(who)))
    row = session.execute(select(AlertView).where(AlertView.slug == slug[:80], seen)).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such view")
    return row


def _own(session: Session, who: Principal, slug: str, expected_version: int | None) -> AlertView:
    query = select(AlertView).where(AlertView.slug == slug[:80], AlertView.owner_id == who.user_id).with_for_update()
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such view of yours")
    if expected_version is not None and expected_version != row.version:
        raise Conflict("this view was changed by somebody else", "read it again and decide once more")
    return row


def _query(pairs: Sequence[tuple[str, str]]) -> str:
    query = urlencode(pairs)
    if len(query) > MAX_QUERY:
        raise Invalid(f"a view has at most {MAX_QUERY} characters", "leave some filters out", field="query")
    return query


def _free_name(session: Session, who: Principal, name: str, but: str = "") -> str:
    name = written.name(name, "name", MAX_NAME)
    taken = select(AlertView.slug).where(AlertView.owner_id == who.user_id, AlertView.name == name, AlertView.slug != but)
    if session.execute(taken).first() is not None:
        raise Invalid("you have a view of this name already", field="name")
    return name


def _slug(name: str) -> str:
    """Readable where the name is in Latin letters, and never one that can be guessed or is built in."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{words or 'view'}-{secrets.token_hex(6)}"


def _record(row: Any, who: Principal) -> View:
    return View(
        row.slug, row.name, row.query, bool(row.shared), row.owner, row.owner_id == who.user_id, row.created_at, row.updated_at,
        row.version,
    )  # fmt: skip
