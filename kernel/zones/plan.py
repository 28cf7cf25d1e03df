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
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from kernel.errors import LiandunError
from kernel.event import parse_timestamp
from kernel.zones.check import check, told
from kernel.zones.limits import named, shown
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
from kernel.zones.yaml_text import Document, YamlProblem, read_yaml

__all__ = [
    "BUILT_IN",
    "EVERY_ZONE",
    "INTERNET",
    "LAYERS",
    "UNKNOWN",
    "Asset",
    "Conduit",
    "Draft",
    "PlanError",
    "Zone",
    "ZonePlan",
    "check",
    "merged",
    "moment",
    "normal_mac",
    "read_draft",
    "read_draft_file",
    "read_plan",
    "read_plan_file",
    "told",
    "write_plan",
]

_MOST_BYTES = 32 << 20
_MOST_TOLD = 1000
_LISTS = ("from", "to", "services", "ranges", "sensors", "addresses", "macs")


_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class PlanError(LiandunError):
    """A zone plan cannot be used; one mistake a line, each with where it stands."""


_Item = TypeVar("_Item", Zone, Conduit, Asset)
_KINDS: dict[str, type[Zone] | type[Conduit] | type[Asset]] = {"zones": Zone, "conduits": Conduit, "assets": Asset}


class Draft(msgspec.Struct, frozen=True):
    """A plan as somebody wrote it: the whole of it, or only what shall be made or changed.

    revision  that of the plan in force when the text was exported, None where it does not say
    mistakes  what cannot be read, ``file:line: what`` each
    lines     where each item stands, by kind and id
    """

    plan: ZonePlan
    file: str
    revision: int | None = None
    mistakes: tuple[str, ...] = ()
    lines: dict[tuple[str, str], int] = {}

    def refuse_mistakes(self, whole: ZonePlan) -> None:
        """Raises PlanError with every mistake of the text, and of ``whole``, the plan that it becomes (a part of)."""
        problems = list(self.mistakes)
        for kind, identifier, problem in check(whole):
            line = self.lines.get((kind, identifier))
            place = f"{self.file}:{line}" if line else self.file
            problems.append(f"{place}: {told(kind, identifier, problem)}")
        if len(problems) > _MOST_TOLD:
            problems[_MOST_TOLD:] = [f"{self.file}: and {len(problems) - _MOST_TOLD} more"]
        if problems:
            raise PlanError("\n".join(problems), "nothing was changed")


def read_plan(text: str, file: str = "zone plan") -> ZonePlan:
    """Parse and check a whole plan. Raises PlanError with every mistake, ``file:line: what`` each."""
    draft = read_draft(text, file)
    draft.refuse_mistakes(draft.plan)
    return draft.plan


def read_draft(text: str, file: str = "zone plan") -> Draft:
    """Parse a plan or a part of one, to be checked with what it becomes a part of. Raises PlanError where it is no such text."""
    if len(text.encode("utf-8", "replace")) > _MOST_BYTES:
        raise PlanError(f"{file}: larger than {_MOST_BYTES >> 20} MiB (limit)")
    try:
        written = read_yaml(text)
    except YamlProblem as error:
        place = f"{file}:{error.line}" if error.line else file
        raise PlanError(f"{place}: no YAML: {error.problem}", "nothing was changed") from error
    document = written.content
    if not isinstance(document, dict):
        raise PlanError(f"{file}: must have the parts zones, conduits and assets", "see docs/zones.md")
    problems = [f"{file}:{line}: {shown(key)} is written twice" for line, key in written.repeated]
    for part in document:
        if part not in (*_KINDS, "revision"):
            problems.append(f"{file}: unknown part {shown(part)} (known: zones, conduits, assets)")
    revision = document.get("revision")
    if revision is not None and not (isinstance(revision, str) and re.fullmatch(r"[0-9]{1,18}", revision)):
        problems.append(f"{file}: revision must be a number, as the export writes it")
        revision = None
    zones = _items(written, "zones", Zone, file, problems)
    conduits = _items(written, "conduits", Conduit, file, problems)
    assets = _items(written, "assets", Asset, file, problems)
    plan = ZonePlan(
        tuple(item for item, _ in zones),
        tuple(_in_utc(item) for item, _ in conduits),
        tuple(msgspec.structs.replace(item, macs=tuple(map(normal_mac, item.macs))) for item, _ in assets),
    )
    lines = {("zone", item.id): line for item, line in zones}
    lines |= {("conduit", item.id): line for item, line in conduits} | {("asset", item.id): line for item, line in assets}
    return Draft(plan, file, None if revision is None else int(revision), tuple(problems), lines)


def read_plan_file(file: Path) -> ZonePlan:
    """The whole plan in a file. Raises PlanError."""
    return read_plan(_text_of(file), str(file))


def read_draft_file(file: Path) -> Draft:
    """The plan, or part of one, in a file. Raises PlanError."""
    return read_draft(_text_of(file), str(file))


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise PlanError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PlanError(f"{file}: is not UTF-8 (byte {error.start})") from error


def merged(before: ZonePlan, plan: ZonePlan, *, replace: bool = False) -> ZonePlan:
    """What becomes of a plan by taking in another: items of the same id are the new one's, other assets stay, other zones and
    conduits unless ``replace``. The new ones stand at the end, so that a clash is a mistake of theirs."""
    named_zones, named_conduits = {one.id for one in plan.zones}, {one.id for one in plan.conduits}
    named_assets = {one.id for one in plan.assets}
    return ZonePlan(
        (*(() if replace else (one for one in before.zones if one.id not in named_zones)), *plan.zones),
        (*(() if replace else (one for one in before.conduits if one.id not in named_conduits)), *plan.conduits),
        (*(one for one in before.assets if one.id not in named_assets), *plan.assets),
    )


def _items(written: Document, part: str, kind: type[_Item], file: str, problems: list[str]) -> list[tuple[_Item, int]]:
    given = written.content.get(part) or []
    if not isinstance(given, list):
        problems.append(f"{file}: {part} must be a list")
        return []
    items: list[tuple[_Item, int]] = []
    for index, (raw, line) in enumerate(zip(given, written.lines.get(part, ()), strict=True)):
        try:
            items.append((msgspec.convert(_lists(raw), kind, strict=False), line))
        except msgspec.ValidationError as error:
            name = raw.get("id") if isinstance(raw, dict) else None
            problem = re.sub(r"`([^`]{80})[^`]+`", r"`\1…`", str(error))  # the name of a field may be of any length
            problems.append(f"{file}:{line}: {part[:-1]} {named(name) if isinstance(name, str) else index + 1}: {problem}")
    return items


def _lists(value: Any) -> Any:
    """A single text stands for a list of one."""
    if not isinstance(value, dict):
        return value
    single = [key for key in _LISTS if isinstance(value.get(key), str)]
    return value | {key: [value[key]] for key in single} if single else value


def _in_utc(conduit: Conduit) -> Conduit:
    """Moments as @timestamp text where they can be read (``check`` tells of the others). A bare date means its beginning."""
    return msgspec.structs.replace(conduit, since=moment(conduit.since), until=moment(conduit.until))


def moment(text: str) -> str:
    """``@timestamp`` text of a date or moment; text that is neither comes back unchanged."""
    full = f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    return parse_timestamp(full) or text


def write_plan(plan: ZonePlan, revision: int | None = None) -> str:
    """The YAML of a plan; fields that have their usual value are left out. ``read_plan`` gives the same plan back.

    ``revision`` is written at its head, so that taking it in again tells when the plan has been changed since.
    """
    document: dict[str, Any] = {} if revision is None else {"revision": revision}
    document |= {part: [_sparse(item) for item in getattr(plan, part)] for part in _KINDS if getattr(plan, part)}
    text: str = yaml.dump(document, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=120)
    return text


def _sparse(item: Zone | Conduit | Asset) -> dict[str, Any]:
    full: dict[str, Any] = msgspec.to_builtins(item)
    usual = {field.encode_name for field in msgspec.structs.fields(type(item)) if getattr(item, field.name) == field.default}
    return {key: value for key, value in full.items() if key not in usual}
