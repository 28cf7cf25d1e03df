"""What people may want of a run as a whole: that it ends, and that it takes back what it did."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks.run import journal
from playbooks.run.machine import ENDED
from playbooks.run.messages import Cancel, Message, Undo
from playbooks.run.models import PlaybookRun

LONGEST_REASON = 2_000


def cancel(session: Session, who: Principal, run_id: int, reason: str) -> None:
    """Begin nothing new; what runs may end. Raises NotFound, Denied, Conflict (it has ended), Invalid (no reason)."""
    _may(who)
    if _state(session, run_id) in ENDED:
        raise Conflict("this run has ended")
    text = reason.strip().replace("\0", "")
    if not text or len(text) > LONGEST_REASON:
        raise Invalid(f"a reason of 1 to {LONGEST_REASON:,} letters", field="reason")
    _send(session, who, run_id, Cancel(reason=text), "playbook.cancel")


def undo(session: Session, who: Principal, run_id: int) -> None:
    """Take back what an ended run has done, the last act first. Raises NotFound, Denied, Conflict (it has not ended)."""
    _may(who)
    if _state(session, run_id) not in ENDED:
        raise Conflict("this run has not ended", "cancel it first")
    _send(session, who, run_id, Undo(), "playbook.undo")


def _may(who: Principal) -> None:
    if not who.may("playbooks.run"):
        raise Denied("you may not steer playbooks")


def _state(session: Session, run_id: int) -> str:
    row = session.get(PlaybookRun, run_id)
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return row.state


def _send(session: Session, who: Principal, run_id: int, message: Message, act: str) -> None:
    journal.send(session, run_id, message, who.name)
    detail = {"reason": message.reason} if isinstance(message, Cancel) else {}
    audit.append(session, who.actor, act, "playbook_run", run_id, detail=detail)
