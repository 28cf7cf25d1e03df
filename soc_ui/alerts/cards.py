"""What stands on the card of a device or zone that an alert names: whose it is, how much depends on it, and its risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy.orm import Session

from kernel.zones.model import Zone
from operations.alerts.schema import Entity
from operations.assets.listing import of_keys
from operations.assets.schema import AssetRecord
from operations.risk.listing import of_subjects
from operations.risk.schema import RiskRow
from soc_ui import access


class Card(msgspec.Struct, frozen=True):
    """``name``, ``zone``, ``status`` are a device's; ``owner`` and ``importance`` its own, else those of its zone."""

    owner: str
    importance: int
    name: str = ""
    zone: str = ""
    status: str = ""
    risk: RiskRow | None = None


def cards(session: Session, entities: Sequence[Entity], zones: Mapping[str, Zone]) -> dict[tuple[str, str], Card]:
    """(kind, value) → card of the devices and zones among ``entities`` that one may see."""
    keys = {kind: [entity.value for entity in entities if entity.kind == kind] for kind in ("asset", "zone")}
    may = access.me().may
    risks = {kind: of_subjects(session, kind, keys[kind]) if may("risk.read") else {} for kind in keys}
    devices = of_keys(session, keys["asset"]) if may("assets.read") else {}
    found = {("asset", key): _device(device, zones, risks["asset"].get(key)) for key, device in devices.items()}
    for key in keys["zone"]:
        if key in zones:
            found["zone", key] = Card(zones[key].owner, zones[key].importance, risk=risks["zone"].get(key))
    return found


def _device(device: AssetRecord, zones: Mapping[str, Zone], risk: RiskRow | None) -> Card:
    zone = zones.get(device.zone)
    owner = device.bureau or (zone.owner if zone else "")
    importance = device.importance or (zone.importance if zone else 0)
    name = device.name if device.name != device.key else ""
    return Card(owner, importance, name, device.zone, device.status, risk)
