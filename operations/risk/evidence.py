"""What speaks of an attack on an asset or a zone: open alerts, open incidents, indicators of these that are its address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

import orjson
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from kernel.query.values import ip_hex
from operations.advisories.models import AdvisoryMatch, AdvisoryRow
from operations.alerts.models import Alert, AlertEntity, AlertHistory
from operations.assets.models import AssetMark, AssetRow
from operations.incidents.models import AffectedAsset, Incident, IncidentIndicator, IncidentZone
from operations.incidents.phases import OPEN
from operations.software.models import SoftwareRow

OPEN_ALERTS: tuple[str, ...] = ("new", "acknowledged", "in_progress")
_CHUNK = 400


class Evidence:
    """Per key: open alerts by level, open incidents, indicators."""

    def __init__(self) -> None:
        self.alerts: dict[str, dict[str, int]] = {}
        self.incidents: Counter[str] = Counter()
        self.indicators: Counter[str] = Counter()


def read(session: Session, kind: str, since: str, keys: Collection[str] | None = None) -> Evidence:
    """``kind`` asset or zone; ``since``: alerts last seen before that do not count; ``keys`` None = all."""
    found = Evidence()
    for part in _parts(keys):
        for value, level, number in session.execute(_alerts(kind, since, part)):
            found.alerts.setdefault(value, {})[level] = number
    found.incidents = _incidents(session, kind)
    if kind == "asset":
        found.indicators = _indicators(session)
    return found


def touched(session: Session, after_alert: int, after_history: int) -> dict[str, set[str]]:
    """Assets and zones whose alerts are new or were changed by a person since these row numbers."""
    changed = select(AlertHistory.alert_id).where(AlertHistory.id > after_history)
    found: dict[str, set[str]] = {"asset": set(), "zone": set()}
    for condition in (AlertEntity.alert_id > after_alert, AlertEntity.alert_id.in_(changed)):
        query = select(AlertEntity.kind, AlertEntity.value).where(condition, AlertEntity.kind.in_(tuple(found))).distinct()
        for kind, value in session.execute(query):
            found[kind].add(value)
    return found


def marks(session: Session) -> tuple[int, int]:
    """The row numbers to ask :func:`touched` with next time."""
    alert = session.execute(select(func.max(Alert.id))).scalar_one() or 0
    history = session.execute(select(func.max(AlertHistory.id))).scalar_one() or 0
    return alert, history


def incident_mark(session: Session) -> str:
    """Changes with every change of an incident."""
    newest = session.execute(select(func.max(Incident.updated_at))).scalar_one() or ""
    affected = session.execute(select(func.max(AffectedAsset.id))).scalar_one() or 0
    return f"{newest} {affected}"


def _parts(keys: Collection[str] | None) -> Iterator[list[str] | None]:
    if keys is None:
        yield None
        return
    every = sorted(keys)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]


def _alerts(kind: str, since: str, keys: list[str] | None) -> Select[str, str, int]:
    conditions: list[ColumnElement[bool]] = [AlertEntity.kind == kind, Alert.status.in_(OPEN_ALERTS), Alert.last_seen >= since]
    if keys is not None:
        conditions.append(AlertEntity.value.in_(keys))
    query = select(AlertEntity.value, Alert.level, func.count()).join(Alert, Alert.id == AlertEntity.alert_id)
    return query.where(*conditions).group_by(AlertEntity.value, Alert.level)


def _incidents(session: Session, kind: str) -> Counter[str]:
    running = (Incident.phase.in_(OPEN), Incident.drill.is_(False))
    if kind == "zone":
        query = select(IncidentZone.zone, func.count()).join(Incident, Incident.id == IncidentZone.incident_id).where(*running)
        return Counter(dict(iter(session.execute(query.group_by(IncidentZone.zone)))))
    named = select(AffectedAsset.name, func.count(AffectedAsset.incident_id.distinct()))
    named = named.join(Incident, Incident.id == AffectedAsset.incident_id)
    named = named.where(*running, AffectedAsset.kind == "asset", AffectedAsset.state.not_in(("restored", "cleared")))
    return Counter(dict(iter(session.execute(named.group_by(AffectedAsset.name)))))


def _indicators(session: Session) -> Counter[str]:
    """Assets whose address is an indicator of an open incident: somebody found it on the attacker's side."""
    query = select(IncidentIndicator.value).join(Incident, Incident.id == IncidentIndicator.incident_id)
    query = query.where(Incident.phase.in_(OPEN), Incident.drill.is_(False), IncidentIndicator.kind == "ip").distinct()
    wanted = [key for value in session.execute(query).scalars() if (key := ip_hex(value))]
    found: Counter[str] = Counter()
    for start in range(0, len(wanted), _CHUNK):
        owners = select(AssetRow.key).join(AssetMark, AssetMark.asset_id == AssetRow.id)
        owners = owners.where(AssetMark.kind == "address", AssetMark.value.in_(wanted[start : start + _CHUNK]))
        found.update(session.execute(owners).scalars())
    return found


def flaws(session: Session, ids: Collection[int] | None = None) -> tuple[dict[int, int], dict[int, dict[str, int]]]:
    """Per asset: entries of software, and open matches of advisories by kind. Nothing where no advisory was ever imported: then
    knowing software tells nothing."""
    software: dict[int, int] = {}
    found: dict[int, dict[str, int]] = {}
    if session.execute(select(AdvisoryRow.id).limit(1)).first() is None:
        return software, found
    kinds = {("affected", True): "exploited", ("affected", False): "flawed", ("possibly", True): "exploited_perhaps"}
    for part in _id_parts(ids):
        counted = select(SoftwareRow.asset_id, func.count()).group_by(SoftwareRow.asset_id)
        named = select(AdvisoryMatch.asset_id, AdvisoryMatch.verdict, AdvisoryRow.kev, func.count())
        named = named.join(AdvisoryRow, AdvisoryRow.id == AdvisoryMatch.advisory_id)
        named = named.where(AdvisoryMatch.state == "open", AdvisoryMatch.verdict != "fixed")
        if part is not None:
            counted, named = counted.where(SoftwareRow.asset_id.in_(part)), named.where(AdvisoryMatch.asset_id.in_(part))
        software |= dict(iter(session.execute(counted)))
        for asset_id, verdict, kev, number in session.execute(
            named.group_by(AdvisoryMatch.asset_id, AdvisoryMatch.verdict, AdvisoryRow.kev)
        ):
            found.setdefault(asset_id, {})[kinds.get((verdict, bool(kev)), "perhaps")] = number
    return software, found


def _id_parts(ids: Collection[int] | None) -> Iterator[list[int] | None]:
    if ids is None:
        yield None
        return
    every = sorted(ids)
    for start in range(0, len(every), _CHUNK):
        yield every[start : start + _CHUNK]


def services_of(text: str) -> list[str]:
    """The services of an asset row."""
    return list(orjson.loads(text)) if text != "[]" else []
