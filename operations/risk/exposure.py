"""How exposed each zone is, from the zone plan alone: how many boundaries lie between it and the Internet, and who may reach it.

Pure: no database, no present moment. Only conduits in force count; the caller leaves out those that are not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kernel.zones.model import EVERY_ZONE, INTERNET, UNKNOWN, Conduit, Zone
from operations.risk.schema import Factor, Reason

PER_NEIGHBOUR, MOST_NEIGHBOURS = 0.02, 0.1
"""Every zone that may reach this one adds so much, up to so much."""
OPEN_ADMISSION = 0.05
_SHOWN = 6


def zone_exposures(zones: Sequence[Zone], conduits: Iterable[Conduit], numbers: Mapping[str, Any]) -> dict[str, Factor]:
    """Zone id → exposure with its reasons."""
    into = _ways_in({zone.id for zone in zones}, conduits)
    distance = _distances(into)
    return {zone.id: _exposure(zone, into.get(zone.id, {}), distance.get(zone.id), numbers) for zone in zones}


_Way = tuple[int, tuple[str, ...], str]
"""Boundaries crossed, the zones on the way (the Internet first), the conduit of the last step."""


def _ways_in(known: set[str], conduits: Iterable[Conduit]) -> dict[str, dict[str, str]]:
    """Target → source → the conduit that leads there (the first one by id)."""
    found: dict[str, dict[str, str]] = {}
    for conduit in sorted(conduits, key=lambda one: one.id):
        sources = known if EVERY_ZONE in conduit.sources else {one for one in conduit.sources if one in known or one == INTERNET}
        if INTERNET in conduit.sources:
            sources = {*sources, INTERNET}
        targets = known if EVERY_ZONE in conduit.targets else known.intersection(conduit.targets)
        for target in targets:
            for source in sources:
                if source != target:
                    found.setdefault(target, {}).setdefault(source, conduit.id)
    return found


def _distances(into: Mapping[str, Mapping[str, str]]) -> dict[str, _Way]:
    """The shortest way from the Internet to every zone that has one (breadth first)."""
    outof: dict[str, list[tuple[str, str]]] = {}
    for target, sources in into.items():
        for source, conduit in sources.items():
            outof.setdefault(source, []).append((target, conduit))
    found: dict[str, _Way] = {}
    waiting: deque[tuple[str, int, tuple[str, ...]]] = deque([(INTERNET, 0, (INTERNET,))])
    while waiting:
        here, hops, way = waiting.popleft()
        for target, conduit in sorted(outof.get(here, ())):
            if target not in found and target != INTERNET:
                found[target] = (hops + 1, way, conduit)
                waiting.append((target, hops + 1, (*way, target)))
    return found


def _exposure(zone: Zone, sources: Mapping[str, str], way: _Way | None, numbers: Mapping[str, Any]) -> Factor:
    hops = numbers["hops"]
    neighbours = sorted(set(sources) - {INTERNET, UNKNOWN})
    reasons = []
    if way is None:
        value = float(hops["none"])
        reasons.append(Reason("exposure", "isolated", value=value))
    else:
        value = float(hops.get(str(way[0]), hops["more"]))
        reasons.append(Reason("exposure", "hops", n=way[0], zones=way[1][-_SHOWN:], text=way[2], value=value))
    if neighbours:
        added = min(MOST_NEIGHBOURS, PER_NEIGHBOUR * len(neighbours))
        value += added
        reasons.append(Reason("exposure", "neighbours", n=len(neighbours), zones=tuple(neighbours[:_SHOWN]), value=round(added, 2)))
    if zone.admission == "open":
        value += OPEN_ADMISSION
        reasons.append(Reason("exposure", "open_admission", value=OPEN_ADMISSION))
    return Factor(min(1.0, value), tuple(reasons))
