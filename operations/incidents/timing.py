"""The clocks of a stored incident: its facts, and the columns that lists and the scheduler go by."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Denied, Invalid, NotFound, Stale
from operations.incidents.catalogue import data
from operations.incidents.clocks import SLA, Clock, Deadlines, Facts, clocks, next_change, next_due
from operations.incidents.models import OPERATORS, DeadlineChange, Incident
from operations.reach import zones_seen

MOST_MINUTES = 60 * 24 * 400


def deadlines(session: Session) -> Deadlines:
    """The numbers in force: the data file with what this city has set. Read once for a session."""
    kept = session.info.get("incident_deadlines")
    if isinstance(kept, Deadlines):
        return kept
    table = data("deadlines")
    changed = {row.key: row.minutes for row in session.execute(select(DeadlineChange)).scalars()}
    statutory = table["statutory"]
    found = Deadlines(
        {what: {level: changed.get(f"{what}.{level}", table["sla"][what][level]) for level in (1, 2, 3, 4)} for what in SLA},
        {kind: changed.get(f"report.{kind}", statutory["report"][kind]) for kind in OPERATORS},
        changed.get("closing", statutory["closing"]),
        statutory["from_level"],
    )
    session.info["incident_deadlines"] = found
    return found


def deadline_table(session: Session) -> list[dict[str, Any]]:
    """Each number with where it comes from: key, minutes, source, to_be_confirmed, changed_at, changed_by, version."""
    table, rows = data("deadlines"), {row.key: row for row in session.execute(select(DeadlineChange)).scalars()}
    numbers = [(f"{what}.{level}", table["sla"][what][level], table["sla"]) for what in SLA for level in (1, 2, 3, 4)]
    numbers += [(f"report.{kind}", table["statutory"]["report"][kind], table["statutory"]) for kind in OPERATORS]
    numbers.append(("closing", table["statutory"]["closing"], table["statutory"]))
    return [
        {
            "key": key,
            "minutes": row.minutes if (row := rows.get(key)) else minutes,
            "source": origin["source"],
            "to_be_confirmed": not row.confirmed if row else origin["to_be_confirmed"],
            "changed_at": row.changed_at if row else "",
            "changed_by": row.changed_by if row else "",
            "version": row.version if row else 0,
        }
        for key, minutes, origin in numbers
    ]


def set_deadline(session: Session, actor: Actor, key: str, minutes: int, *, confirmed: bool, expected_version: int) -> None:
    """Set or confirm one number; running clocks follow it. Raises NotFound, Invalid, Conflict, Denied."""
    if zones_seen(session) is not None:
        raise Denied("deadlines are those of the whole city; an account with a scope does not set them")
    known = {entry["key"]: entry for entry in deadline_table(session)}
    if key not in known:
        raise NotFound(f"there is no deadline {key[:32]!r}")
    if not 1 <= minutes <= MOST_MINUTES:
        raise Invalid(f"between 1 and {MOST_MINUTES} minutes", field="minutes")
    if known[key]["version"] != expected_version:
        raise Stale("this deadline was changed by somebody else", "reload it and decide again")
    row = session.get(DeadlineChange, key)
    if row is None:
        row = DeadlineChange(key=key, minutes=minutes, confirmed=confirmed, changed_at="", changed_by="", version=0)
        session.add(row)
    before = {name: known[key][name] for name in ("minutes", "to_be_confirmed")}
    row.minutes, row.confirmed = minutes, confirmed
    row.changed_at, row.changed_by, row.version = clock.now(), actor.name[:160], row.version + 1
    detail = {"before": before, "after": {"minutes": minutes, "to_be_confirmed": not confirmed}}
    audit.append(session, actor, "incident.deadline", "deadline", key, detail=detail)
    session.flush()
    session.info.pop("incident_deadlines", None)
    for incident in session.execute(select(Incident).where(Incident.remind_at != "")).scalars():
        refresh(session, incident)


def facts_of(row: Any) -> Facts:
    """What the clocks go by; ``row`` is an Incident or a selected row of its columns."""
    ended = (row.closed_at or row.updated_at) if row.phase == "closed" else ""
    return Facts(
        detected_at=row.detected_at,
        level=row.level,
        suggested_level=row.suggested_level,
        operator=row.operator,
        acknowledged_at=row.acknowledged_at,
        contained_at=row.contained_at,
        resolved_at=row.resolved_at,
        reported_at=row.reported_at,
        closing_reported_at=row.closing_reported_at,
        ended_at=ended,
        pauses=tuple((start, end) for start, end, _reason in orjson.loads(row.pauses)),
    )


def clocks_of(session: Session, row: Any, now: str = "") -> list[Clock]:
    """The clocks of an incident now. A false alarm, one that was merged away, and a drill that is over owe no report."""
    found = clocks(facts_of(row), deadlines(session), now or clock.now())
    if row.phase == "closed" and row.cause in ("false_alarm", "duplicate", "exercise"):
        return [one for one in found if not one.statutory]
    return found


def refresh(session: Session, incident: Incident, now: str = "") -> None:
    """Bring ``next_due`` and ``remind_at`` up to date; a clock that is due-soon or overdue is looked at at once."""
    now = now or clock.now()
    found = clocks_of(session, incident, now)
    incident.next_due = next_due(found)
    urgent = any(one.state in ("soon", "overdue") for one in found)
    incident.remind_at = now if urgent else next_change(found, now)
