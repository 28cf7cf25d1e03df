"""The zone plan as people write it: zones, conduits and registered assets, in one YAML file.

::

    zones:
      - {id: water-ot, name: 水务控制网, layer: perception, owner: 水务局, importance: 5, ranges: [10.60.0.0/16]}
    conduits:
      - {id: scada-data, from: [water-ot], to: [data-platform], services: [mqtts], reason: 数据汇聚, approver: 王工}
    assets:
      - {id: wtr-plc-01, name: 一号泵站 PLC, kind: plc, addresses: [10.60.0.101], bureau: 水务局}

All mistakes of a plan are told at once, each with where it stands.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from kernel.errors import LiandunError
from kernel.event import parse_timestamp
from kernel.zones.services import port_ranges

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
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_MOST_BYTES = 32 << 20
MAC = re.compile(r"[0-9A-F]{2}(-[0-9A-F]{2}){5}")


class PlanError(LiandunError):
    """A zone plan cannot be used; one mistake a line, each with where it stands."""


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


_Item = TypeVar("_Item", Zone, Conduit, Asset)
_KINDS: dict[str, type[Zone] | type[Conduit] | type[Asset]] = {"zones": Zone, "conduits": Conduit, "assets": Asset}


def read_plan(text: str, file: str = "zone plan") -> ZonePlan:
    """Parse and check a plan. Raises PlanError with every mistake, ``file:line: what`` each."""
    if len(text.encode("utf-8", "replace")) > _MOST_BYTES:
        raise PlanError(f"{file}: larger than {_MOST_BYTES >> 20} MiB (limit)")
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark is not None else file
        raise PlanError(f"{place}: no YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(document, dict):
        raise PlanError(f"{file}: must have the parts zones, conduits and assets", "see docs/zones.md")
    lines = _lines(tree)
    problems: list[str] = []
    for part in document:
        if part not in _KINDS:
            problems.append(f"{file}: unknown part {part!r} (known: zones, conduits, assets)")
    zones = _items(document, "zones", Zone, lines, file, problems)
    conduits = _items(document, "conduits", Conduit, lines, file, problems)
    assets = _items(document, "assets", Asset, lines, file, problems)
    plan = ZonePlan(
        tuple(item for item, _ in zones),
        tuple(_in_utc(item) for item, _ in conduits),
        tuple(msgspec.structs.replace(item, macs=tuple(map(normal_mac, item.macs))) for item, _ in assets),
    )
    where = {("zone", item.id): line for item, line in zones}
    where |= {("conduit", item.id): line for item, line in conduits} | {("asset", item.id): line for item, line in assets}
    for kind, identifier, problem in check(plan):
        problems.append(f"{file}:{where.get((kind, identifier), 1)}: {kind} {identifier}: {problem}")
    if problems:
        raise PlanError("\n".join(problems), "nothing was changed")
    return plan


def read_plan_file(file: Path) -> ZonePlan:
    """The plan in a file. Raises PlanError."""
    try:
        return read_plan(file.read_text("utf-8"), str(file))
    except OSError as error:
        raise PlanError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PlanError(f"{file}: is not UTF-8 (byte {error.start})") from error


def _lines(tree: Any) -> dict[str, list[int]]:
    """Line of each item of each part."""
    found: dict[str, list[int]] = {}
    for key, value in getattr(tree, "value", ()):
        if isinstance(value, yaml.SequenceNode):
            found[str(key.value)] = [node.start_mark.line + 1 for node in value.value]
    return found


def _items(
    document: dict[str, Any], part: str, kind: type[_Item], lines: dict[str, list[int]], file: str, problems: list[str]
) -> list[tuple[_Item, int]]:
    given = document.get(part) or []
    if not isinstance(given, list):
        problems.append(f"{file}: {part} must be a list")
        return []
    items: list[tuple[_Item, int]] = []
    for index, raw in enumerate(given):
        line = lines.get(part, [])[index] if index < len(lines.get(part, [])) else 1
        try:
            items.append((msgspec.convert(_texts(raw), kind), line))
        except msgspec.ValidationError as error:
            name = raw.get("id", index + 1) if isinstance(raw, dict) else index + 1
            problems.append(f"{file}:{line}: {part[:-1]} {name}: {error}")
    return items


def _texts(value: Any) -> Any:
    """YAML reads moments as dates; here they are texts. A single text stands for a list of one."""
    if not isinstance(value, dict):
        return value
    plain = {key: str(v.isoformat()) if hasattr(v, "isoformat") else v for key, v in value.items()}
    for key in ("from", "to", "services", "ranges", "sensors", "addresses", "macs"):
        if isinstance(plain.get(key), str):
            plain[key] = [plain[key]]
    return plain


def _in_utc(conduit: Conduit) -> Conduit:
    """Moments as @timestamp text where they can be read (``check`` tells of the others). A bare date means its beginning."""
    return msgspec.structs.replace(conduit, since=moment(conduit.since), until=moment(conduit.until))


def moment(text: str) -> str:
    """``@timestamp`` text of a date or moment; text that is neither comes back unchanged."""
    full = f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    return parse_timestamp(full) or text


def check(plan: ZonePlan) -> Iterator[tuple[str, str, str]]:
    """Every mistake of a plan: kind (zone, conduit, asset), id, what is wrong."""
    for kind, items in (("zone", plan.zones), ("conduit", plan.conduits), ("asset", plan.assets)):
        seen: set[str] = set()
        for item in items:
            if item.id in seen:
                yield kind, item.id, "this id is used twice"
            seen.add(item.id)
            limit = 64 if kind != "asset" else 128
            if kind == "asset" and (not item.id.strip() or len(item.id) > limit):
                yield kind, item.id, "an id has 1 to 128 characters"
            elif kind != "asset" and (not _ID.fullmatch(item.id) or (kind == "zone" and item.id in BUILT_IN)):
                yield kind, item.id, "use lower-case letters, digits and - (internet and unknown are built in)"
    yield from _check_zones(plan.zones)
    known = {zone.id for zone in plan.zones} | {INTERNET, EVERY_ZONE}
    closed = {zone.id for zone in plan.zones if zone.internet == "forbidden"}
    for conduit in plan.conduits:
        for problem in _conduit_problems(conduit, known, closed):
            yield "conduit", conduit.id, problem
    yield from _check_assets(plan.assets)


def _check_zones(zones: Sequence[Zone]) -> Iterator[tuple[str, str, str]]:
    owners: dict[str, str] = {}
    for zone in zones:
        if zone.layer not in LAYERS:
            yield "zone", zone.id, f"there is no layer {zone.layer!r} (one of {', '.join(LAYERS)})"
        if not 1 <= zone.importance <= 5:
            yield "zone", zone.id, f"importance {zone.importance}: 1 to 5"
        if zone.internet not in ("forbidden", "conduit"):
            yield "zone", zone.id, f"internet {zone.internet!r}: forbidden or conduit"
        if zone.admission not in ("open", "registered"):
            yield "zone", zone.id, f"admission {zone.admission!r}: open or registered"
        if not zone.name.strip():
            yield "zone", zone.id, "a zone needs a name"
        for vlan in zone.vlans:
            if not 1 <= vlan <= 4094:
                yield "zone", zone.id, f"{vlan} is no VLAN (1 to 4094, IEEE 802.1Q)"
        for text in zone.ranges:
            try:
                network = str(ipaddress.ip_network(text))
            except ValueError as error:
                yield "zone", zone.id, f"range {text!r}: {error}"
                continue
            if network in owners:
                yield "zone", zone.id, f"range {text} belongs to {owners[network]} already"
            owners[network] = zone.id


def _conduit_problems(conduit: Conduit, known: set[str], closed: set[str]) -> Iterator[str]:
    for side, zones in (("from", conduit.sources), ("to", conduit.targets)):
        if not zones:
            yield f"{side} names no zone"
        for zone in zones:
            if zone not in known:
                yield f"{side}: there is no zone {zone!r}"
    if INTERNET in conduit.targets:
        for zone in closed & set(conduit.sources):
            yield f"{zone} has internet: forbidden, so no conduit may lead from it to the Internet"
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
            yield "asset", asset.id, f"importance {asset.importance}: 1 to 5, or 0 for that of the zone"
        for text in asset.addresses:
            try:
                address = str(ipaddress.ip_address(text))
            except ValueError:
                yield "asset", asset.id, f"{text!r} is no address"
                continue
            if owners.setdefault(address, asset.id) != asset.id:
                yield "asset", asset.id, f"address {text} belongs to {owners[address]} already"
        for mac in asset.macs:
            if not MAC.fullmatch(mac):
                yield "asset", asset.id, f"{mac!r} is no MAC address"
            elif owners.setdefault(mac, asset.id) != asset.id:
                yield "asset", asset.id, f"MAC {mac} belongs to {owners[mac]} already"


def write_plan(plan: ZonePlan) -> str:
    """The YAML of a plan; fields that have their usual value are left out. ``read_plan`` gives the same plan back."""
    document = {part: [_sparse(item) for item in getattr(plan, part)] for part in _KINDS if getattr(plan, part)}
    text: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
    return text


def _sparse(item: Zone | Conduit | Asset) -> dict[str, Any]:
    full: dict[str, Any] = msgspec.to_builtins(item)
    usual = {field.encode_name for field in msgspec.structs.fields(type(item)) if getattr(item, field.name) == field.default}
    return {key: value for key, value in full.items() if key not in usual}
