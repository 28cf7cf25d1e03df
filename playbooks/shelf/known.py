"""The playbooks that a playbook runs, and those that these run: what the check has to know of, and what a run takes along."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from playbooks.actions.parameters import TERMS
from playbooks.check import check
from playbooks.model import Playbook, PlaybookAction
from playbooks.problems import Problem
from playbooks.run.journal import MOST_CALLED, playbook_of
from playbooks.run.models import PlaybookDocument
from playbooks.shelf.models import PlaybookVersion, ShelfPlaybook

MOST_LOOKED_AT = 4 * MOST_CALLED


def calls_of(playbook: Playbook) -> list[str]:
    """Ids of the playbooks that its steps run."""
    return sorted({step.playbook_id for step in playbook.workflow.values() if isinstance(step, PlaybookAction)} - {""})


def called_bodies(session: Session, playbook: Playbook, *, in_force: bool, more: Iterable[Playbook] = ()) -> dict[str, bytes]:
    """Documents of all playbooks that a run of ``playbook`` may come to, by their ids; without itself, and without unknown ones.

    in_force  those in force of playbooks that are switched on; else the newest versions
    more      playbooks that count instead of those on the shelf
    """
    given = {one.id: one for one in more}
    found: dict[str, bytes] = {}
    seen = {playbook.id}
    waiting = [*calls_of(playbook)]
    while waiting and len(seen) < MOST_LOOKED_AT:
        asked = sorted(set(waiting) - seen)
        seen.update(asked)
        loaded = _bodies(session, [one for one in asked if one not in given], in_force)
        found |= loaded
        met = [playbook_of(body) for body in loaded.values()] + [given[one] for one in asked if one in given]
        waiting = [call for one in met for call in calls_of(one) if call not in seen]
    return found


def known_beside(
    session: Session, playbook: Playbook, *, in_force: bool, more: Sequence[Playbook] = ()
) -> dict[str, list[Playbook]]:
    """What the check is told of other playbooks (``known_playbooks``). Arguments as in ``called_bodies``."""
    bodies = called_bodies(session, playbook, in_force=in_force, more=more)
    return {key: [playbook_of(body)] for key, body in bodies.items()} | {one.id: [one] for one in more}


def problems_of(
    session: Session, playbook: Playbook, *, in_force: bool, draft: bool = False, more: Sequence[Playbook] = ()
) -> list[Problem]:
    """What the check says of ``playbook`` beside the playbooks on the shelf; errors first. Arguments as in ``called_bodies``."""
    known = known_beside(session, playbook, in_force=in_force, more=more)
    return check(playbook, draft=draft, known_playbooks=known, own_commands=TERMS)


def _bodies(session: Session, playbook_ids: Collection[str], in_force: bool) -> dict[str, bytes]:
    if not playbook_ids:
        return {}
    number = ShelfPlaybook.released if in_force else ShelfPlaybook.newest
    query = (
        select(ShelfPlaybook.playbook_id, PlaybookDocument.body)
        .join(PlaybookVersion, (PlaybookVersion.playbook_id == ShelfPlaybook.playbook_id) & (PlaybookVersion.number == number))
        .join(PlaybookDocument, PlaybookDocument.digest == PlaybookVersion.digest)
        .where(ShelfPlaybook.playbook_id.in_(playbook_ids))
    )
    if in_force:
        query = query.where(ShelfPlaybook.enabled)
    return {playbook_id: body.encode() for playbook_id, body in session.execute(query)}
