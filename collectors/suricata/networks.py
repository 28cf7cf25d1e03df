"""The city's networks as Suricata's address groups, so that rules can speak of zones.

Example: ``alert tcp $ZONE_OFFICE any -> $LAYER_PERCEPTION 502 (msg:"Modbus from the office"; sid:1;)``.

Groups of a zone plan:

* ``HOME_NET`` is every range of every zone, IPv4 and IPv6; ``EXTERNAL_NET`` is the rest, and ``any`` where the zones leave nothing
  of IPv4 or of IPv6: Suricata does not start with a negated group that holds all of one of them.
* ``ZONE_WATER_OT`` is what belongs to zone ``water-ot``: of two zones whose ranges overlap, the longer prefix owns an address.
* ``LAYER_PERCEPTION`` is all zones of that layer.
* ``MODBUS_SERVER``, ``DNS_SERVERS`` and the like are the zones known to hold such a server or client. A zone counts whole, so that
  an unregistered second controller in it is covered too. Nothing known: ``$HOME_NET``, as everybody starts.

Groups instead of Suricata's multi-tenancy (``multi-detect``): a tenant is chosen by VLAN or device only, never by address, a
connection between two zones would belong to one of them, and every tenant keeps a rule engine of its own in memory
(the Emerging Threats rules of 2019 take 290 MB each).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from kernel.zones.addresses import Network, plain_network

PRIVATE_NETWORKS: tuple[str, ...] = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "fe80::/10",
)
"""HOME_NET where nothing else is configured: RFC 1918, RFC 6598, RFC 4193, link-local. Networks on public IPv6 must name theirs."""

LINK_LOCAL = ("169.254.0.0/16", "fe80::/10")
"""Never from outside: no router forwards them (RFC 3927, RFC 4291 2.5.6). Always part of HOME_NET."""

IT_SERVERS = tuple(f"{name}_SERVERS" for name in ("HTTP", "SMTP", "SQL", "DNS", "TELNET", "DC", "FTP", "SIP"))
OT_GROUPS = tuple(f"{name}_{side}" for name in ("DNP3", "MODBUS", "ENIP") for side in ("SERVER", "CLIENT"))

_LONGEST = 4000
"""Signs of one address list. Suricata 7 refuses a list of more than 8,195 (buffer of DetectAddressParse); a longer one is made of
parts: ``[$PART1_HOME_NET,$PART2_HOME_NET]``."""


class ZoneRanges(msgspec.Struct, frozen=True):
    """What a sensor knows of a zone: its id, the id of its layer, its prefixes."""

    id: str
    layer: str
    ranges: tuple[str, ...]


class Networks(msgspec.Struct, frozen=True):
    """Networks a sensor protects.

    home    prefixes that are ours besides those of the zones; without zones and without these, PRIVATE_NETWORKS
    zones   zones of the plan that have ranges
    roles   group name (one of IT_SERVERS or OT_GROUPS) → ids of the zones that hold such servers or clients
    """

    home: tuple[str, ...] = ()
    zones: tuple[ZoneRanges, ...] = ()
    roles: dict[str, tuple[str, ...]] = {}


def zone_variable(zone_id: str) -> str:
    """``water-ot`` → ``ZONE_WATER_OT``. Zone ids hold no underscore, so no two of them meet."""
    return "ZONE_" + zone_id.upper().replace("-", "_")


def layer_variable(layer: str) -> str:
    """``perception`` → ``LAYER_PERCEPTION``."""
    return "LAYER_" + layer.upper().replace("-", "_")


def address_groups(networks: Networks) -> dict[str, str]:
    """``vars.address-groups`` of suricata.yaml. Raises ValueError for a text that is no prefix."""
    owned = _owned(networks.zones)
    home = _parsed(networks.home) + [prefix for prefixes in owned.values() for prefix in prefixes]
    groups: dict[str, str] = {}
    ours = [*(home or _parsed(PRIVATE_NETWORKS)), *_parsed(LINK_LOCAL)]
    _put(groups, "HOME_NET", ours)
    groups["EXTERNAL_NET"] = "any" if any(one.prefixlen == 0 for one in _merged(ours)) else "!$HOME_NET"
    for zone_id, prefixes in owned.items():
        _put(groups, zone_variable(zone_id), prefixes)
    for layer in dict.fromkeys(zone.layer for zone in networks.zones):
        _put(groups, layer_variable(layer), [one for zone in networks.zones if zone.layer == layer for one in owned[zone.id]])
    for name in (*IT_SERVERS, *OT_GROUPS):
        prefixes = [prefix for zone_id in networks.roles.get(name, ()) for prefix in owned.get(zone_id, ())]
        if prefixes:
            _put(groups, name, prefixes)
        else:
            groups[name] = "$HOME_NET"
    groups["AIM_SERVERS"] = "$EXTERNAL_NET"
    return groups


def _parsed(texts: Iterable[str]) -> list[Network]:
    return [plain_network(text, strict=False) for text in texts]


def _owned(zones: Sequence[ZoneRanges]) -> Mapping[str, list[Network]]:
    """Zone id → prefixes that no longer prefix of another zone takes away; zones without any are left out."""
    ranges = {zone.id: _parsed(zone.ranges) for zone in zones}
    owned: dict[str, list[Network]] = {}
    for zone_id, prefixes in ranges.items():
        others = [one for other, theirs in ranges.items() if other != zone_id for one in theirs]
        left = [piece for prefix in prefixes for piece in _without(prefix, others)]
        owned[zone_id] = left
    return owned


def _without(prefix: Network, others: Iterable[Network]) -> list[Network]:
    """The prefix less every longer prefix among the others."""
    pieces = [prefix]
    for hole in others:
        if hole.version == prefix.version and hole != prefix and hole.subnet_of(prefix):  # type: ignore[arg-type]
            pieces = [rest for piece in pieces for rest in _cut(piece, hole)]
    return pieces


def _cut(piece: Network, hole: Network) -> list[Network]:
    if hole.subnet_of(piece):  # type: ignore[arg-type]
        return list(piece.address_exclude(hole))  # type: ignore[arg-type]
    return [] if piece.subnet_of(hole) else [piece]  # type: ignore[arg-type]


def _merged(prefixes: Iterable[Network]) -> list[Network]:
    """The same addresses in as few prefixes as possible."""
    listed = list(prefixes)
    v4 = ipaddress.collapse_addresses(one for one in listed if isinstance(one, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(one for one in listed if isinstance(one, ipaddress.IPv6Network))
    return [*v4, *v6]


def _put(groups: dict[str, str], name: str, prefixes: Iterable[Network]) -> None:
    """Set a group, in parts where one list would be too long. Without prefixes it stays undefined: Suricata has no empty group."""
    parts: list[list[str]] = []
    size = _LONGEST
    for text in map(str, _merged(prefixes)):
        if size + len(text) + 1 > _LONGEST:
            parts.append([])
            size = 0
        parts[-1].append(text)
        size += len(text) + 1
    if len(parts) == 1:
        groups[name] = f"[{','.join(parts[0])}]"
    elif parts:
        names = [f"PART{number}_{name}" for number in range(1, len(parts) + 1)]
        groups |= {part_name: f"[{','.join(part)}]" for part_name, part in zip(names, parts, strict=True)}
        groups[name] = f"[{','.join('$' + part_name for part_name in names)}]"
