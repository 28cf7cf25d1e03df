"""What a zone plan is made of."""

from __future__ import annotations

import re

import msgspec

LAYERS: dict[str, str] = {
    "perception": "智能交互层",
    "network": "智能联接层",
    "cloud": "智能中枢层",
    "application": "智慧应用层",
    "citizen": "用户体验层",
    "operations": "运维运营",
}
"""The city's layers as its construction plan names them, lowest first."""

INTERNET = "internet"
UNKNOWN = "unknown"
EVERY_ZONE = "*"
BUILT_IN = frozenset({INTERNET, UNKNOWN})
MAC = re.compile(r"[0-9A-F]{2}(-[0-9A-F]{2}){5}")


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A security zone.

    layer       one of LAYERS
    importance  1 (little) to 5 (the city stands still without it)
    ranges      IPv4 and IPv6 networks; where zones nest, the narrower range decides
    vlans       802.1Q numbers, and sensors the names of sensors, that tell the zone where an address cannot
    internet    ``forbidden``: any way to the Internet is an illegal outbound link (违规外联); ``conduit``: only through one
    admission   ``registered``: a device that is not registered is an illegal access (非法接入); ``open``: anybody may appear
    """

    id: str
    name: str
    layer: str
    name_en: str = ""
    owner: str = ""
    importance: int = 3
    ranges: tuple[str, ...] = ()
    vlans: tuple[int, ...] = ()
    sensors: tuple[str, ...] = ()
    internet: str = "conduit"
    admission: str = "open"


class Conduit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"sources": "from", "targets": "to"}):
    """A permit to cross a boundary: from these zones to those, with these services, between ``since`` and ``until`` ("" = open).

    ``sources`` and ``targets`` (``from`` and ``to`` in the file) are zone ids, ``internet`` or ``*`` (every zone of the plan).
    """

    id: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    services: tuple[str, ...]
    reason: str = ""
    since: str = ""
    until: str = ""
    approver: str = ""


class Asset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device that belongs here. ``importance`` 0 = that of its zone; ``macs`` as ``02-4C-00-60-00-65``."""

    id: str
    name: str = ""
    kind: str = ""
    addresses: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    bureau: str = ""
    importance: int = 0


class ZonePlan(msgspec.Struct, frozen=True):
    """Everything together."""

    zones: tuple[Zone, ...] = ()
    conduits: tuple[Conduit, ...] = ()
    assets: tuple[Asset, ...] = ()

    def zone(self, zone_id: str) -> Zone | None:
        """The zone of that id."""
        return next((zone for zone in self.zones if zone.id == zone_id), None)


def normal_mac(text: str) -> str:
    """A MAC address as ECS writes it: upper case, hyphens (RFC 7042). Other text comes back unchanged but for the case."""
    bare = re.sub(r"[:.\-]", "", text.strip()).upper()
    return "-".join(re.findall("..", bare)) if re.fullmatch(r"[0-9A-F]{12}", bare) else text.strip().upper()
