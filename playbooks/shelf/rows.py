"""Rows of the shelf: found, locked, and as records."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from operations.errors import NotFound, Stale
from playbooks.problems import Problem
from playbooks.shelf.models import PlaybookVersion, ShelfPlaybook
from playbooks.shelf.schema import Shelved, Version

_PROBLEMS = msgspec.json.Decoder(list[Problem])
_TEXTS = msgspec.json.Decoder(list[str])
_NAMES = msgspec.json.Decoder(dict[str, str])


def locked(session: Session, playbook_id: str, revision: int | None) -> ShelfPlaybook:
    """The playbook to change. Raises NotFound; Stale where ``revision`` is not its present one (None = whatever it is)."""
    row = session.get(ShelfPlaybook, playbook_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no playbook {playbook_id[:160]}")
    if revision is not None and revision != row.revision:
        raise Stale("this playbook was changed meanwhile", "read it again and decide once more")
    return row


def found(session: Session, playbook_id: str) -> ShelfPlaybook:
    """The playbook. Raises NotFound."""
    row = session.get(ShelfPlaybook, playbook_id)
    if row is None:
        raise NotFound(f"there is no playbook {playbook_id[:160]}")
    return row


def version_of(session: Session, playbook_id: str, number: int) -> PlaybookVersion:
    """One version. Raises NotFound."""
    row = session.get(PlaybookVersion, (playbook_id, number))
    if row is None:
        raise NotFound(f"the playbook {playbook_id[:160]} has no version {number}")
    return row


def shelved(row: ShelfPlaybook) -> Shelved:
    """As a record."""
    return Shelved(
        playbook_id=row.playbook_id,
        name=row.name,
        names=_NAMES.decode(row.names),
        labels=_TEXTS.decode(row.labels),
        origin=row.origin,
        enabled=row.enabled,
        released=row.released,
        newest=row.newest,
        revision=row.revision,
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )


def version(row: PlaybookVersion) -> Version:
    """As a record."""
    return Version(
        playbook_id=row.playbook_id,
        number=row.number,
        digest=row.digest,
        modified=row.modified,
        origin=row.origin,
        runnable=row.runnable,
        problems=_PROBLEMS.decode(row.problems),
        calls=_TEXTS.decode(row.calls),
        note=row.note,
        created_at=row.created_at,
        created_by=row.created_by,
        released_at=row.released_at,
        released_by=row.released_by,
    )
