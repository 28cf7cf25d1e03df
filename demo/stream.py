"""The stream: two hours of history at once, then the living city until stopped.

Same seed, same records; only the moments differ. The ground truth (which attack step was sent when, which rules must fire) is
written as JSON lines beside what is sent.
"""

from __future__ import annotations

import heapq
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.background import background
from demo.chains import CHAINS
from demo.chains.chain import PACKET_RULES, RULES
from demo.city import City, lanting
from demo.delivery import Delivery, Targets
from demo.plan import Planned, Route
from kernel.event import timestamp

HISTORY = timedelta(hours=2)
HISTORY_RATE = 0.8
"""Background records a second in the history: some 5,800 in two hours."""
LIVE_RATE = 30.0
FIRST_CHAINS = (5.0, 75.0)
"""Seconds after the start when each kind of attack comes for the first time; the first is over before the second begins."""
CHAIN_EVERY = 210.0
"""Seconds from the start of one attack to the next after that, the two kinds in turn."""
PAST_CHAINS = (1_500.0, 4_700.0)
"""Seconds after the beginning of the history when each attack happened once before."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record with its moment; ``payload()`` writes it."""

    moment: datetime
    planned: Planned

    def payload(self) -> bytes:
        return self.planned.build(self.moment)


class DemoStream:
    """``DemoStream(7).run(targets, 1.0, stop)``. The plan depends on nothing but the seed."""

    def __init__(self, seed: int = 7) -> None:
        self.seed = seed
        self.city: City = lanting()

    def history(self, end: datetime) -> Iterator[Record]:
        """Records of the two hours before ``end``, in time order; both attacks happen once. Packets are left to the live part."""
        start = end - HISTORY
        length = HISTORY.total_seconds()
        quiet = background(self.city, self._rng("past"), HISTORY_RATE)
        chains = [_shift(make(self.city, self._rng(f"past-{n}")), PAST_CHAINS[n]) for n, make in enumerate(CHAINS)]
        for planned in heapq.merge(quiet, *chains, key=_after):
            if planned.after >= length:
                return
            if planned.route is not Route.PCAP:
                yield Record(start + timedelta(seconds=planned.after), planned)

    def live(self) -> Iterator[Planned]:
        """Endless records in time order, ``after`` in demo seconds from the start."""
        return heapq.merge(background(self.city, self._rng("live"), LIVE_RATE), self._attacks(), key=_after)

    def once(self) -> Iterator[Planned]:
        """The live part, ended when each attack has been sent once."""
        length = FIRST_CHAINS[-1] + 120.0
        for planned in self.live():
            if planned.after > length:
                return
            yield planned

    def run(
        self,
        targets: Targets,
        speed: float = 1.0,
        stop: threading.Event | None = None,
        *,
        once: bool = False,
        since: datetime | None = None,
        truth: Path | None = None,
        report: Callable[[str], None] = lambda line: None,
    ) -> dict[Route, int]:
        """Send history, then the live part until ``stop`` is set (``once``: until each attack was sent once).

        speed   how many demo seconds pass in a second; stamps are always the true time of sending
        since   an earlier run ended then: only the history after it is sent
        truth   ground truth file (JSON lines), None = none
        report  told one line when the history has been sent and one for each attack step
        Returns the number of records sent by route.
        """
        stop = stop or threading.Event()
        delivery = Delivery(targets, stop)
        book = GroundTruth(truth, report)
        try:
            for record in self.history(datetime.now(UTC)):
                if stop.is_set():
                    break
                if since is not None and record.moment <= since:
                    continue
                delivery.send(record.planned.route, record.payload())
                book.note(record)
            delivery.flush()
            report(f"history sent: {sum(delivery.sent.values())} records of the last {HISTORY.total_seconds() / 3600:.0f} hours")
            self._run_live(delivery, book, speed, stop, once)
        finally:
            delivery.close()
            book.close()
        return delivery.sent

    def _run_live(self, delivery: Delivery, book: GroundTruth, speed: float, stop: threading.Event, once: bool) -> None:
        start = time.monotonic()
        for planned in self.once() if once else self.live():
            wait = start + planned.after / speed - time.monotonic()
            if wait > 0.005:
                delivery.flush()
                stop.wait(wait)
            if stop.is_set():
                return
            record = Record(datetime.now(UTC), planned)
            delivery.send(planned.route, record.payload())
            book.note(record)

    def _attacks(self) -> Iterator[Planned]:
        turn = 0
        while True:
            make = CHAINS[turn % len(CHAINS)]
            later = turn - len(FIRST_CHAINS) + 1
            start = FIRST_CHAINS[turn] if later <= 0 else FIRST_CHAINS[-1] + later * CHAIN_EVERY
            yield from _shift(make(self.city, self._rng(f"live-{turn}")), start)
            turn += 1

    def _rng(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 - a reproducible demo, nothing secret


class GroundTruth:
    """Writes what was really done, so that a test or a person can compare it with the alerts."""

    def __init__(self, file: Path | None, report: Callable[[str], None]) -> None:
        self._report = report
        self._last = ""
        self._file = None
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._file = file.open("a", encoding="utf-8")

    def note(self, record: Record) -> None:
        """Keep a record of an attack; benign ones are not written down."""
        planned = record.planned
        if not planned.chain:
            return
        step = f"{planned.chain}: {planned.step}"
        if step != self._last:
            self._last = step
            self._report(f"attack {step}")
        if self._file is not None:
            line = {
                "chain": planned.chain,
                "step": planned.step,
                "time": timestamp(record.moment),
                "route": planned.route.value,
                "expected": [RULES.get(name, name) for name in planned.expects],
                "engines": sorted({PACKET_RULES.get(name, "sigma") for name in planned.expects}),
            }
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _after(planned: Planned) -> float:
    return planned.after


def _shift(records: list[Planned], by: float) -> list[Planned]:
    return [replace(one, after=one.after + by) for one in records]
