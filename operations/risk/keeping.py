"""Keeping the scores up to date: the scheduler calls it often, and it computes what has changed.

Everything anew  at the start, on a new day (UTC), after a change of plan, inventory, incidents or settings; at most once in
                 FULL_SECONDS.
Some             assets and zones whose alerts are new or were changed by a person.
Nothing          else. Alerts that only count up change no score.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from kernel.db import Database
from kernel.zones.model import Zone
from operations import clock
from operations.advisories.rounds import changes
from operations.assets.models import AssetRow
from operations.risk import evidence, factors, settings
from operations.risk.exposure import zone_exposures
from operations.risk.models import RiskDay
from operations.risk.schema import Factor
from operations.risk.storing import Subject, store
from operations.zones.revision import current
from operations.zones.service import list_conduits, list_zones

FULL_SECONDS = 60.0
KEPT_DAYS = 400
IN_FORCE = ("in-force", "expiring")


@dataclass
class Kept:
    """What was done: subjects looked at, rows written, seconds."""

    full: bool
    looked: int
    written: int
    seconds: float


@dataclass
class _City:
    """What all scores need: read once for a round."""

    zones: dict[str, Zone]
    exposures: dict[str, Factor]
    numbers: Mapping[str, Any]
    since: str
    devices: dict[str, list[Factor]] = field(default_factory=dict)


class RiskKeeper:
    """One for a process."""

    def __init__(
        self, database: Database, *, now: Callable[[], str] = clock.now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._now = now
        self._monotonic = monotonic
        self._state: tuple[Any, ...] = ()
        self._marks = (0, 0)
        self._full_at: float | None = None

    def __call__(self) -> Kept:
        """One round. Raises what the database raises."""
        begun = self._monotonic()
        day = self._now()[:10]
        with self._database.read() as session:
            marks = evidence.marks(session)
            state = (*current(session), evidence.incident_mark(session), settings.get(session).version, changes(session), day)
            waited = self._full_at is None or begun - self._full_at >= FULL_SECONDS
            full = state != self._state and waited
            if not full and marks == self._marks:
                return Kept(False, 0, 0, 0.0)
            some = None if full else evidence.touched(session, *self._marks)
            subjects = self._subjects(session, some)
        written = store(self._database, subjects, day, self._now(), whole=full)
        self._marks = marks
        if full:
            self._state, self._full_at = state, self._monotonic()
            self._forget(day)
        return Kept(full, len(subjects), written, self._monotonic() - begun)

    def _subjects(self, session: Session, some: Mapping[str, Collection[str]] | None) -> list[Subject]:
        city = self._city(session)
        keys = None if some is None else some["asset"]
        assets = _assets(session, city, keys)
        return [*assets, *_zones(session, city, None if some is None else some["zone"])]

    def _city(self, session: Session) -> _City:
        numbers = settings.get(session).value
        zones = {record.zone.id: record.zone for record in list_zones(session)}
        conduits = [record.conduit for record in list_conduits(session) if record.state in IN_FORCE]
        since = clock.shift(self._now(), -86_400 * float(numbers["window_days"]))
        return _City(zones, zone_exposures(list(zones.values()), conduits, numbers), numbers, since)

    def _forget(self, day: str) -> None:
        """Days beyond KEPT_DAYS that a later one, still beyond them, makes needless (a score stands until the next one)."""
        oldest = clock.shift(f"{day}T00:00:00.000000Z", -86_400 * KEPT_DAYS)[:10]
        with self._database.write() as session:
            later = aliased(RiskDay)
            newer = exists().where(
                later.kind == RiskDay.kind, later.key == RiskDay.key, later.day > RiskDay.day, later.day < oldest
            )
            session.execute(delete(RiskDay).where(RiskDay.day < oldest, newer), execution_options={"synchronize_session": False})


def _assets(session: Session, city: _City, keys: Collection[str] | None) -> list[Subject]:
    """Every asset that is not retired, or those of ``keys``. Fills ``city.devices`` where all are read."""
    found = evidence.read(session, "asset", city.since, keys)
    columns = (
        AssetRow.id,
        AssetRow.key,
        AssetRow.name,
        AssetRow.names,
        AssetRow.kind,
        AssetRow.status,
        AssetRow.zone,
        AssetRow.bureau,
    )
    query = select(*columns, AssetRow.importance, AssetRow.services).where(AssetRow.status != "retired")
    rows: Sequence[Any]
    if keys is None:
        rows = session.execute(query).all()
    else:
        every = sorted(keys)
        rows = [
            row
            for start in range(0, len(every), 400)
            for row in session.execute(query.where(AssetRow.key.in_(every[start : start + 400]))).all()
        ]
    known = evidence.flaws(session, None if keys is None else [row.id for row in rows])
    return [_asset(row, city, found, known) for row in rows]


_Flaws = tuple[dict[int, int], dict[int, dict[str, int]]]


def _asset(row: Any, city: _City, found: evidence.Evidence, known: _Flaws) -> Subject:
    zone = city.zones.get(row.zone)
    stranger = row.status == "observed" and zone is not None and zone.admission == "registered"
    alerts = found.alerts.get(row.key, {})
    made = {
        "exposure": city.exposures.get(row.zone) or factors.no_zone(city.numbers),
        "vulnerability": factors.vulnerability(
            evidence.services_of(row.services),
            stranger=stranger,
            numbers=city.numbers,
            software=known[0].get(row.id, 0),
            flaws=known[1].get(row.id),
        ),
        "threat": factors.threat(alerts, found.incidents[row.key], found.indicators[row.key], city.numbers),
        "importance": factors.importance(row.importance, zone.importance if zone else 0, row.zone, city.numbers),
    }
    city.devices.setdefault(row.zone, []).append(made["vulnerability"])
    name = row.name or next(iter(evidence.services_of(row.names)), "")
    score = factors.score(made, city.numbers["weights"])
    return Subject("asset", row.key, name, row.zone, row.bureau, row.kind, score, made, sum(alerts.values()))


def _zones(session: Session, city: _City, keys: Collection[str] | None) -> list[Subject]:
    wanted = list(city.zones) if keys is None else [key for key in sorted(keys) if key in city.zones]
    if not wanted:
        return []
    found = evidence.read(session, "zone", city.since, wanted)
    if keys is not None:  # only some assets were read: the others' devices are missing
        city.devices = {zone: _devices(session, city, zone) for zone in wanted}
    return [_zone(city.zones[key], city, found) for key in wanted]


def _zone(zone: Zone, city: _City, found: evidence.Evidence) -> Subject:
    alerts = found.alerts.get(zone.id, {})
    made = {
        "exposure": city.exposures[zone.id],
        "vulnerability": factors.vulnerability_of_zone(city.devices.get(zone.id, []), city.numbers),
        "threat": factors.threat(alerts, found.incidents[zone.id], 0, city.numbers),
        "importance": factors.importance(zone.importance, 0, zone.id, city.numbers),
    }
    score = factors.score(made, city.numbers["weights"])
    return Subject("zone", zone.id, zone.name, zone.id, zone.owner, "", score, made, sum(alerts.values()))


def _devices(session: Session, city: _City, zone_id: str) -> list[Factor]:
    closed = city.zones[zone_id].admission == "registered"
    query = select(AssetRow.id, AssetRow.status, AssetRow.services).where(AssetRow.zone == zone_id, AssetRow.status != "retired")
    rows = session.execute(query).all()
    software, flaws = evidence.flaws(session, [row.id for row in rows])
    return [
        factors.vulnerability(
            evidence.services_of(row.services),
            stranger=closed and row.status == "observed",
            numbers=city.numbers,
            software=software.get(row.id, 0),
            flaws=flaws.get(row.id),
        )
        for row in rows
    ]
