"""The compiled plan: address → zone → verdict, quick enough for every event.

Invariants:

1. The narrowest range that holds an address decides its zone; what stands for an IPv4 address is one (kernel.zones.addresses).
2. An address of no range is ``unknown`` where the Internet cannot be meant: inside (RFC 1918, RFC 6598, RFC 4193, and the old
   site-local fec0::/10, RFC 3879) and reserved (240.0.0.0/4, RFC 1112 4); ``internet`` outside; and of no zone at all where it
   means no host of its own (loopback, link-local, multicast, unspecified, broadcast).
3. A crossing from one zone to another is permitted by the first valid conduit that covers its service, expired where only conduits
   outside their time cover it, denied otherwise.
"""

from __future__ import annotations

import bisect
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from kernel.addresses import without_scope
from kernel.zones.addresses import MAPPED_NETWORK, bounds, number, plain_network, written
from kernel.zones.plan import EVERY_ZONE, INTERNET, UNKNOWN, Asset, Conduit, Zone, ZonePlan, normal_mac
from kernel.zones.services import PortRange, port_ranges, service_name

PERMITTED, DENIED, EXPIRED = "permitted", "denied", "expired"
_MOST_CACHED = 200_000

_INSIDE = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "240.0.0.0/4", "fc00::/7", "fec0::/10"),
    )
)
_NOWHERE = tuple(
    map(
        ipaddress.ip_network,
        ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/127", "fe80::/10", "ff00::/8"),
    )
)


class Verdict(msgspec.Struct, frozen=True):
    """What the plan says of one crossing. ``conduit`` is the id of the one that permits it, or of one that would in its time."""

    verdict: str
    conduit: str
    service: str


class Place(NamedTuple):
    """What the plan knows of an address.

    zone     its id; ``internet``, ``unknown``, or "" for an address that means no host (or is no address)
    asset    id of the asset that has it, registered or observed, "" for none
    address  its usual text: no scope, IPv4 where it stands for IPv4
    """

    zone: str
    asset: str
    registered: bool
    address: str


_NOWHERE_PLACE = Place("", "", False, "")


class _Places(dict[str, Place]):
    """Places that were asked for, by text without scope (a sender can vary the scope without end)."""

    def __init__(self, find: Callable[[str], Place]) -> None:
        self._find = find

    def __missing__(self, text: str) -> Place:
        bare = without_scope(text)
        if bare is None:
            return _NOWHERE_PLACE
        if bare != text:
            return self[bare]
        if len(self) >= _MOST_CACHED:
            self.clear()
        place = self[text] = self._find(text)
        return place


class _Rule(msgspec.Struct, frozen=True):
    conduit: Conduit
    ports: tuple[PortRange, ...]

    def in_force(self, time: str) -> bool:
        return not ((self.conduit.since and time < self.conduit.since) or (self.conduit.until and time >= self.conduit.until))


class ZoneTable:
    """Answers of one plan; make a new one when the plan changes.

    places    what is known of an address, by any text of it (every text has an answer)
    observed  address (as 32 hex digits of kernel.zones.addresses.number) → asset id of devices that were seen but not registered
    """

    def __init__(self, plan: ZonePlan, observed: Mapping[str, str] | None = None) -> None:
        self.plan = plan
        self.zones: dict[str, Zone] = {zone.id: zone for zone in plan.zones}
        self.assets: dict[str, Asset] = {asset.id: asset for asset in plan.assets}
        self._starts, self._owners = _intervals(plan.zones)
        self._by_vlan = {str(vlan): zone.id for zone in plan.zones for vlan in zone.vlans}
        self._by_sensor = {sensor.casefold(): zone.id for zone in plan.zones for sensor in zone.sensors}
        self._registered = {_hex(n): one.id for one in plan.assets for text in one.addresses if (n := number(text)) is not None}
        self._by_address = {**(observed or {}), **self._registered}
        self._by_mac = {mac: asset.id for asset in plan.assets for mac in asset.macs}
        self._by_name = {name.casefold(): asset.id for asset in plan.assets for name in (asset.id, asset.name) if name}
        self._rules: dict[tuple[str, str], tuple[_Rule, ...]] = {}
        self.places: Mapping[str, Place] = _Places(self._place_of)
        self._covering = lru_cache(_MOST_CACHED)(self._conduits_covering)

    # where something is

    def zone_of(self, address: str) -> str:
        """Zone id of an address; ``internet``, ``unknown``, or "" for one that means no host (or is no address)."""
        return self.places[address].zone

    def _place_of(self, bare: str) -> Place:
        value = number(bare)
        if value is None:
            return _NOWHERE_PLACE
        index = bisect.bisect_right(self._starts, value) - 1
        zone = (self._owners[index] if index >= 0 else "") or _outside(written(value))
        key = _hex(value)
        return Place(zone, self._by_address.get(key, ""), key in self._registered, written(value))

    def zone_of_vlan(self, vlan: str) -> str:
        """Zone id of an 802.1Q number, "" if none names it."""
        return self._by_vlan.get(vlan, "")

    def zone_of_sensor(self, sensor: str) -> str:
        """Zone id of a sensor, "" if none names it."""
        return self._by_sensor.get(sensor.casefold(), "")

    # what something is

    def asset_of(self, address: str) -> str:
        """Asset id of an address, registered or observed; "" for an unknown one."""
        return self.places[address].asset

    def is_registered(self, address: str) -> bool:
        """True when a registered asset has this address."""
        return self.places[address].registered

    def asset_of_mac(self, mac: str) -> str:
        """Registered asset of a MAC address, "" if none."""
        return self._by_mac.get(normal_mac(mac), "")

    def asset_of_name(self, name: str) -> str:
        """Registered asset of a host name (the full name, or its first label), "" if none."""
        folded = name.casefold()
        return self._by_name.get(folded) or self._by_name.get(folded.partition(".")[0], "")

    def importance(self, zone_id: str, asset_id: str = "") -> int:
        """1 to 5: the asset's own, else its zone's, else 1."""
        asset = self.assets.get(asset_id)
        if asset is not None and asset.importance:
            return asset.importance
        zone = self.zones.get(zone_id)
        return zone.importance if zone is not None else 1

    def layer(self, zone_id: str) -> str:
        """The layer of a zone, "" for the Internet and unknown networks."""
        zone = self.zones.get(zone_id)
        return zone.layer if zone is not None else ""

    # what may cross

    def verdict(self, source: str, target: str, transport: str, port: int, time: str) -> Verdict:
        """What the plan says of traffic from one zone to another at a moment (``@timestamp`` text).

        transport  lower-case name (tcp, udp, icmp); port of the server, 0 where there is none
        """
        service, rules = self._covering(source, target, transport, port)
        for rule in rules:
            if rule.in_force(time):
                return Verdict(PERMITTED, rule.conduit.id, service)
        return Verdict(EXPIRED, rules[0].conduit.id, service) if rules else Verdict(DENIED, "", service)

    def _conduits_covering(self, source: str, target: str, transport: str, port: int) -> tuple[str, tuple[_Rule, ...]]:
        rules = self._rules.get((source, target))
        if rules is None:
            rules = self._rules[source, target] = tuple(
                _Rule(conduit, tuple(ports for service in conduit.services for ports in port_ranges(service)))
                for conduit in self.plan.conduits
                if _names(conduit.sources, source) and _names(conduit.targets, target)
            )
        fitting = tuple(rule for rule in rules if any(ports.covers(transport, port) for ports in rule.ports))
        return service_name(transport, port), fitting


def _names(zones: Iterable[str], zone: str) -> bool:
    """``*`` means every zone of the plan: not the Internet, not unknown networks."""
    return zone in zones or (EVERY_ZONE in zones and zone not in (INTERNET, UNKNOWN))


def _hex(value: int) -> str:
    return f"{value:032x}"


def _outside(text: str) -> str:
    """Zone of an address that no range holds."""
    address = ipaddress.ip_address(text)
    if any(address in network for network in _NOWHERE if network.version == address.version):
        return ""
    return UNKNOWN if any(address in network for network in _INSIDE if network.version == address.version) else INTERNET


def _intervals(zones: Iterable[Zone]) -> tuple[list[int], list[str]]:
    """Nested ranges flattened: the first address of every stretch, and its zone ("" = none)."""
    ranges: list[tuple[int, int, str]] = [(*bounds(MAPPED_NETWORK), "")]  # ::/0 means IPv6: IPv4 is not in it
    for zone in zones:
        for text in zone.ranges:
            ranges.append((*bounds(plain_network(text)), zone.id))
    ranges.sort(key=lambda entry: (entry[0], -entry[1]))
    starts: list[int] = []
    owners: list[str] = []
    open_ranges: list[tuple[int, str]] = []  # (last, zone) of the ranges we are inside of, innermost at the end

    def begin(at: int, owner: str) -> None:
        if starts and starts[-1] == at:
            owners[-1] = owner
        else:
            starts.append(at)
            owners.append(owner)

    for first, last, owner in ranges:
        while open_ranges and open_ranges[-1][0] < first:
            ended, _ = open_ranges.pop()
            begin(ended + 1, open_ranges[-1][1] if open_ranges else "")
        begin(first, owner)
        open_ranges.append((last, owner))
    while open_ranges:
        ended, _ = open_ranges.pop()
        begin(ended + 1, open_ranges[-1][1] if open_ranges else "")
    return starts, owners
