"""What people do to alerts: take, acknowledge, close with a verdict, note, undo. Each act is in the history and the audit trail.

A change names the ``version`` it was decided on; when somebody else changed the alert meanwhile it is refused (Conflict) instead of
overwriting their decision. Counting up by new detections does not change the version.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.models import User
from operations.accounts.permissions import PERMISSIONS
from operations.alerts.counts import Deltas
from operations.alerts.listing import within
from operations.alerts.models import STATUSES, VERDICTS, Alert, AlertHistory
from operations.alerts.reading import get_alert
from operations.alerts.schema import AlertRow, BulkResult, Change
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, NotFound

MAX_BULK = 1000
MAX_NOTE = 10_000
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
    batch = secrets.token_hex(16)
    changed = _apply(session, actor, [alert], change, note, batch)
    if changed:
        audit.append(session, actor, "alert.change", "alert", alert_id, detail={**changed[0], "note": bool(note)})
    elif note.strip():
        add_note(session, actor, alert_id, note)
    session.flush()
    return get_alert(session, alert_id)


def change_alerts(session: Session, actor: Actor, alert_ids: Sequence[int], change: Change, *, note: str = "") -> BulkResult:
    """Change many alerts at once (at most MAX_BULK); ids that do not exist are listed, the others change."""
    wanted = sorted(set(alert_ids))
    if len(wanted) > MAX_BULK:
        raise Invalid(f"at most {MAX_BULK} alerts change at once", field="ids")
    query = select(Alert).where(Alert.id.in_(wanted), *within(session)).order_by(Alert.id).with_for_update()
    alerts = list(session.execute(query).scalars())
    batch = secrets.token_hex(16)
    changed = _apply(session, actor, alerts, change, note, batch)
    missing = sorted(set(wanted) - {alert.id for alert in alerts})
    if changed:
        detail = {"change": _given(change), "ids": [alert["id"] for alert in changed], "batch": batch, "note": bool(note)}
        audit.append(session, actor, "alert.bulk_change", "alert", batch, detail=detail)
    return BulkResult(batch, len(changed), len(alerts) - len(changed), missing)


def undo_change(session: Session, actor: Actor, batch: str) -> int:
    """Take back one's own (bulk) change within UNDO_SECONDS; returns how many alerts went back.

    An alert that was changed again since stays as it is. Raises NotFound, or Denied for somebody else's or an old change.
    """
    query = select(AlertHistory).where(AlertHistory.batch == batch, AlertHistory.kind == "change")
    rows = list(session.execute(query).scalars()) if batch else []
    if not rows:
        raise NotFound("there is no such change")
    if rows[0].actor != actor.name:
        raise Denied("only who made a change can take it back")
    if clock.shift(rows[0].time, UNDO_SECONDS) < clock.now():
        raise Denied("this change is too old to be taken back", "change the alerts instead")
    restored, undo, deltas = [], secrets.token_hex(16), Deltas()
    for row in rows:
        alert = session.get(Alert, row.alert_id, with_for_update=True, populate_existing=True)
        before, after = orjson.loads(row.before), orjson.loads(row.after)
        if alert is None or any(getattr(alert, field) != value for field, value in after.items()):
            continue
        session.execute(insert(AlertHistory), [_history(actor, alert.id, "change", _set(alert, before, deltas), before, "", undo)])
        restored.append(alert.id)
    deltas.write(session)
    if restored:
        audit.append(session, actor, "alert.undo", "alert", batch, detail={"ids": restored})
    session.flush()
    return len(restored)


def add_note(session: Session, actor: Actor, alert_id: int, note: str) -> None:
    """Write a note into the history. Raises NotFound or Invalid (empty, too long)."""
    text = _checked_note(note)
    if not text:
        raise Invalid("the note is empty", field="note")
    get_alert(session, alert_id)
    session.execute(insert(AlertHistory), [_history(actor, alert_id, "note", {}, {}, text, "")])
    audit.append(session, actor, "alert.note", "alert", alert_id, detail={"characters": len(text)})


def _apply(session: Session, actor: Actor, alerts: Sequence[Alert], change: Change, note: str, batch: str) -> list[dict[str, Any]]:
    """Change what differs; returns {id, before, after} of the alerts that did."""
    _check(session, change)
    text = _checked_note(note)
    changed, rows, deltas = [], [], Deltas()
    for alert in alerts:
        after = _wanted(alert, change)
        if after:
            before = _set(alert, after, deltas)
            rows.append(_history(actor, alert.id, "change", before, after, text, batch))
            changed.append({"id": alert.id, "before": before, "after": after})
    session.flush()
    if rows:
        session.execute(insert(AlertHistory), rows)
    deltas.write(session)
    return changed


def _check(session: Session, change: Change) -> None:
    if change.status is not msgspec.UNSET and change.status not in STATUSES:
        raise Invalid(f"there is no status {change.status!r}", f"one of {', '.join(STATUSES)}", field="status")
    if change.verdict not in (msgspec.UNSET, None, *VERDICTS):
        raise Invalid(f"there is no verdict {change.verdict!r}", f"one of {', '.join(VERDICTS)}", field="verdict")
    if isinstance(change.assignee, str):
        query = select(User.id).where(User.name == change.assignee, User.active, User.role.in_(_WORKERS), User.removed_at.is_(None))
        if session.execute(query).first() is None:
            raise Invalid(
                f"{change.assignee!r} cannot be given alerts", "an active account that may work on them", field="assignee"
            )


def _wanted(alert: Alert, change: Change) -> dict[str, Any]:
    """The fields that would differ. Closing needs a verdict; opening again takes it away."""
    given = _given(change)
    status = given.get("status", alert.status)
    if status != "closed":
        if given.get("verdict"):
            raise Invalid("only a closed alert has a verdict", "close it, or leave the verdict out", field="verdict")
        given["verdict"] = None
    elif not given.get("verdict", alert.verdict):
        raise Invalid("closing an alert needs a verdict", f"one of {', '.join(VERDICTS)}", field="verdict")
    return {field: value for field, value in given.items() if getattr(alert, field) != value}


def _given(change: Change) -> dict[str, Any]:
    return {field: getattr(change, field) for field in change.__struct_fields__ if getattr(change, field) is not msgspec.UNSET}


def _set(alert: Alert, after: dict[str, Any], deltas: Deltas) -> dict[str, Any]:
    """Set the fields, move the alert's counts along, and return what was before."""
    before = {field: getattr(alert, field) for field in after}
    tags = orjson.loads(alert.tags)
    deltas.add(_counted(alert), tags, -1)
    for field, value in after.items():
        setattr(alert, field, value)
    alert.version += 1
    alert.updated_at = clock.now()
    deltas.add(_counted(alert), tags, 1)
    return before


def _counted(alert: Alert) -> dict[str, Any]:
    names = ("status", "level", "engine", "rule_id", "rule_name", "assignee", "host", "verdict")
    return {name: getattr(alert, name) for name in names}


def _history(
    actor: Actor, alert_id: int, kind: str, before: dict[str, Any], after: dict[str, Any], note: str, batch: str
) -> dict[str, Any]:
    return {
        "alert_id": alert_id,
        "time": clock.now(),
        "actor": actor.name[:160],
        "kind": kind,
        "before": orjson.dumps(before).decode(),
        "after": orjson.dumps(after).decode(),
        "note": note,
        "batch": batch,
    }


def _checked_note(note: str) -> str:
    text = note.strip().replace("\0", "").encode("utf-8", "replace").decode()
    if len(text) > MAX_NOTE:
        raise Invalid(f"a note has at most {MAX_NOTE} characters", field="note")
    return text
