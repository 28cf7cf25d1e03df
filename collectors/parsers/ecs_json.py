"""JSON that already speaks ECS (Elastic agents, Logstash), nested or dotted → flat ECS event."""

from __future__ import annotations

from typing import Any

from collectors.parsers import clock
from collectors.parsers import fields as ecs
from kernel.event import Event
from kernel.zones.enrich import NOT_CROSSINGS

_MARKS = ("event.kind", "event.category", "event.dataset", "event.module", "event.action", "event.code", "ecs.version")
_NESTED_MARKS = frozenset({"kind", "category", "dataset", "module", "action", "code", "type", "outcome"})


def fits(obj: dict[str, Any]) -> bool:
    """True if the object names itself ECS, or has an ``event`` in ECS's sense."""
    inner = obj.get("event")
    return (
        any(mark in obj for mark in _MARKS)
        or isinstance(obj.get("ecs"), dict)
        or (isinstance(inner, dict) and not _NESTED_MARKS.isdisjoint(inner))
    )


def read(obj: dict[str, Any], original: str) -> list[Event]:
    """One event with the object's own fields, flat."""
    event: Event = {}
    ecs.flatten(obj, "", event)
    stamp = event.pop("@timestamp", None)
    ecs.put(
        event, "@timestamp", clock.local(stamp) if isinstance(stamp, str) else clock.epoch(stamp) if stamp is not None else None
    )
    event.setdefault("event.original", original)
    event.setdefault("event.kind", "event")
    dataset = str(event.setdefault("event.dataset", "generic.json"))
    if dataset.startswith("liandun.") or dataset in NOT_CROSSINGS:  # only the platform itself speaks of itself and skips judgement
        event["labels.claimed_dataset"] = event["event.dataset"]
        event["event.dataset"] = "generic.json"
    event.pop("event.id", None)  # ours is given by the pipeline; theirs would not survive re-delivery
    return [ecs.relate(event)]
