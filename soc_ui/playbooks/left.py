"""What an undo of a run could not take back, as the page of the run tells it."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from operations.errors import Conflict
from playbooks.run import steering
from playbooks.run.listing import RunRow
from playbooks.run.taking_back import Left
from soc_ui.playbooks.titles import Titles


class LeftOver(msgspec.Struct, frozen=True):
    """One step whose doing is still in force, or may be. ``code`` and ``message``: why taking it back failed, "" = not tried."""

    visit: int
    title: str
    code: str
    message: str


def left_of(session: Session, run: RunRow) -> list[LeftOver]:
    """The last act first; none where the journal cannot be read any more."""
    try:
        return [_told(one) for one in steering.left(session, run.id)]
    except Conflict:
        return []


def _told(one: Left) -> LeftOver:
    visit, failure = one.undo.visit, one.failure
    title = Titles(visit.branch.frame.playbook).step(visit.step_id)
    return LeftOver(visit.number, title, failure.code if failure else "", failure.message if failure else "")
