"""What people may want of a run as a whole: that it ends, that it takes back what it did, that people did the rest."""

from __future__ import annotations

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.errors import LiandunError
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks.run import journal
from playbooks.run.machine import ENDED, Impossible
from playbooks.run.messages import Cancel, Message, Settle, Undo
from playbooks.run.models import PlaybookMessage, PlaybookRun
from playbooks.run.taking_back import Left

LONGEST_REASON = 2_000
SETTLEABLE = frozenset({"failed", "cancelled"})
"""How an undo ends that has left something."""


def cancel(session: Session, who: Principal, run_id: int, reason: str) -> None:
    """Begin nothing new; what runs may end. Raises NotFound, Denied, Conflict (it has ended), Invalid (no reason)."""
    _may(who)
    if _state(session, run_id) in ENDED:
        raise Conflict("this run has ended")
    text = reason.strip().replace("\0", "")
    if not text or len(text) > LONGEST_REASON:
        raise Invalid(f"a reason of 1 to {LONGEST_REASON:,} letters", field="reason")
    _send(session, who, run_id, Cancel(reason=text), "playbook.cancel", reason=text)


def undo(session: Session, who: Principal, run_id: int) -> None:
    """Take back what an ended run has done, the last act first. Raises NotFound, Denied, Conflict (it has not ended)."""
    _may(who)
    if _state(session, run_id) not in ENDED:
        raise Conflict("this run has not ended", "cancel it first")
    _send(session, who, run_id, Undo(), "playbook.undo")


def left(session: Session, run_id: int) -> list[Left]:
    """What an undo of this run could not take back, the last act first; none where it was not to be taken back, or goes on.

    Raises NotFound, Conflict where the journal cannot be read.
    """
    if _state(session, run_id) not in SETTLEABLE or not _asked_back(session, run_id):
        return []
    try:
        machine = journal.machine_of(journal.load(session, run_id))
    except (Impossible, LiandunError, msgspec.MsgspecError) as error:
        raise Conflict(f"the journal of this run cannot be read: {error}") from error
    return machine.taking_back.left()


def settle(session: Session, who: Principal, run_id: int, visit: int, comment: str) -> None:
    """Say that what the step of ``visit`` did has been taken back by hand; with the last one the run is taken back.

    Raises NotFound (also where nothing of this visit is left), Denied, Conflict (it is being taken back, or was just settled),
    Invalid (no comment).
    """
    _may(who)
    text = comment.strip().replace("\0", "")
    if not text or len(text) > LONGEST_REASON:
        raise Invalid(f"say how, in 1 to {LONGEST_REASON:,} letters", field="comment")
    if _state(session, run_id) not in ENDED:
        raise Conflict("this run has not ended", "wait until its undo is over")
    one = next((one for one in left(session, run_id) if one.undo.visit.number == visit), None)
    if one is None:
        raise NotFound(f"nothing of visit {visit} of run {run_id} is left to be taken back")
    if any(isinstance(message, Settle | Undo) for _id, _run, message, _by in journal.messages_for(session, [run_id])):
        raise Conflict("somebody else has just said something about this", "look again in a moment")
    _send(session, who, run_id, Settle(visit=visit, comment=text), "playbook.settle", step=one.undo.visit.step_id, comment=text)


def _may(who: Principal) -> None:
    if not who.may("playbooks.run"):
        raise Denied("you may not steer playbooks")


def _asked_back(session: Session, run_id: int) -> bool:
    """Whether anybody has asked for an undo: without reading the journal."""
    asked = PlaybookMessage.body.like('{"kind":"undo"%')
    return session.execute(select(PlaybookMessage.id).where(PlaybookMessage.run_id == run_id, asked).limit(1)).first() is not None


def _state(session: Session, run_id: int) -> str:
    row = session.get(PlaybookRun, run_id)
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return row.state


def _send(session: Session, who: Principal, run_id: int, message: Message, act: str, **detail: str) -> None:
    journal.send(session, run_id, message, who.name)
    audit.append(session, who.actor, act, "playbook_run", run_id, detail=detail)
