"""Detections on their way to alerts: those that a measure holds back are dropped, and counted per measure.

The counts go into the commit of the batch (kernel.pipeline), so that a batch which comes again after a crash is counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from kernel.detection import Detection
from kernel.event import timestamp
from kernel.rule_tuning.snapshot import Tuning

PREFIX = "held_back."
"""``held_back.<id of the measure>`` in the counters of the event store."""


class Screen:
    """Called by the pipeline with the detections of a batch."""

    def __init__(self, source: Callable[[], Tuning]) -> None:
        self._source = source

    def __call__(self, detections: list[Detection], counters: Counter[str]) -> list[Detection]:
        """Those that remain."""
        tuning = self._source()
        if not detections or not tuning:
            return detections
        now = timestamp(datetime.now(UTC))
        kept = []
        for detection in detections:
            measure = tuning.holding(detection, now)
            if measure is None:
                kept.append(detection)
            else:
                counters[f"{PREFIX}{measure.id}"] += 1
        return kept


def held_back(counters: Mapping[str, int]) -> dict[int, int]:
    """Detections held back so far by id of the measure, out of the counters of the event store."""
    return {
        int(name[len(PREFIX) :]): number
        for name, number in counters.items()
        if name.startswith(PREFIX) and name[len(PREFIX) :].isdecimal()
    }
