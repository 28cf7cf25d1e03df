"""Whether an address, a network or a name lies in a zone with industrial control systems (operations.assets.control_systems)."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

from kernel.db import Database
from kernel.zones.addresses import plain_network
from kernel.zones.snapshot import ZoneSource
from kernel.zones.table import ZoneTable
from operations.assets.control_systems import FIELD_LAYER, control_zones
from playbooks.actions.protected import overlap

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class ControlZones:
    """Ask it of an address, a network or a host name. ``look`` reads anew which zones these are; the plan is followed by itself."""

    def __init__(self, database: Database, zones: ZoneSource) -> None:
        self._database, self._zones = database, zones
        self._known: frozenset[str] = frozenset()
        self._table: ZoneTable | None = None
        self._ranges: list[Network] = []

    def look(self) -> None:
        """Read which zones these are. Raises StateUnavailable."""
        with self._database.read() as session:
            self._known = control_zones(session)
        self._table = None

    def __call__(self, place: str) -> bool | None:
        """True: there, or partly there; False: elsewhere; None: nobody knows where that is."""
        table = self._present()
        try:
            network: Network = plain_network(place.strip("[]"), strict=False)
        except ValueError:
            return self._of_name(table, place)
        if network.num_addresses > 1:
            return any(overlap(network, one) for one in self._ranges)
        zone = table.zone_of(str(network.network_address))
        return True if zone in self._known else None if zone in ("", "unknown") else False

    def _of_name(self, table: ZoneTable, name: str) -> bool | None:
        asset = table.assets.get(table.asset_of_name(name))
        if asset is None or not asset.addresses:
            return None
        found = [self(address) for address in asset.addresses]
        return True if True in found else None if None in found else False

    def _present(self) -> ZoneTable:
        table = self._zones()
        if table is not self._table:
            self._known |= {zone.id for zone in table.plan.zones if zone.layer == FIELD_LAYER}  # from the first moment of a plan
            ranges = [text for zone in table.plan.zones if zone.id in self._known for text in zone.ranges]
            self._ranges = [plain_network(text, strict=False) for text in ranges]
            self._table = table
        return table
