"""Detections → alerts: deduplication, counting up, and everything that hangs on a new alert, in one transaction.

A detection joins an open (not closed) alert with the same deduplication key (entities.py) when it lies within ``window`` seconds
of what that alert already spans; the span slides along. Otherwise it opens a new alert, also where the earlier one was closed: a
person's "done" never swallows what comes later. A detection whose id was recorded before is skipped, so a batch may be repeated.

What falls under a suppression joins alerts of that suppression only, and nothing else does: so nothing hides once it has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from kernel.detection import Detection, level_rank
from operations import clock
from operations.alerts.counts import Deltas
from operations.alerts.entities import dedup_key, entities_in, first_of
from operations.alerts.models import SUPPRESSED, Alert, AlertDetection, AlertEntity, AlertSample, AlertTag
from operations.alerts.rule_days import DayDeltas
from operations.alerts.schema import Entity, RecordResult
from operations.alerts.suppressing import Active, count_hits
from operations.alerts.text import append_texts, insert_texts, text_of
from operations.alerts.zone_counts import ZoneDeltas
from operations.webhooks.outbox import announce_alerts

DEFAULT_WINDOW = 3600
MAX_ENTITIES = 64
"""Entities kept per alert; further ones are still in the events of its detections."""

MAX_SAMPLE_VALUE = 32 * 1024
MAX_TAGS = 64
RECORDING = 0x616C65727473  # "alerts": names the lock of recordings in PostgreSQL


_Key = tuple[str, int]
"""Deduplication key, and the suppression that the detection falls under (0 = none)."""

_Keyed = tuple[_Key, Detection, list[Entity]]


class _Open:
    """An alert that can still take detections: a row of the table, or one to be inserted."""

    __slots__ = ("count", "detections", "entities", "first_seen", "id", "last_seen", "suppression")

    def __init__(self, alert_id: int | None, first_seen: str, last_seen: str, suppression: int) -> None:
        self.id = alert_id
        self.suppression = suppression
        self.first_seen, self.last_seen = first_seen, last_seen
        self.count = 0
        self.detections: list[Detection] = []
        self.entities: dict[tuple[str, str], Entity] = {}

    def takes(self, time: str, window: float) -> bool:
        return clock.shift(self.first_seen, -window) <= time <= clock.shift(self.last_seen, window)

    def join(self, detection: Detection, entities: list[Entity]) -> None:
        self.count += 1
        self.detections.append(detection)
        self.first_seen, self.last_seen = min(self.first_seen, detection.time), max(self.last_seen, detection.time)
        for entity in entities:
            self.entities.setdefault((entity.kind, entity.value), entity)


def record_detections(session: Session, detections: Sequence[Detection], *, window: float = DEFAULT_WINDOW) -> RecordResult:
    """Record a batch in the caller's write transaction (100–500 detections a batch are fastest).

    window  seconds of event time between two detections of one alert
    """
    _one_at_a_time(session)
    fresh = _unrecorded(session, detections)
    present = clock.now()
    keyed = _keyed(session, fresh, present)
    open_alerts = _open_alerts(session, keyed, window)
    for key, detection, entities in keyed:
        candidates = open_alerts.setdefault(key, [])
        target = next((alert for alert in reversed(candidates) if alert.takes(detection.time, window)), None)
        if target is None:
            target = _Open(None, detection.time, detection.time, key[1])
            candidates.append(target)
        target.join(detection, entities)
    touched = [(key, alert) for key, alerts in open_alerts.items() for alert in alerts if alert.count]
    new = [(key, alert) for key, alert in touched if alert.id is None]
    old = [alert for _, alert in touched if alert.id is not None]
    rows = _insert_alerts(session, new, present)
    _count_up(session, old, present)
    _insert_detections(session, [alert for _, alert in new] + old)
    _add_entities(session, old)
    _count_suppressed(session, [alert for _, alert in new], old, present)
    announce_alerts(session, [row for row in rows if row["status"] != SUPPRESSED])
    return RecordResult([row["id"] for row in rows], sorted(alert.id for alert in old if alert.id), len(detections) - len(fresh))


def _one_at_a_time(session: Session) -> None:
    """Recordings wait for each other, to the end of the transaction: two that do not see each other's rows would both open an alert
    for the same entities, or both store the same detection. An embedded database has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(RECORDING)))


def _unrecorded(session: Session, detections: Sequence[Detection]) -> list[Detection]:
    by_id = {detection.id: detection for detection in detections}
    known: set[str] = set()
    ids = list(by_id)
    for start in range(0, len(ids), 1000):
        query = select(AlertDetection.id).where(AlertDetection.id.in_(ids[start : start + 1000]))
        known.update(session.execute(query).scalars())
    return [detection for key, detection in by_id.items() if key not in known]


def _keyed(session: Session, fresh: list[Detection], present: str) -> list[_Keyed]:
    """The detections in the order of time, with their keys and entities."""
    active = Active(session, (_clean(detection.rule_id, 160) for detection in fresh), present)
    keyed = []
    for detection in fresh:
        entities = entities_in(detection)
        named = {(entity.kind, entity.value): entity for entity in entities}
        suppression = active.find(_clean(detection.rule_id, 160), detection.level, named)
        keyed.append(((dedup_key(detection, entities), suppression), detection, entities))
    keyed.sort(key=lambda entry: (entry[1].time, entry[1].id))
    return keyed


def _open_alerts(session: Session, keyed: list[_Keyed], window: float) -> dict[_Key, list[_Open]]:
    if not keyed:
        return {}
    earliest = clock.shift(keyed[0][1].time, -window)
    keys = sorted({key for (key, _), _, _ in keyed})
    found: dict[_Key, list[_Open]] = {}
    for start in range(0, len(keys), 1000):
        query = (
            select(Alert.dedup_key, Alert.id, Alert.first_seen, Alert.last_seen, Alert.status, Alert.suppressed_by)
            .where(Alert.dedup_key.in_(keys[start : start + 1000]), Alert.last_seen >= earliest, Alert.status != "closed")
            .order_by(Alert.last_seen, Alert.id)
            .with_for_update()
        )
        for key, alert_id, first_seen, last_seen, status, suppressed_by in session.execute(query):
            suppression = (suppressed_by or 0) if status == SUPPRESSED else 0  # whoever took it up brought it back
            found.setdefault((key, suppression), []).append(_Open(alert_id, first_seen, last_seen, suppression))
    return found


def _count_suppressed(session: Session, new: list[_Open], old: list[_Open], present: str) -> None:
    hits = dict.fromkeys((alert.suppression for alert in old if alert.suppression), 0)
    for alert in new:
        if alert.suppression:
            hits[alert.suppression] = hits.get(alert.suppression, 0) + 1
    count_hits(session, hits, present)


def _insert_alerts(session: Session, new: list[tuple[_Key, _Open]], present: str) -> list[dict[str, Any]]:
    if not new:
        return []
    rows = []
    for alert_id, (key, alert) in zip(_reserve_ids(session, len(new)), new, strict=True):
        alert.id = alert_id
        rows.append({"id": alert_id, **_alert_row(key[0], alert, present)})
    connection = session.connection()
    connection.execute(insert(Alert), rows)
    samples, entities, tags, texts, deltas, days, zones = [], [], [], [], Deltas(), DayDeltas(), ZoneDeltas()
    for row, (_, alert) in zip(rows, new, strict=True):
        first = alert.detections[0]
        samples.append({"alert_id": alert.id, "event": _sample(first.event), "rule": _rule_part(first)})
        kept = list(alert.entities.values())[:MAX_ENTITIES]
        entities += [_entity_row(alert.id, entity) for entity in kept]
        names = _tags(first)
        tags += [{"tag": tag, "alert_id": alert.id} for tag in names]
        texts.append((row["id"], text_of(first, kept)))
        deltas.add(row, names)
        days.add(row)
        zones.add((entity.value for entity in kept if entity.kind == "zone"), row)
    connection.execute(insert(AlertSample), samples)
    if entities:
        connection.execute(insert(AlertEntity), entities)
    if tags:
        connection.execute(insert(AlertTag), tags)
    insert_texts(session, texts)
    deltas.write(session)
    days.write(session)
    zones.write(session)
    return rows


def _reserve_ids(session: Session, number: int) -> list[int]:
    """Fresh alert ids. Asking the database for each row's id after the insert would cost one statement per row in SQLite."""
    if session.get_bind().dialect.name == "sqlite":
        used = session.execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'alerts'")).scalar() or 0
        return list(range(used + 1, used + number + 1))
    draw = text("SELECT nextval(pg_get_serial_sequence('alerts', 'id')) FROM generate_series(1, :number)")
    return list(session.execute(draw, {"number": number}).scalars())


def _alert_row(key: str, alert: _Open, present: str) -> dict[str, Any]:
    first, entities = alert.detections[0], list(alert.entities.values())
    return {
        "dedup_key": key,
        "rule_id": _clean(first.rule_id, 160),
        "rule_name": _clean(first.rule_name, 512),
        "engine": first.engine[:16],
        "level": first.level[:16],
        "level_rank": level_rank(first.level),
        "status": SUPPRESSED if alert.suppression else "new",
        "verdict": None,
        "assignee": None,
        "count": alert.count,
        "first_seen": alert.first_seen,
        "last_seen": alert.last_seen,
        "created_at": present,
        "updated_at": present,
        "host": _cut(first_of(entities, "host"), 255),
        "user_name": _cut(first_of(entities, "user"), 255),
        "source_ip": first_of(entities, "ip", "source.ip"),
        "destination_ip": first_of(entities, "ip", "destination.ip"),
        "dataset": _clean(str(first.event.get("event.dataset", "")), 128),
        "source": _clean(str(first.event.get("liandun.source", "")), 128),
        "tags": orjson.dumps(_tags(first)).decode(),
        "version": 1,
        "suppressed_by": alert.suppression or None,
        "merged_into": None,
        "closed_at": None,
    }


def _count_up(session: Session, old: list[_Open], present: str) -> None:
    if not old:
        return
    statement = (
        update(Alert.__table__)  # type: ignore[arg-type]  # declared as FromClause; it is a Table
        .where(Alert.__table__.c.id == bindparam("alert"))
        .values(
            count=Alert.count + bindparam("more"), first_seen=bindparam("first"), last_seen=bindparam("last"), updated_at=present
        )
    )
    rows = [{"alert": alert.id, "more": alert.count, "first": alert.first_seen, "last": alert.last_seen} for alert in old]
    session.connection().execute(statement, sorted(rows, key=lambda row: row["alert"] or 0))


def _insert_detections(session: Session, alerts: list[_Open]) -> None:
    rows = [
        {"id": detection.id[:32], "alert_id": alert.id, "time": detection.time, "event_ids": " ".join(detection.event_ids)}
        for alert in alerts
        for detection in alert.detections
    ]
    if rows:
        session.connection().execute(insert(AlertDetection), rows)


def _add_entities(session: Session, old: list[_Open]) -> None:
    """Entities that counted-up alerts did not have yet, up to MAX_ENTITIES."""
    if not old:
        return
    ids = [alert.id for alert in old if alert.id]
    query = select(AlertEntity.alert_id, AlertEntity.kind, AlertEntity.value).where(AlertEntity.alert_id.in_(ids))
    known: dict[int, set[tuple[str, str]]] = {alert_id: set() for alert_id in ids}
    for alert_id, kind, value in session.execute(query):
        known[alert_id].add((kind, value))
    rows, texts = [], []
    for alert in old:
        have = known[alert.id or 0]
        added = [entity for key, entity in alert.entities.items() if key not in have][: max(0, MAX_ENTITIES - len(have))]
        if added:
            rows += [_entity_row(alert.id, entity) for entity in added]
            texts.append((alert.id or 0, " ".join(entity.value for entity in added)))
    if rows:
        session.connection().execute(insert(AlertEntity), rows)
        append_texts(session, texts)
        _count_zones(session, rows, known)


def _count_zones(session: Session, added: list[dict[str, Any]], known: Mapping[int, set[tuple[str, str]]]) -> None:
    """Alerts that name further zones are counted with those; ``known`` is what they named before."""
    further: dict[int, set[str]] = {}
    for row in added:
        if row["kind"] == "zone":
            further.setdefault(row["alert_id"], set()).add(row["value"])
    if not further:
        return
    deltas = ZoneDeltas()
    query = select(Alert.id, Alert.status, Alert.level, Alert.assignee).where(Alert.id.in_(further))
    for alert_id, status, level, assignee in session.execute(query):
        alert = {"status": status, "level": level, "assignee": assignee}
        before = {value for kind, value in known[alert_id] if kind == "zone"}
        deltas.add(before, alert, -1)
        deltas.add(before | further[alert_id], alert)
    deltas.write(session)


def _entity_row(alert_id: int | None, entity: Entity) -> dict[str, Any]:
    return {"kind": entity.kind, "value": entity.value, "alert_id": alert_id, "role": entity.role[:32]}


def _tags(detection: Detection) -> list[str]:
    return list(dict.fromkeys(_clean(tag, 128) for tag in detection.tags if tag))[:MAX_TAGS]


def _sample(event: dict[str, Any]) -> str:
    cut = {
        field: value[:MAX_SAMPLE_VALUE] + "…" if isinstance(value, str) and len(value) > MAX_SAMPLE_VALUE else value
        for field, value in event.items()
    }
    return _json(cut)


def _rule_part(detection: Detection) -> str:
    return _json(
        {
            "matched": [
                {
                    "field": match.field,
                    "value": match.value[:MAX_SAMPLE_VALUE],
                    "pattern": match.pattern[:MAX_SAMPLE_VALUE],
                    "selection": match.selection,
                }
                for match in detection.matched
            ],
            "description": detection.description,
            "author": detection.author,
            "references": detection.references,
            "falsepositives": detection.falsepositives,
            "rule_file": detection.rule_file,
            "group": detection.group,
        }
    )


def _json(value: dict[str, Any]) -> str:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:  # a lone surrogate from a broken record, or an integer beyond 64 bits
        return orjson.dumps(_mended(value), default=str).decode()


def _mended(value: Any) -> Any:
    if isinstance(value, dict):
        return {_mended(str(key)): _mended(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_mended(member) for member in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int) and abs(value) >= 1 << 63 else value


def _clean(text: str, width: int) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:width]


def _cut(text: str | None, width: int) -> str | None:
    return text[:width] if text else None
