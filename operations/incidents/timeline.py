"""The timeline: what the platform did, what alerts tell, what people write. Entries are added, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from operations import clock
from operations.alerts.listing import within as alerts_within
from operations.alerts.models import Alert
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid
from operations.incidents.models import TimelineEntry
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import Entry
from operations.incidents.texts import LONG, moment
from operations.incidents.texts import text as checked

MOST = 5000
WRITTEN: tuple[str, ...] = ("entry", "note", "decision")


def tell(session: Session, actor: Actor, incident_id: int, act: str, detail: Mapping[str, Any] | None = None) -> None:
    """Write down an act of now."""
    now = clock.now()
    add(session, actor, incident_id, "act", now, act=act, detail=detail, recorded_at=now)


def add(
    session: Session,
    actor: Actor,
    incident_id: int,
    kind: str,
    time: str,
    *,
    act: str = "",
    detail: Mapping[str, Any] | None = None,
    text: str = "",
    alert_id: int | None = None,
    recorded_at: str = "",
) -> None:
    """Write one entry."""
    session.add(
        TimelineEntry(
            incident_id=incident_id,
            time=time,
            recorded_at=recorded_at or clock.now(),
            actor=actor.name[:160],
            kind=kind,
            act=act,
            detail=orjson.dumps(dict(detail or {})).decode(),
            text=text,
            alert_id=alert_id,
        )
    )


def write(session: Session, actor: Actor, incident_id: int, kind: str, text: str, *, time: str = "") -> None:
    """What a person writes: a note, a decision, or an entry about what happened at ``time``. Raises NotFound, Invalid, Conflict."""
    incident = held(session, incident_id)
    if kind not in WRITTEN:
        raise Invalid(f"there is no kind {kind[:16]!r}", f"one of {', '.join(WRITTEN)}", field="kind")
    words = checked(text, "text", LONG, needed=True)
    happened = moment(time, "time", past=True) if kind == "entry" else ""
    written = session.execute(
        select(func.count()).select_from(TimelineEntry).where(TimelineEntry.incident_id == incident_id)
    ).scalar_one()
    if written >= MOST:
        raise Conflict(f"a timeline has at most {MOST} entries")
    add(session, actor, incident_id, kind, happened or clock.now(), text=words)
    incident.updated_at = clock.now()
    audit.append(session, actor, "incident.note", "incident", incident_id, detail={"kind": kind, "text": words[:200]})
    session.flush()


def entries(session: Session, incident_id: int, *, kinds: Iterable[str] = (), limit: int = MOST) -> list[Entry]:
    """Newest first. Entries of alerts that may not be seen are left out. Raises NotFound."""
    get_incident(session, incident_id)
    query = select(TimelineEntry).where(TimelineEntry.incident_id == incident_id, *_visible(session))
    chosen = tuple(kinds)
    if chosen:
        query = query.where(TimelineEntry.kind.in_(chosen))
    query = query.order_by(TimelineEntry.time.desc(), TimelineEntry.id.desc()).limit(limit)
    return [
        Entry(row.id, row.time, row.recorded_at, row.actor, row.kind, row.act, orjson.loads(row.detail), row.text, row.alert_id)
        for row in session.execute(query).scalars()
    ]


def _visible(session: Session) -> list[ColumnElement[bool]]:
    conditions = alerts_within(session)
    if not conditions:
        return []
    return [or_(TimelineEntry.alert_id.is_(None), TimelineEntry.alert_id.in_(select(Alert.id).where(*conditions)))]
