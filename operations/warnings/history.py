"""What happened to a warning, in its history and in the audit trail, in the transaction of the act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.reach import organisations_seen, zones_seen
from operations.warnings.models import WarningHistory, WarningRow
from operations.warnings.schema import HistoryEntry

MOST = 500


def write(
    session: Session,
    actor: Actor,
    row: WarningRow,
    act: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
    organisation: str = "",
    inner: bool = False,
) -> None:
    """One act; ``inner`` where organisations are not told (drafts, approval, what was sent back)."""
    session.add(
        WarningHistory(
            warning_id=row.id,
            time=clock.now(),
            actor=actor.name[:160],
            act=act,
            edition=row.edition,
            organisation=organisation,
            inner=inner,
            before=orjson.dumps(before or {}).decode(),
            after=orjson.dumps(after or {}).decode(),
            note=note,
        )
    )
    detail: dict[str, Any] = {"edition": row.edition, "before": _short(before), "after": _short(after), "note": bool(note)}
    audit.append(
        session,
        actor,
        f"warning.{act}",
        "warning",
        row.id,
        detail=detail | ({"organisation": organisation} if organisation else {}),
    )


def read(session: Session, warning_id: int) -> list[HistoryEntry]:
    """Newest first, at most MOST; for a session with a scope without inner acts and those of other organisations."""
    query = select(WarningHistory).where(WarningHistory.warning_id == warning_id).order_by(WarningHistory.id.desc()).limit(MOST)
    limited = zones_seen(session) is not None
    if limited:
        mine = sorted(organisations_seen(session))
        query = query.where(
            WarningHistory.inner.is_(False), or_(WarningHistory.organisation == "", WarningHistory.organisation.in_(mine))
        )
    return [
        HistoryEntry(
            row.id,
            row.time,
            row.actor,
            row.act,
            row.edition,
            row.organisation,
            {} if limited and row.act == "publish" else orjson.loads(row.before),
            {} if limited and row.act == "publish" else orjson.loads(row.after),  # names all receivers
            row.note,
        )
        for row in session.execute(query).scalars()
    ]


def _short(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    """Long texts by their length: the trail tells that they changed, the history how."""
    return {
        name: f"{len(value)} characters" if isinstance(value, str) and len(value) > MOST else value
        for name, value in (fields or {}).items()
    }
