"""Looking at the shelf: pages of playbooks, their versions, and the documents as they were saved."""

from __future__ import annotations

import re
from collections import Counter

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from operations import written
from operations.errors import Invalid, NotFound
from playbooks.run.models import PlaybookDocument
from playbooks.shelf import rows
from playbooks.shelf.models import ORIGINS, PlaybookVersion, ShelfPlaybook
from playbooks.shelf.schema import STATES, ShelfFilter, ShelfPage, Shelved, Version, VersionPage

MAX_PAGE = 500
_AFTER = re.compile(r"[^~]{1,160}~.*", re.DOTALL)


def get(session: Session, playbook_id: str) -> Shelved:
    """One playbook. Raises NotFound."""
    return rows.shelved(rows.found(session, playbook_id))


def listing(session: Session, where: ShelfFilter = ShelfFilter(), *, after: str = "", limit: int = 50) -> ShelfPage:
    """A page by name. ``after`` is the cursor of the page before; raises Invalid where it is none, or ``where`` cannot be met."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(ShelfPlaybook).where(*_conditions(where))
    if after:
        if not _AFTER.fullmatch(after) or len(after) > 1_000:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        playbook_id, _, name = after.partition("~")
        same = and_(ShelfPlaybook.name == name, ShelfPlaybook.playbook_id > playbook_id)
        query = query.where(or_(ShelfPlaybook.name > name, same))
    found = list(session.execute(query.order_by(ShelfPlaybook.name, ShelfPlaybook.playbook_id).limit(limit + 1)).scalars())
    page = [rows.shelved(row) for row in found[:limit]]
    return ShelfPage(page, f"{page[-1].playbook_id}~{page[-1].name}" if len(found) > limit else "")


def labels(session: Session) -> dict[str, int]:
    """How many playbooks have each label, the most frequent first: what a list offers to filter by."""
    found: Counter[str] = Counter()
    for text in session.execute(select(ShelfPlaybook.labels)).scalars():
        found.update(msgspec.json.decode(text, type=list[str]))
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def startable(session: Session) -> list[Shelved]:
    """All that can be started now, by name."""
    query = select(ShelfPlaybook).where(ShelfPlaybook.enabled, ShelfPlaybook.released.is_not(None))
    return [rows.shelved(row) for row in session.execute(query.order_by(ShelfPlaybook.name, ShelfPlaybook.playbook_id)).scalars()]


def versions(session: Session, playbook_id: str, *, after: str = "", limit: int = 50) -> VersionPage:
    """Versions of a playbook, newest first; ``after`` as in ``listing``. Raises NotFound, Invalid."""
    rows.found(session, playbook_id)
    limit = max(1, min(limit, MAX_PAGE))
    query = select(PlaybookVersion).where(PlaybookVersion.playbook_id == playbook_id)
    if after:
        if not (after.isascii() and after.isdecimal() and len(after) <= 9):
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(PlaybookVersion.number < int(after))
    found = list(session.execute(query.order_by(PlaybookVersion.number.desc()).limit(limit + 1)).scalars())
    page = [rows.version(row) for row in found[:limit]]
    return VersionPage(page, str(page[-1].number) if len(found) > limit else "")


def version(session: Session, playbook_id: str, number: int | None = None) -> Version:
    """One version; None = the one in force, or the newest where none is. Raises NotFound."""
    return rows.version(rows.version_of(session, playbook_id, _number(session, playbook_id, number)))


def document(session: Session, playbook_id: str, number: int | None = None) -> bytes:
    """A version as it was saved, octet for octet; ``number`` as in ``version``. Raises NotFound."""
    query = (
        select(PlaybookDocument.body)
        .join(PlaybookVersion, PlaybookVersion.digest == PlaybookDocument.digest)
        .where(PlaybookVersion.playbook_id == playbook_id, PlaybookVersion.number == _number(session, playbook_id, number))
    )
    body = session.execute(query).scalar_one_or_none()
    if body is None:
        raise NotFound(f"the playbook {playbook_id[:160]} has no version {number}")
    return body.encode()


def export(session: Session, playbook_id: str, number: int | None = None) -> tuple[str, bytes]:
    """A name for the file, of letters that every system takes, and what it holds: the document with its signatures."""
    number = _number(session, playbook_id, number)
    return f"{playbook_id}-v{number}.json", document(session, playbook_id, number)


def callers(session: Session, playbook_id: str) -> list[Shelved]:
    """Playbooks whose version in force runs this one, by name."""
    query = (
        select(ShelfPlaybook)
        .join(PlaybookVersion, PlaybookVersion.playbook_id == ShelfPlaybook.playbook_id)
        .where(
            PlaybookVersion.number == ShelfPlaybook.released,
            PlaybookVersion.calls.contains(f'"{playbook_id}"', autoescape=True),
        )
        .order_by(ShelfPlaybook.name, ShelfPlaybook.playbook_id)
    )
    return [rows.shelved(row) for row in session.execute(query).scalars()]


def _number(session: Session, playbook_id: str, number: int | None) -> int:
    if number is not None:
        return number
    row = rows.found(session, playbook_id)
    return row.released or row.newest


def _conditions(where: ShelfFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.text:
        folded = where.text[:200].lower()
        found.append(
            or_(
                func.lower(ShelfPlaybook.name).contains(folded, autoescape=True),
                func.lower(ShelfPlaybook.names).contains(_inside(folded), autoescape=True),
            )
        )
    if where.label:
        found.append(ShelfPlaybook.labels.contains(msgspec.json.encode(where.label[:100]).decode(), autoescape=True))
    if where.origin:
        found.append(ShelfPlaybook.origin == written.choice(where.origin, "origin", ORIGINS))
    if where.state:
        written.choice(where.state, "state", STATES)
        found.append(
            {
                "released": ShelfPlaybook.enabled & ShelfPlaybook.released.is_not(None),
                "draft": ShelfPlaybook.enabled & ShelfPlaybook.released.is_(None),
                "disabled": ~ShelfPlaybook.enabled,
            }[where.state]
        )
    return found


def _inside(text: str) -> str:
    """``text`` as it stands within a JSON string."""
    return msgspec.json.encode(text).decode()[1:-1]
