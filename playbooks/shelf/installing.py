"""The shipped playbooks come onto the shelf, and newer ones of them after an update of the platform.

What people have decided stays. A newer shipped version comes into force by itself only where the newest shipped one was in force
before; who put a version of their own, or an older one, in force, or none, finds it on the shelf.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from playbooks.actions.parameters import TERMS
from playbooks.check import check, is_right
from playbooks.library import load
from playbooks.model import Playbook
from playbooks.reading import write
from playbooks.run.journal import digest_of
from playbooks.shelf.models import PlaybookVersion, ShelfPlaybook
from playbooks.shelf.releasing import put_in_force
from playbooks.shelf.saving import add_version, blank

NOTE = "shipped with the platform"
_INSTALLING = 0x7368656C66  # "shelf": names the lock of installing in PostgreSQL


class Installed(msgspec.Struct, frozen=True):
    """Ids of playbooks that came onto the shelf, and of those that got a newer version."""

    new: list[str]
    newer: list[str]


def install_library(session: Session, shipped: Sequence[Playbook] | None = None) -> Installed:
    """Bring ``shipped`` (the library of this platform) onto the shelf; what lies there already is left. Nothing a second time."""
    _one_at_a_time(session)
    playbooks = load() if shipped is None else list(shipped)
    known = {one.id: [one] for one in playbooks}
    there = _digests(session, [one.id for one in playbooks])
    outcome = Installed([], [])
    for playbook in playbooks:
        body = write(playbook)
        if digest_of(body) not in there.get(playbook.id, ()):
            (outcome.newer if playbook.id in there else outcome.new).append(playbook.id)
            _install(session, playbook, body, known)
    if outcome.new or outcome.newer:
        detail = {"new": len(outcome.new), "newer": len(outcome.newer)}
        audit.append(session, SYSTEM, "playbook.install", "playbook", detail=detail)
        session.flush()
    return outcome


def _one_at_a_time(session: Session) -> None:
    """Processes that start at the same moment wait for each other; an embedded database has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_INSTALLING)))


def _digests(session: Session, playbook_ids: list[str]) -> dict[str, set[str]]:
    query = select(PlaybookVersion.playbook_id, PlaybookVersion.digest).where(PlaybookVersion.playbook_id.in_(playbook_ids))
    found: dict[str, set[str]] = {}
    for playbook_id, digest in session.execute(query):
        found.setdefault(playbook_id, set()).add(digest)
    return found


def _install(session: Session, playbook: Playbook, body: bytes, known: Mapping[str, Sequence[Playbook]]) -> None:
    row = session.get(ShelfPlaybook, playbook.id, with_for_update=True, populate_existing=True)
    if row is None:
        row = blank(playbook, "library", SYSTEM.name)
        session.add(row)
        session.flush()
    follows = row.newest == 0 or (row.released is not None and row.released == _newest_shipped(session, playbook.id))
    problems = check(playbook, known_playbooks=known, own_commands=TERMS)
    version = add_version(session, row, playbook, body, problems, origin="library", note=NOTE, by=SYSTEM.name)
    if follows and is_right(problems):
        put_in_force(row, version, playbook, SYSTEM.name)
        session.flush()


def _newest_shipped(session: Session, playbook_id: str) -> int | None:
    query = select(func.max(PlaybookVersion.number)).where(
        PlaybookVersion.playbook_id == playbook_id, PlaybookVersion.origin == "library"
    )
    return session.execute(query).scalar_one()
