"""One change applied to many alerts with few statements: reading, deciding, one UPDATE per distinct outcome, one batch of history.

Row by row through the ORM this takes a millisecond an alert; so it takes a tenth of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kernel.db.among import among as one_of
from kernel.db.batch import add_rows
from operations import clock
from operations.alerts.counts import Deltas
from operations.alerts.history import HISTORY_COLUMNS, history_row
from operations.alerts.listing import among, within
from operations.alerts.models import SETTABLE, VERDICTS, Alert, AlertHistory
from operations.alerts.rule_days import DayDeltas
from operations.alerts.schema import Change, MassResult, given
from operations.alerts.zone_counts import move
from operations.audit.schema import Actor
from operations.errors import Invalid

_ALERTS = Alert.__table__
_HISTORY: Any = AlertHistory.__table__
_COUNTED = ("status", "level", "engine", "rule_id", "rule_name", "host", "assignee", "verdict", "tags", "created_at", "closed_at")
_READ = ("id", "version", *_COUNTED, "merged_into")


def change_many(
    session: Session, actor: Actor, wanted: Mapping[int, int | None], change: Change, *, note: str, batch: str
) -> MassResult:
    """Change alerts by id; the value is the version that was decided on (None = whichever it is now).

    An alert with another version was changed by somebody in between: it stays, and is told. Raises Invalid.
    """
    rows = locked_rows(session, list(wanted))
    outcomes: list[tuple[Any, dict[str, Any]]] = []
    overtaken, unchanged = [], 0
    for row in rows:
        expected = wanted[row.id]
        if expected is not None and row.version != expected:
            overtaken.append(row.id)
            continue
        after = differing(row, change)
        if after:
            outcomes.append((row, after))
        else:
            unchanged += 1
    changed = write_outcomes(session, actor, outcomes, note, batch)
    missing = sorted(set(wanted) - {row.id for row in rows})
    return MassResult(changed, unchanged, overtaken, missing)


def restore_many(session: Session, actor: Actor, batch: str, alert_ids: Sequence[int], *, undo: str) -> MassResult:
    """Take the changes of ``batch`` back for these alerts; one that was changed again since stays and is told (overtaken)."""
    query = select(AlertHistory.alert_id, AlertHistory.before, AlertHistory.after).where(
        AlertHistory.batch == batch, AlertHistory.kind == "change", one_of(session, AlertHistory.alert_id, list(alert_ids))
    )
    before = {row.alert_id: (orjson.loads(row.before), orjson.loads(row.after)) for row in session.execute(query)}
    rows = locked_rows(session, sorted(before))
    outcomes, overtaken = [], []
    for row in rows:
        old, new = before[row.id]
        if any(getattr(row, field) != value for field, value in new.items()):
            overtaken.append(row.id)
        else:
            outcomes.append((row, old))
    changed = write_outcomes(session, actor, outcomes, "", undo)
    return MassResult(changed, 0, overtaken, sorted(set(alert_ids) - {row.id for row in rows}))


def differing(row: Any, change: Change) -> dict[str, Any]:
    """The fields that would differ. Closing needs a verdict; opening again takes it away, and ends being merged."""
    wanted = given(change)
    status = wanted.get("status", row.status)
    if status != "closed":
        if wanted.get("verdict"):
            raise Invalid("only a closed alert has a verdict", "close it, or leave the verdict out", field="verdict")
        wanted["verdict"] = None
        if row.merged_into is not None:
            wanted["merged_into"] = None
    elif not wanted.get("verdict", row.verdict) and row.merged_into is None:
        raise Invalid("closing an alert needs a verdict", f"one of {', '.join(VERDICTS)}", field="verdict")
    return {field: value for field, value in wanted.items() if getattr(row, field) != value}


def check_values(change: Change) -> None:
    """Raises Invalid for a status or verdict that nobody can set, and for a change that can fit no alert at all."""
    wanted = given(change)
    status = wanted.get("status")
    if status is not None and status not in SETTABLE:
        raise Invalid(f"there is no status {status!r}", f"one of {', '.join(SETTABLE)}", field="status")
    if wanted.get("verdict") not in (None, *VERDICTS):
        raise Invalid(f"there is no verdict {wanted['verdict']!r}", f"one of {', '.join(VERDICTS)}", field="verdict")


def locked_rows(session: Session, ids: Sequence[int]) -> list[Any]:
    """Those of the alerts that may be seen, by id, locked until the end of the transaction."""
    columns = [_ALERTS.c[name] for name in _READ]
    query = select(*columns).where(among(session, list(ids)), *within(session)).order_by(_ALERTS.c.id).with_for_update()
    return list(session.execute(query))


def write_outcomes(
    session: Session, actor: Actor, outcomes: Sequence[tuple[Any, dict[str, Any]]], note: str, batch: str
) -> list[int]:
    """Give each row its new values, with history and counts; the ids that changed."""
    if not outcomes:
        return []
    present, deltas, days = clock.now(), Deltas(), DayDeltas()
    groups: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    history, changes = [], []
    tags_of: dict[str, list[str]] = {}
    for row, after in outcomes:
        written = {**after, **_closing(after, present)}
        groups.setdefault(tuple(sorted(written.items())), []).append(row.id)
        before = {field: getattr(row, field) for field in after}
        history.append(tuple(history_row(actor, row.id, "change", before, after, note, batch, present).values()))
        tags = tags_of.get(row.tags)
        if tags is None:
            tags = tags_of[row.tags] = orjson.loads(row.tags)
        old = dict(zip(_READ, row, strict=True))
        new = {**old, **written}
        deltas.add(old, tags, -1)
        deltas.add(new, tags, 1)
        days.add(old, -1)
        days.add(new, 1)
        changes.append((old, new))
    connection = session.connection()
    for values, ids in groups.items():
        statement = update(_ALERTS).where(among(session, ids))  # type: ignore[arg-type]  # declared as FromClause; it is a Table
        connection.execute(statement.values(**dict(values), version=_ALERTS.c.version + 1, updated_at=present))
    add_rows(connection, _HISTORY, HISTORY_COLUMNS, history)
    deltas.write(session)
    days.write(session)
    move(session, changes)
    return [row.id for row, _ in outcomes]


def _closing(after: Mapping[str, Any], present: str) -> dict[str, str | None]:
    """When it was closed, where the status changes."""
    if "status" not in after:
        return {}
    return {"closed_at": present if after["status"] == "closed" else None}
