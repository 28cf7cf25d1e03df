"""What people do to alerts: take, acknowledge, close with a verdict, note, undo. Each act is in the history and the audit trail.

A change names the ``version`` it was decided on; when somebody else changed the alert meanwhile it is refused (Conflict) instead of
overwriting their decision. Counting up by new detections does not change the version.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.models import User
from operations.accounts.permissions import PERMISSIONS
from operations.alerts.history import MAX_NOTE, checked_note, history_row
from operations.alerts.mass import change_many, check_values, differing, restore_many
from operations.alerts.merging import told_undone
from operations.alerts.models import Alert, AlertHistory
from operations.alerts.reading import get_alert
from operations.alerts.schema import AlertRow, BulkResult, Change, given
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, NotFound

__all__ = [
    "MAX_BULK", "MAX_NOTE", "UNDO_SECONDS", "add_note", "change_alert", "change_alerts", "check_change", "undo_change", "undoable",
]  # fmt: skip

MAX_BULK = 1000
UNDO_SECONDS = 600
_WORKERS = [role for role, permissions in PERMISSIONS.items() if "alerts.write" in permissions]


def change_alert(
    session: Session, actor: Actor, alert_id: int, change: Change, *, expected_version: int | None = None, note: str = ""
) -> AlertRow:
    """Change one alert. Raises NotFound, Invalid, or Conflict where ``expected_version`` is not its version any more."""
    get_alert(session, alert_id)  # who may not see it may not change it
    alert = session.get_one(Alert, alert_id, with_for_update=True, populate_existing=True)
    if expected_version is not None and alert.version != expected_version:
        raise Conflict(f"alert {alert_id} was changed by somebody else (version {alert.version})", "reload it and decide again")
    check_change(session, change)
    after = differing(alert, change)
    before = {field: getattr(alert, field) for field in after}
    if after:
        change_many(session, actor, {alert_id: None}, change, note=checked_note(note), batch=secrets.token_hex(16))
        detail = {"id": alert_id, "before": before, "after": after, "note": bool(note)}
        audit.append(session, actor, "alert.change", "alert", alert_id, detail=detail)
    elif note.strip():
        add_note(session, actor, alert_id, note)
    session.flush()
    return get_alert(session, alert_id)


def change_alerts(session: Session, actor: Actor, alert_ids: Sequence[int], change: Change, *, note: str = "") -> BulkResult:
    """Change many alerts at once (at most MAX_BULK); ids that do not exist are listed, the others change."""
    wanted = sorted(set(alert_ids))
    if len(wanted) > MAX_BULK:
        raise Invalid(f"at most {MAX_BULK} alerts change at once", field="ids")
    check_change(session, change)
    batch = secrets.token_hex(16)
    done = change_many(session, actor, dict.fromkeys(wanted), change, note=checked_note(note), batch=batch)
    if done.changed:
        detail = {"change": given(change), "ids": done.changed, "batch": batch, "note": bool(note)}
        audit.append(session, actor, "alert.bulk_change", "alert", batch, detail=detail)
    return BulkResult(batch, len(done.changed), done.unchanged, done.missing)


def undo_change(session: Session, actor: Actor, batch: str) -> int:
    """Take back one's own (bulk) change within UNDO_SECONDS; returns how many alerts went back.

    An alert that was changed again since stays as it is. Raises NotFound, or Denied for somebody else's or an old change.
    """
    ids = undoable(session, actor, batch)
    done = restore_many(session, actor, batch, ids, undo=secrets.token_hex(16))
    lead = told_undone(session, actor, batch, done.changed)
    if done.changed:
        detail: dict[str, Any] = {"ids": done.changed} | ({"lead": lead} if lead else {})
        audit.append(session, actor, "alert.undo", "alert", batch, detail=detail)
    session.flush()
    return len(done.changed)


def undoable(session: Session, actor: Actor, batch: str) -> list[int]:
    """Ids that a change of one's own touched, while it can be taken back. Raises NotFound, Denied."""
    changes = (AlertHistory.batch == batch, AlertHistory.kind == "change")
    newest = select(AlertHistory.actor, AlertHistory.time).where(*changes).order_by(AlertHistory.id.desc()).limit(1)
    row = session.execute(newest).one_or_none() if batch else None
    if row is None:
        raise NotFound("there is no such change")
    if row.actor != actor.name[:160]:
        raise Denied("only who made a change can take it back")
    if clock.shift(row.time, UNDO_SECONDS) < clock.now():
        raise Denied("this change is too old to be taken back", "change the alerts instead")
    return list(session.execute(select(AlertHistory.alert_id).where(*changes).order_by(AlertHistory.alert_id)).scalars())


def add_note(session: Session, actor: Actor, alert_id: int, note: str) -> None:
    """Write a note into the history. Raises NotFound or Invalid (empty, too long)."""
    text = checked_note(note)
    if not text:
        raise Invalid("the note is empty", field="note")
    get_alert(session, alert_id)
    session.execute(insert(AlertHistory), [history_row(actor, alert_id, "note", {}, {}, text, "", clock.now())])
    audit.append(session, actor, "alert.note", "alert", alert_id, detail={"characters": len(text)})


def check_change(session: Session, change: Change) -> None:
    """Raises Invalid for a value that nobody can set."""
    check_values(change)
    if isinstance(change.assignee, str):
        query = select(User.id).where(User.name == change.assignee, User.active, User.role.in_(_WORKERS), User.removed_at.is_(None))
        if session.execute(query).first() is None:
            raise Invalid(
                f"{change.assignee!r} cannot be given alerts", "an active account that may work on them", field="assignee"
            )
