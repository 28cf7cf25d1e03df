"""Records of zones and conduits as other rooms see them."""

from __future__ import annotations

import msgspec

from kernel.zones.plan import Conduit, Zone


class ZoneRecord(msgspec.Struct, frozen=True):
    """A zone with who changed it last; ``version`` guards against two people changing it at once."""

    zone: Zone
    changed_at: str
    changed_by: str
    version: int


class ConduitRecord(msgspec.Struct, frozen=True):
    """A conduit; ``state`` is in-force, expiring (within 30 days), expired or pending."""

    conduit: Conduit
    state: str
    changed_at: str
    changed_by: str
    version: int


class Imported(msgspec.Struct, frozen=True):
    """What an import did."""

    zones: int
    conduits: int
    assets: int
    removed: int
