"""One line of the map: which services crossed, who with whom, what the plan and the alerts say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.query import parse_query
from kernel.store.contract import EventStore, TimeRange
from kernel.zones.plan import BUILT_IN, EVERY_ZONE
from operations.zones.schema import ConduitRecord
from soc_ui.event_view import term
from soc_ui.zones.flows import VERDICTS, Flow, crossing_query

MOST_SERVICES = 8
MOST_SOURCES, MOST_TARGETS = 4, 2


@dataclass(frozen=True)
class ServiceUse:
    """Events of one service on a crossing, by verdict."""

    service: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Pair:
    """Two addresses and how many events name them so."""

    source: str
    destination: str
    count: int


@dataclass(frozen=True)
class Uses:
    """What the store says of a crossing, of one moment.

    flow      the totals
    services  the most used ones, most events first
    others    events of all other services, by verdict
    """

    flow: Flow
    services: list[ServiceUse]
    others: dict[str, int]
    pairs: list[Pair]


def read_uses(store: EventStore, source: str, target: str, when: TimeRange) -> Uses:
    """Ask the store; pairs of violations only where there are some.

    The totals are made of their parts, not taken from the map (which may be a minute old): events that come in meanwhile must not
    leave a total that is smaller than what it consists of.
    """
    found: dict[str, dict[str, int]] = {}
    totals: dict[str, int] = {}
    for verdict in VERDICTS:
        query = parse_query(crossing_query(source, target, (verdict,)))
        buckets = store.top(query, when, "zone.service", limit=MOST_SERVICES)
        for bucket in buckets:
            found.setdefault(str(bucket.key), {})[verdict] = bucket.count
        listed = sum(bucket.count for bucket in buckets)
        totals[verdict] = listed if 0 < len(buckets) < MOST_SERVICES else max(listed, store.count(query, when))
    services = sorted((ServiceUse(name, counts) for name, counts in found.items()), key=lambda use: (-use.total, use.service))
    others = {verdict: total - sum(use.counts.get(verdict, 0) for use in services) for verdict, total in totals.items()}
    flow = Flow(source, target, **totals)
    return Uses(flow, services, {verdict: rest for verdict, rest in others.items() if rest}, _pairs(store, flow, when))


def split(crossing: str) -> tuple[str, str] | None:
    """Source and target of ``a>b``, None for anything else."""
    source, arrow, target = crossing[:200].partition(">")
    return (source, target) if arrow and source and target else None


def covering(conduits: Sequence[ConduitRecord], source: str, target: str) -> list[ConduitRecord]:
    """Conduits between two zones, whatever their services and times."""
    return [one for one in conduits if _names(one.conduit.sources, source) and _names(one.conduit.targets, target)]


def _names(zones: Sequence[str], zone: str) -> bool:
    """``*`` means every zone of the plan, as kernel.zones.table judges it."""
    return zone in zones or (EVERY_ZONE in zones and zone not in BUILT_IN)


def _pairs(store: EventStore, flow: Flow, when: TimeRange) -> list[Pair]:
    wanted = [verdict for verdict in ("denied", "expired") if flow.count(verdict)]
    query = crossing_query(flow.source, flow.target, wanted)
    pairs = [
        Pair(str(source.key), str(target.key), target.count)
        for source in store.top(parse_query(query), when, "source.ip", limit=MOST_SOURCES)
        for target in store.top(
            parse_query(f"{query} AND {term('source.ip', source.key)}"), when, "destination.ip", limit=MOST_TARGETS
        )
    ]
    return sorted(pairs, key=lambda pair: -pair.count)
