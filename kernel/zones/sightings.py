"""Devices as events show them: address, MAC, host name, services, first and last moment. The raw material of the asset inventory.

Only what is inside a declared zone is taken down; what answers proves a server, what merely is asked for proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from kernel.event import Event
from kernel.zones.neighbours import own_mac
from kernel.zones.table import ZoneTable

REFRESH_SECONDS = 60
"""A device about which nothing is new is told again at most so often, so that its last moment stays true to the minute."""

_MOST_REMEMBERED = 200_000
_MOST_SERVICES = 64
_LONGEST_NAME = 256
_LONGEST_PROTOCOL = 32
"""Letters of a host name and of a protocol: both are a sender's text, and both are remembered."""


class Sighting(msgspec.Struct):
    """What a batch of events says of one device.

    asset     id of the asset where the plan in force knows it, else ""
    address   usual text (kernel.zones.table.Place), "" where only a name is known
    services  ``tcp/443 tls`` each: ports on which it answered
    first, last  @timestamp of the earliest and latest event
    """

    zone: str
    first: str
    last: str
    asset: str = ""
    address: str = ""
    mac: str = ""
    name: str = ""
    services: list[str] = []


class _Known(msgspec.Struct):
    last: str
    mac: str = ""
    name: str = ""
    services: set[str] = set()


class Inventory:
    """A memory of what was told, so that only news and a refresh a minute are handed on.

    ``table`` gives the plan in force.
    """

    def __init__(self, table: Callable[[], ZoneTable]) -> None:
        self._table = table
        self._known: dict[str, _Known] = {}

    def sightings(self, events: Sequence[Event]) -> list[Sighting]:
        """What is new in a batch, each device once."""
        table = self._table()
        if not table.zones:
            return []
        found: dict[str, Sighting] = {}
        for event in events:
            for sighting in _seen_in(event, table):
                key = sighting.address or sighting.name.casefold()
                earlier = found.get(key)
                found[key] = sighting if earlier is None else _together(earlier, sighting)
        return [sighting for key, sighting in found.items() if self._is_news(key, sighting)]

    def _is_news(self, key: str, sighting: Sighting) -> bool:
        known = self._known.get(key)
        services = set(sighting.services)
        if known is not None and not (
            (sighting.mac and sighting.mac != known.mac)
            or (sighting.name and sighting.name != known.name)
            or (len(known.services) < _MOST_SERVICES and not services <= known.services)
            or _later(sighting.last, known.last)
        ):
            return False
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()  # everything is told once more, which costs writes and nothing else
        before = known or _Known(sighting.last)
        self._known[key] = _Known(
            max(before.last, sighting.last), sighting.mac or before.mac, sighting.name or before.name, before.services | services
        )
        return True


def _later(time: str, than: str) -> bool:
    """True when ``time`` lies in another refresh period."""
    return time > than and (time[:17] != than[:17])


def _together(one: Sighting, other: Sighting) -> Sighting:
    return Sighting(
        zone=other.zone or one.zone,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        asset=other.asset or one.asset,
        address=one.address,
        mac=other.mac or one.mac,
        name=other.name or one.name,
        services=list(dict.fromkeys([*one.services, *other.services]))[:_MOST_SERVICES],
    )


def _seen_in(event: Event, table: ZoneTable) -> list[Sighting]:
    found = [_sender(event, table), _server(event, table), _host(event, table)]
    return [sighting for sighting in found if sighting is not None]


def _sender(event: Event, table: ZoneTable) -> Sighting | None:
    """The source of traffic: it sent, so it exists."""
    zone, address = event.get("source.zone"), event.get("source.ip")
    if zone not in table.zones or not isinstance(address, str) or (place := table.places[address]).zone != zone:
        return None
    mac = own_mac(event)
    name = event.get("host.hostname") if mac else None
    time = event["@timestamp"]
    return Sighting(
        zone=zone,
        first=time,
        last=time,
        asset=str(event.get("source.asset.id", "")),
        address=place.address,
        mac=mac,
        name=name[:_LONGEST_NAME] if isinstance(name, str) else "",
    )


def _server(event: Event, table: ZoneTable) -> Sighting | None:
    """The destination, where it answered."""
    zone, address, port = event.get("destination.zone"), event.get("destination.ip"), event.get("destination.port")
    if zone not in table.zones or not isinstance(address, str) or not isinstance(port, int):
        return None
    client = event.get("client.ip")
    if client is not None and client == address:  # the event speaks of an answer: the destination is the client
        return None
    answered = event.get("destination.bytes") or event.get("destination.packets") or event.get("network.protocol")
    if not answered or "denied" in (event.get("event.type") or ()):
        return None
    protocol = event.get("network.protocol")
    transport = str(event.get("network.transport") or "tcp")[:_LONGEST_PROTOCOL]
    service = f"{transport}/{port}" + (f" {protocol[:_LONGEST_PROTOCOL]}" if isinstance(protocol, str) else "")
    time = event["@timestamp"]
    asset = str(event.get("destination.asset.id", ""))
    return Sighting(zone=zone, first=time, last=time, asset=asset, address=table.places[address].address, services=[service])


def _host(event: Event, table: ZoneTable) -> Sighting | None:
    """The host that wrote the event."""
    name, zone = event.get("host.name"), event.get("host.zone")
    if not isinstance(name, str) or not name or zone not in table.zones:
        return None
    address = event.get("host.ip")
    if isinstance(address, list):
        address = next((one for one in address if isinstance(one, str) and table.zone_of(one) == zone), "")
    time = event["@timestamp"]
    asset = str(event.get("host.asset.id", ""))
    address = table.places[address].address if isinstance(address, str) else ""
    return Sighting(zone=zone, first=time, last=time, asset=asset, address=address, name=name[:_LONGEST_NAME])
