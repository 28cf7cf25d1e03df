"""Bound fields read from an ECS event."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from detectors.sigma import derived
from detectors.sigma.ast import KEYWORDS
from detectors.sigma.logsource import EventClass
from detectors.sigma.table import MISSING
from detectors.sigma.values import keyword_texts
from kernel.event import Event


def class_of(event: Event) -> EventClass:
    """Envelope of an event."""
    channel = event.get("winlog.channel")
    number = -1
    if channel is not None or "winlog.event_id" in event:
        code = event.get("event.code", event.get("winlog.event_id"))
        if isinstance(code, int):
            number = code
        elif isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 12:
            number = int(code)
    dataset = event.get("event.dataset")
    return EventClass(channel.lower() if isinstance(channel, str) else "", number, dataset if isinstance(dataset, str) else "")


@lru_cache(maxsize=20_000)
def reader(field: str) -> Callable[[Event], Any]:
    """A function that reads a bound field, ``MISSING`` where the event has none."""
    if field == KEYWORDS:
        return lambda event: list(keyword_texts(event))
    if field[0] == "=":
        function, keys = derived.parse(field)

        def derive(event: Event) -> Any:
            value = function(*(event.get(key) for key in keys))
            return MISSING if value is None else value

        return derive
    if "|" in field:
        keys = tuple(field.split("|"))

        def first(event: Event) -> Any:
            for key in keys:
                value = event.get(key)
                if value is not None:
                    return value
            return MISSING

        return first
    return lambda event: event.get(field, MISSING)
