"""Which events a rule is for, and where they keep its fields: the tables of ``rules/mappings/sigma``.

A *class* of events is what can be told from the envelope: channel and event number (Windows) and dataset. For every class a rule's
logsource either covers it (and the rule's field names are bound to ECS keys there) or the rule does not exist for it.

A bound field is one text: ``key`` or ``key1|key2`` (the first that the event has) or ``=function(key,…)`` (:mod:`derived`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from detectors.sigma.ast import CONTAINS, EXACT, KEYWORDS, Match, Node, Text, both, either
from detectors.sigma.derived import is_known
from kernel.ecs_fields import FIELD_TYPES
from kernel.errors import ConfigError

MAPPINGS = Path(__file__).resolve().parents[2] / "rules" / "mappings" / "sigma"
EVENT_DATA = "winlog.event_data."
EVENT_CODE = "event.code"
CHANNEL = "winlog.channel"


class LogSource(msgspec.Struct, frozen=True):
    """The logsource of a rule, in small letters; "" where the rule does not say."""

    product: str = ""
    category: str = ""
    service: str = ""

    def __str__(self) -> str:
        named = (("product", self.product), ("category", self.category), ("service", self.service))
        return ", ".join(f"{name}={value}" for name, value in named if value)


class EventClass(msgspec.Struct, frozen=True):
    """Envelope of an event: ``channel`` in small letters or "" (not Windows), ``event_id`` (-1 unknown), ``dataset``."""

    channel: str
    event_id: int
    dataset: str


class Route(msgspec.Struct, frozen=True):
    """One way in which a logsource covers events."""

    source: LogSource
    channel: str = ""  # Windows: in small letters, "*" for every one
    event_ids: frozenset[int] = frozenset()  # empty: all
    datasets: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    prefixes: tuple[str, ...] = ()
    when: Node | None = None

    def covers(self, kind: EventClass) -> bool:
        if self.channel:
            if not kind.channel and not kind.dataset.startswith("windows."):
                return False
            if self.channel == "*":
                return not kind.channel.startswith("linux-")
            return kind.channel == self.channel and (not self.event_ids or kind.event_id in self.event_ids)
        return any(fnmatchcase(kind.dataset, pattern) for pattern in self.datasets)

    def bind(self, field: str) -> str:
        """Bound form of a rule's field name."""
        if field == KEYWORDS:
            return field
        mapped = self.fields.get(field)
        if mapped is not None:
            return mapped
        if self.channel:
            if _is_ecs_key(field):
                return field
            return EVENT_DATA + field.replace(" ", "")
        if field in FIELD_TYPES:
            return field
        return "|".join([*(prefix + field for prefix in self.prefixes), field])


def _is_ecs_key(field: str) -> bool:
    return field in FIELD_TYPES or "." in field


class Routes:
    """All routes; :meth:`of` gives those of a logsource."""

    def __init__(self, routes: Iterable[Route], windows_services: Mapping[str, list[str]]) -> None:
        self._routes: dict[LogSource, list[Route]] = {}
        self._any_product: dict[tuple[str, str], list[Route]] = {}
        for route in routes:
            source = route.source
            self._routes.setdefault(source, []).append(route)
            self._any_product.setdefault((source.category, source.service), []).append(route)
        self._services = windows_services

    def of(self, source: LogSource) -> list[Route]:
        """Routes of a logsource: as listed, or by the default ``product.service`` / ``product.category`` datasets."""
        exact = self._routes.get(source)
        if exact is not None:
            return exact
        if source.product == "windows":
            return self._windows(source)
        if not source.product:
            return self._any_product.get((source.category, source.service), [])
        names = [name for name in (source.service, source.category) if name]
        datasets = tuple(name if name.startswith(source.product + ".") else f"{source.product}.{name}" for name in names)
        datasets = datasets or (f"{source.product}.*",)
        return [Route(source, datasets=datasets, prefixes=(f"{source.product}.{names[0]}.", f"{source.product}.") if names else ())]

    def _windows(self, source: LogSource) -> list[Route]:
        """A category narrowed by a service: the category's routes on that service's channels."""
        if not source.category or not source.service:
            return []
        channels = {channel.lower() for channel in self._services.get(source.service, [])}
        routes = self._routes.get(LogSource("windows", source.category, ""), [])
        return [route for route in routes if route.channel in channels]


@lru_cache(maxsize=4)
def load_routes(folder: Path = MAPPINGS) -> Routes:
    """Read the tables. Raises ConfigError with file and place where one is wrong."""
    windows = _read(folder / "windows.yml")
    routes = _windows_routes(windows, folder / "windows.yml")
    routes += _dataset_routes(_read(folder / "events.yml"), folder / "events.yml")
    return Routes(routes, windows["services"])


@lru_cache(maxsize=4)
def mappings_digest(folder: Path = MAPPINGS) -> bytes:
    """Bytes that change whenever a table changes (for the compile cache)."""
    return b"\0".join((folder / name).read_bytes() for name in ("windows.yml", "events.yml"))


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"Sigma mapping {path} cannot be read: {error}") from error
    if not isinstance(loaded, dict):
        raise ConfigError(f"Sigma mapping {path} must be a mapping")
    return loaded


def _windows_routes(table: dict[str, Any], path: Path) -> list[Route]:
    system = dict(table["system_fields"])
    routes = [Route(LogSource("windows"), channel="*", fields=system)]
    for service, channels in table["services"].items():
        routes += [Route(LogSource("windows", "", service), channel=channel.lower(), fields=system) for channel in channels]
    for category, places in table["categories"].items():
        for place in places:
            fields = dict(system)
            for name, target in (place.get("fields") or {}).items():
                fields[name] = _windows_target(target, f"{path}: {category}.{name}")
            when = _when(place.get("when"), lambda name: EVENT_DATA + name)
            routes.append(
                Route(
                    LogSource("windows", category, ""),
                    channel=place["channel"].lower(),
                    event_ids=frozenset(place["event_id"]),
                    fields=fields,
                    when=when,
                )
            )
    return routes


def _windows_target(target: str, where: str) -> str:
    if not target.startswith("="):
        return EVENT_DATA + target
    if not is_known(target):
        raise ConfigError(f"{where}: unknown function in {target!r}")
    name, _, arguments = target[1:].rstrip(")").partition("(")
    return f"={name}({','.join(EVENT_DATA + argument.strip() for argument in arguments.split(','))})"


def _dataset_routes(table: dict[str, Any], path: Path) -> list[Route]:
    routes = []
    for number, entry in enumerate(table["routes"]):
        unknown = set(entry) - {"logsource", "datasets", "channel", "event_id", "prefixes", "fields", "when"}
        if unknown:
            raise ConfigError(f"{path}: route {number + 1}: unknown key {', '.join(sorted(unknown))}")
        routes.append(
            Route(
                LogSource(**entry["logsource"]),
                channel=entry.get("channel", "").lower(),
                event_ids=frozenset(entry.get("event_id", ())),
                datasets=tuple(entry.get("datasets", ())),
                prefixes=tuple(entry.get("prefixes", ())),
                fields={name: "|".join(keys) for name, keys in entry.get("fields", {}).items()},
                when=_when(entry.get("when"), lambda name: name),
            )
        )
    return routes


def _when(conditions: dict[str, list[str]] | None, bind: Any) -> Node | None:
    if not conditions:
        return None
    nodes: list[Node] = []
    for field, values in conditions.items():
        texts = [Text(CONTAINS, "") if value == "*" else Text(EXACT, str(value).lower()) for value in values]
        nodes.append(either([Match(bind(field), text, "logsource") for text in texts]))
    return both(nodes)
