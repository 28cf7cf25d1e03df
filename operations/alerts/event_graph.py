"""What the events around an alert join: users on hosts, processes that start others, write files, ask for names, talk to addresses.

Nodes are entities, edges are relations counted over the events of a short time around the alert that name one of its main
entities. Read from the event store, nothing is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from kernel.event import Event
from kernel.query import Query
from kernel.query.tree import Equals, Match, Node, Or
from kernel.store.contract import EventStore, TimeRange
from operations.alerts.entities import FIELDS as ENTITY_FIELDS
from operations.alerts.entities import normalise
from operations.alerts.schema import Entity
from operations.clock import shift

MOST_EVENTS = 2_000
MOST_NODES = 60
MOST_EDGES = 150
SEED_KINDS = (
    "host",
    "user",
    "ip",
    "hash",
    "domain",
)  # whose events are looked at; a zone or a process name would bring in the city
MOST_SEEDS = 8
EVERYWHERE = frozenset({"system", "local service", "network service", "root", "nt authority\\system"})
"""Accounts of every machine: their events would bring in the city, too."""
_READ = (
    "@timestamp", "event.id", "host.name", "user.name", "process.name", "process.executable", "process.parent.name",
    "process.parent.executable", "file.path", "source.ip", "destination.ip", "destination.port", "dns.question.name", "url.domain",
    "tls.client.server_name", "registry.path",
)  # fmt: skip


@dataclass(frozen=True)
class _Relation:
    """``subject`` and ``object`` are (kind, fields, first that has a value counts)."""

    name: str
    subject: tuple[str, tuple[str, ...]]
    object: tuple[str, tuple[str, ...]]


_PROCESS = ("process", ("process.executable", "process.name"))
_RELATIONS = (
    _Relation("acts_on", ("user", ("user.name",)), ("host", ("host.name",))),
    _Relation("runs", ("host", ("host.name",)), _PROCESS),
    _Relation("starts", ("process", ("process.parent.executable", "process.parent.name")), _PROCESS),
    _Relation("touches", _PROCESS, ("file", ("file.path",))),
    _Relation("asks_for", ("host", ("host.name",)), ("domain", ("dns.question.name", "url.domain", "tls.client.server_name"))),
    _Relation("talks_to", ("ip", ("source.ip",)), ("ip", ("destination.ip",))),
    _Relation("calls", _PROCESS, ("ip", ("destination.ip",))),
    _Relation("has_address", ("host", ("host.name",)), ("ip", ("source.ip",))),
)
RELATIONS: tuple[str, ...] = tuple(relation.name for relation in _RELATIONS)


class GraphNode(msgspec.Struct, frozen=True):
    """An entity. ``main``: the alert itself is about it; ``events`` that name it among those looked at."""

    id: str
    kind: str
    value: str
    main: bool
    events: int


class GraphEdge(msgspec.Struct, frozen=True):
    """``relation`` is one of RELATIONS; ``first`` and ``last`` are the @timestamp of the events that say so."""

    source: str
    target: str
    relation: str
    events: int
    first: str
    last: str


class EventGraph(msgspec.Struct, frozen=True):
    """``events`` looked at; ``cut``: there were more events, nodes or edges than are shown."""

    start: str
    end: str
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    events: int
    cut: bool


_Key = tuple[str, str, str]
"""Source, target, relation."""


@dataclass
class _Edge:
    events: int = 0
    first: str = ""
    last: str = ""


def event_graph(store: EventStore, event: Event, entities: Sequence[Entity], *, minutes: int = 15) -> EventGraph:
    """The graph of ``minutes`` before and after the event. Raises StoreError, QueryError."""
    at = str(event.get("@timestamp", ""))
    start, end = shift(at, -60 * minutes), shift(at, 60 * minutes)
    named = (entity for kind in SEED_KINDS for entity in entities if entity.kind == kind)
    mains = [entity for entity in named if entity.kind != "user" or entity.value not in EVERYWHERE][:MOST_SEEDS]
    found = _events(store, mains, TimeRange(start, end))
    edges, seen = _counted((*found, event) if event.get("event.id") not in {one.get("event.id") for one in found} else found)
    main_ids = {_id(entity.kind, entity.value) for entity in entities}
    kept = _most_telling(seen, main_ids)
    possible = [key for key in edges if key[0] in kept and key[1] in kept]
    shown = sorted(possible, key=lambda key: (-_weight(key, main_ids), -edges[key].events, key))[:MOST_EDGES]
    ends = {end_ for key in shown for end_ in key[:2]} | (main_ids & kept)
    nodes = [GraphNode(one, *_parts(one), main=one in main_ids, events=seen[one]) for one in sorted(ends)]
    lines = [GraphEdge(*key, edges[key].events, edges[key].first, edges[key].last) for key in shown]
    cut = len(found) >= MOST_EVENTS or len(kept) < len(seen) or len(shown) < len(possible)
    return EventGraph(start, end, nodes, lines, len(found), cut)


def _counted(events: Iterable[Event]) -> tuple[dict[_Key, _Edge], Counter[str]]:
    """The relations with how often and when, and in how many events each node is named."""
    edges: dict[_Key, _Edge] = {}
    seen: Counter[str] = Counter()
    for event in events:
        moment = str(event.get("@timestamp", ""))
        named: set[str] = set()
        for key in _edges_of(event):
            edge = edges.setdefault(key, _Edge())
            edge.events += 1
            edge.first, edge.last = min(edge.first or moment, moment), max(edge.last, moment)
            named |= {*key[:2]}
        seen.update(named)
    return edges, seen


def _events(store: EventStore, mains: Sequence[Entity], when: TimeRange) -> list[Event]:
    either: list[Node] = [Match(name, Equals(entity.value)) for entity in mains for name in ENTITY_FIELDS.get(entity.kind, ())]
    if not either:
        return []
    return store.search(Query("", Or(tuple(either))), when, limit=MOST_EVENTS, fields=_READ).events


def _edges_of(event: Event) -> Iterator[_Key]:
    for relation in _RELATIONS:
        source = _node(event, *relation.subject)
        target = _node(event, *relation.object)
        if source and target and source != target:
            yield source, target, relation.name


def _node(event: Event, kind: str, fields: Iterable[str]) -> str:
    for name in fields:
        value = event.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        text = normalise(kind, str(value)) if value is not None else ""
        if text:
            return _id(kind, text)
    return ""


def _most_telling(seen: Counter[str], mains: set[str]) -> set[str]:
    """The alert's own entities and the rarest of the others: what a thousand events share says little about this one."""
    others = sorted((one for one in seen if one not in mains), key=lambda one: (seen[one], one))
    return (mains & set(seen)) | set(others[: MOST_NODES - len(mains & set(seen))])


def _weight(key: _Key, mains: set[str]) -> int:
    return (key[0] in mains) + (key[1] in mains)


def _id(kind: str, value: str) -> str:
    return f"{kind}:{value}"


def _parts(node: str) -> tuple[str, str]:
    kind, _, value = node.partition(":")
    return kind, value
