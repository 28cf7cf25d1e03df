"""Merging: several alerts become part of one lead alert.

What is merged is closed and points to its lead (``merged_into``); its own status stays in its history, so taking the merge back
restores it. Alerts that others were merged into bring these along. Whoever may see an alert has to be able to see its lead: the
zones of both have to belong to the same organisations. Nobody's newer change is overwritten: such an alert stays, and is told.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from operations import clock
from operations.alerts.history import checked_note, history_row
from operations.alerts.listing import among, list_alerts, within
from operations.alerts.mass import locked_rows, write_outcomes
from operations.alerts.models import Alert, AlertEntity, AlertHistory
from operations.alerts.reading import get_alert
from operations.alerts.schema import AlertFilter, AlertRow
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Invalid, Stale
from operations.organisations import owners
from operations.webhooks.outbox import announce

MOST_MERGED = 1000

_ALERTS: Any = Alert.__table__


class MergeResult(msgspec.Struct, frozen=True):
    """Outcome; ``batch`` takes it back (service.undo_change). ``overtaken``: changed by others, or merged elsewhere meanwhile."""

    batch: str
    lead: int
    merged: list[int]
    overtaken: list[int]
    missing: list[int]


class Merged(msgspec.Struct, frozen=True):
    """What is merged into a lead: how many alerts that may be seen, their detections, and the newest of them."""

    total: int
    detections: int
    alerts: list[AlertRow]


def merge_alerts(
    session: Session,
    actor: Actor,
    lead_id: int,
    wanted: Mapping[int, int | None],
    *,
    expected_version: int | None = None,
    note: str = "",
) -> MergeResult:
    """Merge alerts (id → version that was decided on, None = the present one) into a lead. Raises NotFound, Invalid, Stale."""
    text = checked_note(note)
    ids = sorted(set(wanted) - {lead_id})
    if not ids:
        raise Invalid("select two alerts or more", field="ids")
    get_alert(session, lead_id)  # who may not see it may not merge into it
    ids = _with_followers(session, ids)
    rows = {row.id: row for row in locked_rows(session, [lead_id, *ids])}
    _check_lead(rows[lead_id], expected_version)
    chosen, overtaken = _sorted_out([rows[number] for number in ids if number in rows], lead_id, wanted)
    _check_sides(session, lead_id, [row.id for row in chosen])
    batch = secrets.token_hex(16)
    outcomes = []
    for row in chosen:
        after = {"merged_into": lead_id} | ({} if row.status == "closed" else {"status": "closed"})
        outcomes.append((row, after))
    merged = write_outcomes(session, actor, outcomes, text, batch)
    if merged:
        _tell(session, actor, lead_id, merged, "merge", batch, text)
        detail = {"lead": lead_id, "ids": merged, "batch": batch, "overtaken": overtaken, "note": bool(text)}
        audit.append(session, actor, "alert.merge", "alert", lead_id, detail=detail)
    return MergeResult(batch, lead_id, merged, overtaken, sorted(set(ids) - set(rows)))


def told_undone(session: Session, actor: Actor, batch: str, restored: Sequence[int]) -> int | None:
    """Write into the history of the lead that a merge was taken back; the lead, None where ``batch`` was no merge."""
    query = select(AlertHistory.alert_id).where(AlertHistory.batch == batch, AlertHistory.kind == "merge")
    lead = session.execute(query).scalar_one_or_none()
    if lead is not None and restored:
        _tell(session, actor, lead, restored, "unmerge", "", "")
    return lead


def merged_into(session: Session, lead_id: int, *, limit: int = 10) -> Merged:
    """What is merged into an alert."""
    followers = (_ALERTS.c.merged_into == lead_id, *within(session))
    total, detections = session.execute(select(func.count(), func.coalesce(func.sum(_ALERTS.c.count), 0)).where(*followers)).one()
    rows = list_alerts(session, AlertFilter(lead=(lead_id,)), limit=limit).alerts if total else []
    return Merged(total, int(detections), rows)


def _with_followers(session: Session, ids: list[int]) -> list[int]:
    """These and what is merged into them."""
    if len(ids) > MOST_MERGED:
        raise Invalid(f"at most {MOST_MERGED} alerts are merged at once", field="ids")
    following = select(_ALERTS.c.id).where(_ALERTS.c.merged_into.in_(ids), *within(session)).limit(MOST_MERGED + 1)
    every = sorted({*ids, *session.execute(following).scalars()})
    if len(every) > MOST_MERGED:
        raise Invalid(f"at most {MOST_MERGED} alerts are merged at once", "with those merged into them already", field="ids")
    return every


def _check_lead(lead: Any, expected_version: int | None) -> None:
    if expected_version is not None and lead.version != expected_version:
        raise Stale(f"alert {lead.id} was changed by somebody else (version {lead.version})", "reload it and decide again")
    if lead.merged_into is not None:
        raise Invalid("the lead is merged into another alert itself", f"merge into {lead.merged_into}", field="lead")
    if lead.status == "closed":
        raise Invalid("a closed alert leads no others", "open it again, or choose another", field="lead")


def _sorted_out(rows: Iterable[Any], lead_id: int, wanted: Mapping[int, int | None]) -> tuple[list[Any], list[int]]:
    """Rows to merge, and ids that somebody changed or merged elsewhere meanwhile."""
    chosen, overtaken = [], []
    for row in rows:
        follower = row.id not in wanted
        expected = None if follower else wanted[row.id]
        newer = expected is not None and row.version != expected
        elsewhere = row.merged_into is not None and row.merged_into != lead_id and not (follower or row.merged_into in wanted)
        if newer or elsewhere:
            overtaken.append(row.id)
        elif row.merged_into != lead_id:
            chosen.append(row)
    stays = set(overtaken)
    return [row for row in chosen if row.merged_into not in stays], overtaken


def _check_sides(session: Session, lead_id: int, ids: Sequence[int]) -> None:
    """Everybody who sees an alert by their organisation has to see its lead."""
    sides: dict[int, set[str]] = {}
    owner_of = {zone: owner for owner, zones in owners(session).items() for zone in zones}
    every = [lead_id, *ids]
    for start in range(0, len(every), 1000):
        query = select(AlertEntity.alert_id, AlertEntity.value).where(AlertEntity.alert_id.in_(every[start : start + 1000]))
        for number, zone in session.execute(query.where(AlertEntity.kind == "zone")):
            sides.setdefault(number, set()).add(owner_of.get(zone, f"zone {zone}"))
    leading = sides.get(lead_id, set())
    foreign = next((number for number in ids if not sides.get(number, set()) <= leading), None)
    if foreign is not None:
        raise Invalid(f"alert {foreign} concerns an organisation that the lead does not concern", "merge it elsewhere", field="ids")


def _tell(session: Session, actor: Actor, lead_id: int, ids: Sequence[int], kind: str, batch: str, note: str) -> None:
    """History and version of the lead, and a message to whom the level of the lead reaches."""
    present = clock.now()
    session.execute(insert(AlertHistory), [history_row(actor, lead_id, kind, {}, {"merged": len(ids)}, note, batch, present)])
    changed = update(_ALERTS).where(among(session, [lead_id])).values(version=_ALERTS.c.version + 1, updated_at=present)
    session.connection().execute(changed)
    level = session.execute(select(_ALERTS.c.level).where(_ALERTS.c.id == lead_id)).scalar_one()
    data = {"lead": lead_id, "merged": list(ids), "by": actor.name, "undone": kind == "unmerge"}
    announce(session, "alert.merged", data, level=level)
