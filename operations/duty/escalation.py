"""Escalation: pass a matter to the next person on duty, by webhook. Unanswered, it goes on to the one after."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.alerts.models import Alert
from operations.audit import service as audit
from operations.duty import log
from operations.duty.coverage import next_person
from operations.duty.models import Escalation
from operations.duty.roster import on_duty
from operations.duty.schema import EscalationRecord
from operations.duty.turn import take_turn
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.services.models import Application
from operations.tickets.models import Ticket
from operations.webhooks.outbox import announce
from operations.written import choice, text

KINDS: tuple[str, ...] = ("alert", "ticket", "application", "warning", "incident", "other")
MAX_REASON = 2000
_TOLD = 200
_KNOWN = {"alert": Alert.id, "ticket": Ticket.id, "application": Application.id}
_ID = re.compile(r"[\w.:-]{1,128}")


def escalate(session: Session, who: Principal, kind: str, object_id: str, reason: str) -> EscalationRecord:
    """Tell the next person. Who comes after whom the matter was passed to last, if they have not answered; else after the caller.

    Raises Invalid, NotFound (no such alert, ticket or application), Conflict (nobody is left to be told).
    """
    choice(kind, "kind", KINDS)
    written = text(reason, "reason", MAX_REASON, needed=True)
    object_id = _known(session, kind, object_id)
    take_turn(session)
    last = session.scalar(
        select(Escalation).where(Escalation.kind == kind, Escalation.object_id == object_id).order_by(Escalation.id.desc()).limit(1)
    )
    unanswered = last is not None and last.acknowledged_at is None
    places = on_duty(session)
    after = last.to_name if last is not None and unanswered else who.name
    to = next_person([one.name for one in places.now], [one.name for one in places.coming], after, who.name)
    if to is None:
        raise Conflict("nobody is left on duty who could be told", "the roster says who is on duty")
    row = Escalation(
        kind=kind, object_id=object_id, reason=written, step=last.step + 1 if last is not None and unanswered else 1,
        from_name=who.actor.name[:160], to_name=to, time=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    log.note(session, who, "escalation", f"{kind} {object_id} → {to}: {written[:_TOLD]}")
    audit.append(session, who.actor, "duty.escalate", kind, object_id, detail={"to": to, "step": row.step})
    announce(session, "duty.escalated", _told(row))
    return _record(row)


def acknowledge(session: Session, who: Principal, escalation_id: int) -> EscalationRecord:
    """Say that one takes care of it: whom it was passed to, or anybody else on duty now. Raises NotFound, Denied, Conflict."""
    take_turn(session)
    row = session.scalar(select(Escalation).where(Escalation.id == escalation_id))
    if row is None:
        raise NotFound("there is no such escalation")
    if row.acknowledged_at is not None:
        raise Conflict("somebody takes care of it already")
    if who.name != row.to_name and who.name not in [one.name for one in on_duty(session).now]:
        raise Denied("only somebody on duty takes it")
    row.acknowledged_by, row.acknowledged_at = who.name, clock.now()
    log.note(session, who, "escalation", f"{row.kind} {row.object_id} ✓ {who.name}")
    audit.append(session, who.actor, "duty.acknowledge", row.kind, row.object_id, detail={"step": row.step})
    announce(session, "duty.acknowledged", _told(row))
    session.flush()
    return _record(row)


def list_escalations(session: Session, *, waiting: bool = False, limit: int = 50) -> list[EscalationRecord]:
    """Newest first; ``waiting``: those that nobody has answered."""
    query = select(Escalation).order_by(Escalation.id.desc()).limit(max(1, min(limit, 200)))
    if waiting:
        query = query.where(Escalation.acknowledged_at.is_(None))
    return [_record(row) for row in session.scalars(query)]


def _known(session: Session, kind: str, object_id: str) -> str:
    """The id as it is kept, of something that is there. Raises Invalid, NotFound."""
    if not _ID.fullmatch(object_id):
        raise Invalid("an id has 1 to 128 letters, digits, and . : - _", field="id")
    column = _KNOWN.get(kind)
    if column is None:
        return object_id
    number = int(object_id) if object_id.isascii() and object_id.isdecimal() and len(object_id) <= 18 else 0
    if session.scalar(select(column).where(column == number)) is None:
        raise NotFound(f"there is no {kind} {object_id}")
    return str(number)


def _told(row: Escalation) -> dict[str, str | int | None]:
    names = ("id", "kind", "object_id", "step", "from_name", "to_name", "acknowledged_by")
    return {name: getattr(row, name) for name in names} | {"reason": row.reason[:_TOLD]}


def _record(row: Escalation) -> EscalationRecord:
    return EscalationRecord(*(getattr(row, name) for name in EscalationRecord.__struct_fields__))
