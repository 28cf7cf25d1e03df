"""How every zone stands: its devices, its open alerts, its pulse. What a card of the map shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import current_app

from kernel.detection import LEVELS
from kernel.zones.plan import Zone
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.assets import listing as assets
from operations.zones import service
from operations.zones.schema import ConduitRecord
from soc_ui import access
from soc_ui.alerts.filters import OPEN
from soc_ui.recent import Recent
from soc_ui.services import services
from soc_ui.zones.flows import Traffic


@dataclass(frozen=True)
class Numbers:
    """Devices per zone and status, open alerts per zone and level; ``alerts_exact`` as in EntityCounts."""

    devices: dict[str, dict[str, int]]
    alerts: dict[str, dict[str, int]]
    alerts_exact: bool


@dataclass(frozen=True)
class ZoneCard:
    """One zone on the map. ``strangers`` are devices that were seen but not registered, where only registered ones may be."""

    zone: Zone
    devices: int
    strangers: int
    alerts: int
    worst: str
    pulse: tuple[int, ...]
    violations: int


@dataclass(frozen=True)
class City:
    """The plan with the numbers of every zone."""

    zones: list[Zone]
    conduits: list[ConduitRecord]
    numbers: Numbers
    cards: dict[str, ZoneCard] = field(default_factory=dict)

    @property
    def strangers(self) -> int:
        """Devices that do not belong where they are."""
        return sum(card.strangers for card in self.cards.values())

    def conduits_in(self, *states: str) -> int:
        """Conduits in these states."""
        return sum(one.state in states for one in self.conduits)


def read_city(traffic: Traffic) -> City:
    """The plan as it is now; the numbers at most some seconds old."""
    with services().database.read() as session:
        zones = [record.zone for record in service.list_zones(session)]
        conduits = service.list_conduits(session)
    alerts_shown = access.me().may("alerts.read")
    kept: Recent[Numbers] = current_app.extensions.setdefault("liandun_zone_numbers", Recent())
    numbers = kept.get((services().reach, alerts_shown), lambda: read_numbers(with_alerts=alerts_shown))
    city = City(zones, conduits, numbers)
    violations = traffic.violating_zones()
    for zone in zones:
        city.cards[zone.id] = _card(zone, numbers, traffic, violations.get(zone.id, 0))
    return city


def read_numbers(*, with_alerts: bool = True) -> Numbers:
    """Count devices and open alerts; who administers sees no alerts, nor how many there are."""
    with services().database.read() as session:
        if not with_alerts:
            return Numbers(assets.count_by_zone(session), {}, True)
        found = alerts.count_by_entity(session, "zone", AlertFilter(status=OPEN))
        return Numbers(assets.count_by_zone(session), found.counts, found.exact)


def sorted_zones(zones: Sequence[Zone]) -> list[Zone]:
    """Most important first, then by name, as a person looks for them."""
    return sorted(zones, key=lambda zone: (-zone.importance, zone.id))


def _card(zone: Zone, numbers: Numbers, traffic: Traffic, violations: int) -> ZoneCard:
    devices = numbers.devices.get(zone.id, {})
    levels = numbers.alerts.get(zone.id, {})
    return ZoneCard(
        zone=zone,
        devices=devices.get("registered", 0) + devices.get("observed", 0),
        strangers=devices.get("observed", 0) if zone.admission == "registered" else 0,
        alerts=sum(levels.values()),
        worst=next((level for level in reversed(LEVELS) if levels.get(level)), ""),
        pulse=traffic.pulse.get(zone.id, ()),
        violations=violations,
    )
