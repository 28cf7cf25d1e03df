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

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from kernel.errors import LiandunError
from kernel.event import parse_timestamp
from kernel.zones.check import check
from kernel.zones.model import (
    BUILT_IN,
    EVERY_ZONE,
    INTERNET,
    LAYERS,
    UNKNOWN,
    Asset,
    Conduit,
    Zone,
    ZonePlan,
    normal_mac,
)

__all__ = [
    "BUILT_IN",
    "EVERY_ZONE",
    "INTERNET",
    "LAYERS",
    "UNKNOWN",
    "Asset",
    "Conduit",
    "PlanError",
    "Zone",
    "ZonePlan",
    "check",
    "moment",
    "normal_mac",
    "read_plan",
    "read_plan_file",
    "write_plan",
]

_MOST_BYTES = 32 << 20


class PlanError(LiandunError):
    """A zone plan cannot be used; one mistake a line, each with where it stands."""


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
    problems = [f"{file}:{line}: {key!r} is written twice" for line, key in _repeated_keys(tree)]
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


def _repeated_keys(tree: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Line and key of each mapping key that its mapping has already: YAML 1.2.2 3.2.1.1 forbids it, PyYAML takes the last."""
    nodes, seen = [tree], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes.extend(reversed(node.value))
        elif isinstance(node, yaml.MappingNode):
            keys: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in keys:
                        yield key.start_mark.line + 1, key.value
                    keys.add((key.tag, key.value))
            nodes.extend(value for _, value in reversed(node.value))


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


def write_plan(plan: ZonePlan) -> str:
    """The YAML of a plan; fields that have their usual value are left out. ``read_plan`` gives the same plan back."""
    document = {part: [_sparse(item) for item in getattr(plan, part)] for part in _KINDS if getattr(plan, part)}
    text: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
    return text


def _sparse(item: Zone | Conduit | Asset) -> dict[str, Any]:
    full: dict[str, Any] = msgspec.to_builtins(item)
    usual = {field.encode_name for field in msgspec.structs.fields(type(item)) if getattr(item, field.name) == field.default}
    return {key: value for key, value in full.items() if key not in usual}
