"""Whether a zone plan is sound: every mistake of it, by the id of what is wrong."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Any

from kernel.event import parse_timestamp
from kernel.zones.addresses import NAT64_NETWORK, number, plain_network, written
from kernel.zones.limits import LONGEST, LONGEST_ASSET_ID, MOST, named, shown, unfit
from kernel.zones.model import BUILT_IN, EVERY_ZONE, INTERNET, LAYERS, MAC, Asset, Conduit, Zone, ZonePlan
from kernel.zones.services import port_ranges

_WRITTEN = {"sources": "from", "targets": "to"}
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def check(plan: ZonePlan) -> Iterator[tuple[str, str, str]]:
    """Every mistake of a plan: kind (zone, conduit, asset), id, what is wrong (``told`` makes a line of the three)."""
    fit: dict[str, list[Any]] = {"zone": [], "conduit": [], "asset": []}
    for kind, items in (("zone", plan.zones), ("conduit", plan.conduits), ("asset", plan.assets)):
        seen: set[str] = set()
        for item in items:
            if item.id in seen:
                yield kind, item.id, "this id is used twice"
            seen.add(item.id)
            if kind == "asset" and not (item.id.strip() and len(item.id) <= LONGEST_ASSET_ID):
                yield kind, item.id, f"an id has 1 to {LONGEST_ASSET_ID} characters"
            elif kind == "asset" and (character := unfit(item.id)):
                yield kind, item.id, f"id: {character} may not stand in a text"
            elif kind != "asset" and (not _ID.fullmatch(item.id) or (kind == "zone" and item.id in BUILT_IN)):
                yield kind, item.id, "use lower-case letters, digits and - (internet and unknown are built in)"
            problems = list(_text_problems(kind, item))
            yield from ((kind, item.id, problem) for problem in problems)
            if not problems:
                fit[kind].append(item)
    yield from _check_zones(fit["zone"])
    known = {zone.id for zone in plan.zones} | {INTERNET, EVERY_ZONE}
    closed = {zone.id for zone in plan.zones if zone.internet == "forbidden"}
    for conduit in fit["conduit"]:
        for problem in _conduit_problems(conduit, known, closed):
            yield "conduit", conduit.id, problem
    yield from _check_assets(fit["asset"])


def told(kind: str, identifier: str, problem: str) -> str:
    """One mistake as a line that can be printed, whatever the id is."""
    return f"{kind} {named(identifier)}: {problem}"


def _text_problems(kind: str, item: Zone | Conduit | Asset) -> Iterator[str]:
    """Texts that are too long or cannot be stored or shown; what else is wrong with such an item is not looked at."""
    for field, longest in LONGEST[kind].items():
        value = getattr(item, field)
        name = _WRITTEN.get(field, field)
        for text in (value,) if isinstance(value, str) else value:
            if len(text) > longest:
                yield f"{name}: {shown(text)} is longer than {longest} characters"
            elif character := unfit(text, prose=field == "reason"):
                yield f"{name}: {character} may not stand in a text"
    for field, most in MOST[kind].items():
        if len(getattr(item, field)) > most:
            yield f"{_WRITTEN.get(field, field)}: {len(getattr(item, field))} entries are more than {most}"


def _check_zones(zones: Sequence[Zone]) -> Iterator[tuple[str, str, str]]:
    owners: dict[tuple[str, str], str] = {}
    for zone in zones:
        for problem in (*_zone_problems(zone), *_claim_problems(zone, owners)):
            yield "zone", zone.id, problem


def _zone_problems(zone: Zone) -> Iterator[str]:
    if zone.layer not in LAYERS:
        yield f"there is no layer {shown(zone.layer)} (one of {', '.join(LAYERS)})"
    if not 1 <= zone.importance <= 5:
        yield f"importance {named(str(zone.importance))}: 1 to 5"
    if zone.internet not in ("forbidden", "conduit"):
        yield f"internet {shown(zone.internet)}: forbidden or conduit"
    if zone.admission not in ("open", "registered"):
        yield f"admission {shown(zone.admission)}: open or registered"
    if not zone.name.strip():
        yield "a zone needs a name"


def _claim_problems(zone: Zone, owners: dict[tuple[str, str], str]) -> Iterator[str]:
    """VLANs, sensors and ranges: each belongs to one zone. ``owners`` is filled on the way."""
    for vlan in zone.vlans:
        if not 1 <= vlan <= 4094:
            yield f"{named(str(vlan))} is no VLAN (1 to 4094, IEEE 802.1Q)"
        elif (owner := owners.setdefault(("vlan", str(vlan)), zone.id)) != zone.id:
            yield f"VLAN {vlan} belongs to {named(owner)} already"
    for sensor in zone.sensors:
        if (owner := owners.setdefault(("sensor", sensor.casefold()), zone.id)) != zone.id:
            yield f"sensor {sensor} stands in {named(owner)} already"
    for text in zone.ranges:
        try:
            network = plain_network(text)
        except ValueError as error:
            yield f"range {text!r}: {error}"
            continue
        if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(NAT64_NETWORK):
            yield f"range {text} is of NAT64 (RFC 6052): write the IPv4 range that it stands for"
        key = ("range", str(network))
        if key in owners:
            yield f"range {text} belongs to {named(owners[key])} already"
        owners[key] = zone.id


def _conduit_problems(conduit: Conduit, known: set[str], closed: set[str]) -> Iterator[str]:
    for side, zones in (("from", conduit.sources), ("to", conduit.targets)):
        if not zones:
            yield f"{side} names no zone"
        for zone in zones:
            if zone not in known:
                yield f"{side}: there is no zone {zone!r}"
    if INTERNET in conduit.targets:
        for zone in closed & set(conduit.sources):
            yield f"{named(zone)} has internet: forbidden, so no conduit may lead from it to the Internet"
    if not conduit.services:
        yield "services are missing (any = every service)"
    for service in conduit.services:
        try:
            port_ranges(service)
        except ValueError as error:
            yield str(error)
    for name, text in (("since", conduit.since), ("until", conduit.until)):
        if text and parse_timestamp(text) is None:
            yield f"{name}: {text!r} is no moment (write 2027-06-30 or 2027-06-30T00:00:00+08:00)"
    if conduit.since and conduit.until and conduit.since >= conduit.until:
        yield "ends before it begins"


def _check_assets(assets: Sequence[Asset]) -> Iterator[tuple[str, str, str]]:
    owners: dict[str, str] = {}
    for asset in assets:
        if not 0 <= asset.importance <= 5:
            yield "asset", asset.id, f"importance {named(str(asset.importance))}: 1 to 5, or 0 for that of the zone"
        for text in asset.addresses:
            value = number(text)
            if value is None:
                yield "asset", asset.id, f"{text!r} is no address"
                continue
            address = written(value)
            if ipaddress.ip_address(text) in NAT64_NETWORK:
                yield "asset", asset.id, f"address {text} is of NAT64 (RFC 6052): write {address}"
            if owners.setdefault(address, asset.id) != asset.id:
                yield "asset", asset.id, f"address {text} belongs to {named(owners[address])} already"
        for mac in asset.macs:
            if not MAC.fullmatch(mac):
                yield "asset", asset.id, f"{mac!r} is no MAC address"
            elif owners.setdefault(mac, asset.id) != asset.id:
                yield "asset", asset.id, f"MAC {mac} belongs to {named(owners[mac])} already"
