"""What crossed between zones in a time range: three top lists of the event store, and the pulse of every zone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from flask import current_app

from kernel.event import timestamp
from kernel.query import parse_query
from kernel.store.contract import EventStore, TimeRange
from soc_ui import times
from soc_ui.event_view import term
from soc_ui.recent import Recent
from soc_ui.services import services
from soc_ui.times import Window

VERDICTS = ("permitted", "denied", "expired")
VIOLATIONS = ("denied", "expired")
MOST_CROSSINGS = 200
SLICES = 12


@dataclass(frozen=True)
class Flow:
    """Events from one zone to another, by verdict."""

    source: str
    target: str
    permitted: int = 0
    denied: int = 0
    expired: int = 0

    @property
    def crossing(self) -> str:
        """As it stands in the events: ``client-zone>server-zone``."""
        return f"{self.source}>{self.target}"

    @property
    def violations(self) -> int:
        """What no conduit in force permits."""
        return self.denied + self.expired

    @property
    def total(self) -> int:
        return self.permitted + self.violations

    def count(self, verdict: str) -> int:
        """Events of one verdict."""
        return int(getattr(self, verdict))


@dataclass(frozen=True)
class Traffic:
    """All flows, most events first.

    pulse       zone → events that its devices sent, in SLICES equal time slices
    incomplete  True where the store has more crossings than were asked for
    """

    flows: tuple[Flow, ...]
    pulse: dict[str, tuple[int, ...]]
    incomplete: bool = False

    def of(self, zone: str) -> list[Flow]:
        """Flows from or to a zone."""
        return [flow for flow in self.flows if zone in (flow.source, flow.target)]

    def sum(self, verdict: str) -> int:
        """Events of a verdict over all flows."""
        return sum(flow.count(verdict) for flow in self.flows)

    def violating_zones(self) -> dict[str, int]:
        """Zone → events that left it without a permit, most first."""
        found: dict[str, int] = {}
        for flow in self.flows:
            if flow.violations:
                found[flow.source] = found.get(flow.source, 0) + flow.violations
        return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))


def traffic(window: Window) -> Traffic:
    """The traffic of a time range, at most some seconds old."""
    kept: Recent[Traffic] = current_app.extensions.setdefault("liandun_traffic", Recent())
    key = (services().reach, window.last or (window.start, window.end))
    return kept.get(key, lambda: read_traffic(services().store, window.range, times.now()))


def read_traffic(store: EventStore, when: TimeRange, now: datetime) -> Traffic:
    """Ask the store. Raises StoreError."""
    counts: dict[str, dict[str, int]] = {}
    incomplete = False
    for verdict in VERDICTS:
        buckets = store.top(parse_query(f"zone.verdict:{verdict}"), when, "zone.crossing", limit=MOST_CROSSINGS)
        incomplete |= len(buckets) == MOST_CROSSINGS
        for bucket in buckets:
            counts.setdefault(str(bucket.key), {})[verdict] = bucket.count
    flows = [
        Flow(source, target, **of)
        for crossing, of in counts.items()
        for source, arrow, target in [crossing.partition(">")]
        if arrow and source and target
    ]
    flows.sort(key=lambda flow: (-flow.total, flow.crossing))
    return Traffic(tuple(flows), _pulse(store, _slices(store, when, now)), incomplete)


def crossing_query(source: str, target: str, verdicts: Iterable[str] = ()) -> str:
    """The query of the hunt page for the events of a crossing, of some verdicts only where they are given."""
    wanted = list(verdicts)
    query = term("zone.crossing", f"{source}>{target}")
    return f"{query} AND zone.verdict:({' OR '.join(wanted)})" if wanted else query


def _slices(store: EventStore, when: TimeRange, now: datetime) -> list[TimeRange]:
    start = times.as_datetime(when.start or str(store.statistics().get("earliest") or ""))
    end = times.as_datetime(when.end) or now
    if start is None or start >= end:
        return []
    step = (end - start) / SLICES
    edges = [timestamp((start + step * number).astimezone(UTC)) for number in range(SLICES)]
    edges.append(when.end or timestamp(end + timedelta(days=1)))
    return [TimeRange(first, last) for first, last in pairwise(edges)]


def _pulse(store: EventStore, slices: Sequence[TimeRange]) -> dict[str, tuple[int, ...]]:
    everything = parse_query("")
    found: dict[str, list[int]] = {}
    for number, part in enumerate(slices):
        for bucket in store.top(everything, part, "source.zone", limit=MOST_CROSSINGS):
            found.setdefault(str(bucket.key), [0] * len(slices))[number] = bucket.count
    return {zone: tuple(counts) for zone, counts in found.items()}
