"""Indicators of an incident: from its alerts, or by hand; each validated and in one form, so that equal ones are found equal."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from kernel.indicators.values import written
from operations import clock
from operations.alerts.models import AlertEntity
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.incidents.models import INDICATOR_KINDS, Incident, IncidentIndicator
from operations.incidents.places import within
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import Indicator
from operations.incidents.texts import line
from operations.incidents.timeline import tell
from operations.indicators import service as intel
from operations.indicators.covering import covering
from operations.indicators.schema import Candidate, IndicatorRecord

MAX_INDICATORS = 5000
_HEX = {"md5": 32, "sha1": 40, "sha256": 64, "sm3": 64}
_WATCHED = {"ip": "address", **dict.fromkeys(_HEX, "hash")}
_HASH_OF_LENGTH = {32: "md5", 40: "sha1", 64: "sha256"}


def normal(kind: str, value: str) -> str:
    """The one form of an indicator. Defanged spellings (``hxxp``, ``[.]``) are read. Raises Invalid."""
    found = value.strip()
    if kind not in INDICATOR_KINDS:
        raise Invalid(f"there is no kind {kind[:16]!r}", f"one of {', '.join(INDICATOR_KINDS)}", field="kind")
    if not found or len(found) > 512 or not found.isprintable():
        raise Invalid("an indicator has 1 to 512 printable characters", field="value")
    try:
        value_kind, text = written(_WATCHED.get(kind, kind), found)
    except ValueError as error:
        raise Invalid(f"this is no {kind}: {found[:80]!r}", "check how it is written", field="value") from error
    fits = {name: len(text) == size for name, size in _HEX.items()}
    fits |= {"ip": value_kind == "address", "domain": not text.startswith("*.")}
    if not fits.get(kind, True):
        raise Invalid(f"this is no {kind}: {found[:80]!r}", "check how it is written", field="value")
    return text


def from_alerts(session: Session, actor: Actor, incident_id: int, alert_ids: Sequence[int]) -> int:
    """Take addresses from outside of the city, domains and hashes that the alerts name; returns how many are new."""
    query = select(AlertEntity.kind, AlertEntity.value, AlertEntity.role).where(
        AlertEntity.alert_id.in_(alert_ids), AlertEntity.kind.in_(("ip", "domain", "hash"))
    )
    wanted: dict[tuple[str, str], None] = {}
    for row in session.execute(query.order_by(AlertEntity.kind, AlertEntity.value)):
        kind = _HASH_OF_LENGTH.get(len(row.value), "") if row.kind == "hash" else row.kind
        if row.kind == "ip" and not row.role.startswith(("source.", "client.", "winlog.")) and not _foreign(row.value):
            continue  # the attacked address is an affected asset, no sign of the attack
        try:
            wanted[(kind, normal(kind, row.value))] = None
        except Invalid:
            continue
    there = {(row.kind, row.value) for row in _rows(session, incident_id)}
    now = clock.now()
    new = [pair for pair in wanted if pair not in there][: max(0, MAX_INDICATORS - len(there))]
    rows = [
        {
            "incident_id": incident_id,
            "kind": kind,
            "value": value,
            "source": "alert",
            "note": "",
            "added_at": now,
            "added_by": actor.name[:160],
        }
        for kind, value in new
    ]
    if rows:
        session.execute(insert(IncidentIndicator), rows)
    return len(rows)


def add_indicator(session: Session, actor: Actor, incident_id: int, kind: str, value: str, *, note: str = "") -> Indicator:
    """Add one by hand. Raises NotFound, Invalid, Conflict (there already, closed)."""
    held(session, incident_id)
    found = normal(kind, value)
    rows = _rows(session, incident_id)
    if any((row.kind, row.value) == (kind, found) for row in rows):
        raise Conflict("the incident has this indicator already")
    if len(rows) >= MAX_INDICATORS:
        raise Conflict(f"an incident has at most {MAX_INDICATORS} indicators")
    row = IncidentIndicator(
        incident_id=incident_id, kind=kind, value=found, source="manual", note=line(note, "note", 512), added_at=clock.now(),
        added_by=actor.name[:160],
    )  # fmt: skip
    session.add(row)
    session.flush()
    tell(session, actor, incident_id, "indicator_added", {"kind": kind, "value": found})
    audit.append(session, actor, "incident.indicator", "incident", incident_id, detail={"add": [kind, found]})
    return _record(row, [])


def remove_indicator(session: Session, actor: Actor, incident_id: int, indicator_id: int) -> None:
    """Take one out. Raises NotFound, Conflict (closed)."""
    held(session, incident_id)
    row = session.get(IncidentIndicator, indicator_id)
    if row is None or row.incident_id != incident_id:
        raise NotFound(f"incident {incident_id} has no indicator {indicator_id}")
    tell(session, actor, incident_id, "indicator_removed", {"kind": row.kind, "value": row.value})
    audit.append(session, actor, "incident.indicator", "incident", incident_id, detail={"remove": [row.kind, row.value]})
    session.delete(row)
    session.flush()


def watch(session: Session, actor: Actor, incident_id: int, indicator_id: int) -> IndicatorRecord:
    """Let every event be searched for it from now on. Raises NotFound, Invalid (it would ring for everybody), Conflict (it is)."""
    found = get_incident(session, incident_id)
    row = session.get(IncidentIndicator, indicator_id)
    if row is None or row.incident_id != incident_id:
        raise NotFound(f"incident {incident_id} has no indicator {indicator_id}")
    note = f"{found.number} {row.note}".strip()
    return intel.add(session, actor, Candidate(row.value, kind=_WATCHED.get(row.kind, row.kind), note=note), origin=intel.INCIDENT)


def watched(session: Session, indicators: Sequence[Indicator]) -> dict[int, IndicatorRecord]:
    """Number of an indicator of an incident → the one in force by which its value is watched for."""
    there = covering(session, [one.value for one in indicators])
    return {one.id: there[one.value] for one in indicators if one.value in there}


def list_indicators(session: Session, incident_id: int) -> list[Indicator]:
    """By kind and value, each with the other incidents that know it. Raises NotFound."""
    get_incident(session, incident_id)
    rows = _rows(session, incident_id)
    values = [row.value for row in rows][:1000]
    query = select(IncidentIndicator.value, IncidentIndicator.incident_id).join(
        Incident, Incident.id == IncidentIndicator.incident_id
    )
    query = query.where(IncidentIndicator.value.in_(values), IncidentIndicator.incident_id != incident_id, *within(session))
    elsewhere: dict[str, list[int]] = {}
    for found in session.execute(query.order_by(IncidentIndicator.incident_id).limit(5000)):
        elsewhere.setdefault(found.value, []).append(found.incident_id)
    return [_record(row, elsewhere.get(row.value, [])[:20]) for row in rows]


def _foreign(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _rows(session: Session, incident_id: int) -> list[IncidentIndicator]:
    query = select(IncidentIndicator).where(IncidentIndicator.incident_id == incident_id)
    return list(session.execute(query.order_by(IncidentIndicator.kind, IncidentIndicator.value)).scalars())


def _record(row: IncidentIndicator, elsewhere: list[int]) -> Indicator:
    return Indicator(row.id, row.kind, row.value, row.source, row.note, row.added_at, row.added_by, elsewhere)
