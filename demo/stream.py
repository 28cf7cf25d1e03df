"""The stream: two hours of history at once, then the living city until stopped.

Same seed and start, same records; only the moments differ.
"""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.background import background
from demo.chains import CHAINS
from demo.city import City
from demo.delivery import Delivery, Targets
from demo.estate import lanting
from demo.plan import Planned, Route
from demo.truth import GroundTruth

HISTORY = timedelta(hours=2)
HISTORY_SHARE = 0.04
"""How much of the city's traffic the history tells of: 12,000 records in two hours of a working morning, 4,000 at night."""
LIVE_SHARE = 1.3
"""The living city: some 55 records a second on a working morning, 35 in the evening, 18 at night."""
BENIGN_SHARE = 0.03
"""How much of the traffic the generated days of ``benign_days`` have: some 90,000 records a day."""
FIRST_CHAIN, CHAIN_EVERY = 5.0, 70.0
"""Seconds after the start of the first attack, and from one start to the next until each kind has come once."""
PAUSES = (150.0, 330.0)
"""Seconds from one attack's start to the next after that, in random order."""
LONGEST_CHAIN = 120.0


@dataclass(frozen=True, slots=True)
class Record:
    """One record with its moment; ``payload()`` writes it."""

    moment: datetime
    planned: Planned

    def payload(self) -> bytes:
        return self.planned.build(self.moment)


class DemoStream:
    """``DemoStream(7).run(targets, 1.0, stop)``. ``chains`` names the attacks that are to come; () = none."""

    def __init__(self, seed: int = 7, chains: Sequence[str] = tuple(CHAINS)) -> None:
        self.seed = seed
        self.chains = tuple(chains)
        self.city: City = lanting()

    def history(self, end: datetime) -> Iterator[Record]:
        """Records of the two hours before ``end``, in time order; each attack happens once. Packets are left to the live part."""
        start = end - HISTORY
        length = HISTORY.total_seconds()
        attacks = [
            self._attack(name, length * (number + 0.5) / len(self.chains), -1 - number) for number, name in enumerate(self.chains)
        ]
        quiet = background(self.city, self._rng("past"), start, HISTORY_SHARE)
        for planned in heapq.merge(quiet, *attacks, key=_after):
            if planned.after >= length:
                return
            if planned.route is not Route.PCAP:
                yield Record(start + timedelta(seconds=planned.after), planned)

    def benign_days(self, end: datetime, days: int) -> Iterator[Record]:
        """Records of whole normal days before ``end``, in time order."""
        start = end - timedelta(days=days)
        for planned in background(self.city, self._rng("days"), start, BENIGN_SHARE):
            if planned.after >= days * 86_400:
                return
            yield Record(start + timedelta(seconds=planned.after), planned)

    def live(self, start: datetime) -> Iterator[Planned]:
        """Endless records in time order, ``after`` in demo seconds from ``start``."""
        quiet = background(self.city, self._rng("live"), start, LIVE_SHARE)
        return heapq.merge(quiet, self._attacks(), key=_after) if self.chains else quiet

    def once(self, start: datetime) -> Iterator[Planned]:
        """The live part, ended when each attack has been sent once."""
        length = FIRST_CHAIN + CHAIN_EVERY * (len(self.chains) - 1) + LONGEST_CHAIN if self.chains else 60.0
        quiet = background(self.city, self._rng("live"), start, LIVE_SHARE)
        for planned in heapq.merge(quiet, *self._first_attacks(), key=_after):
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
        days: int = 0,
        since: datetime | None = None,
        truth: Path | None = None,
        report: Callable[[str], None] = lambda line: None,
    ) -> dict[Route, int]:
        """Send history, then the live part until ``stop`` is set (``once``: until each attack was sent once).

        speed   how many demo seconds pass in a second; stamps are always the true time of sending
        days    so many whole normal days instead of the two hours of history; with ``once`` nothing follows them
        since   an earlier run ended then: only the history after it is sent
        truth   ground truth file (JSON lines), None = none
        report  told one line when the history has been sent and one for each attack step
        Returns the number of records sent by route.
        """
        stop = stop or threading.Event()
        delivery = Delivery(targets, stop)
        book = GroundTruth(truth, report)
        now = datetime.now(UTC)
        try:
            for record in self.benign_days(now, days) if days else self.history(now):
                if stop.is_set():
                    break
                if since is not None and record.moment <= since and not days:
                    continue
                delivery.send(record.planned.route, record.payload())
                book.note(record.moment, record.planned)
            delivery.flush()
            told = f"{days} days" if days else f"{HISTORY.total_seconds() / 3600:.0f} hours"
            report(f"history sent: {sum(delivery.sent.values())} records of the last {told}")
            if not (days and once):
                self._run_live(delivery, book, speed, stop, once)
        finally:
            delivery.close()
            book.close()
        return delivery.sent

    def _run_live(self, delivery: Delivery, book: GroundTruth, speed: float, stop: threading.Event, once: bool) -> None:
        begin, start = datetime.now(UTC), time.monotonic()
        for planned in self.once(begin) if once else self.live(begin):
            wait = start + planned.after / speed - time.monotonic()
            if wait > 0.005:
                delivery.flush()
                stop.wait(wait)
            if stop.is_set():
                return
            moment = datetime.now(UTC)
            delivery.send(planned.route, planned.build(moment))
            book.note(moment, planned)

    def _attacks(self) -> Iterator[Planned]:
        """Each kind once in order, then one after the other by chance, none twice in a row."""
        for attack in self._first_attacks():
            yield from attack
        rng = self._rng("order")
        start, run, last = FIRST_CHAIN + CHAIN_EVERY * (len(self.chains) - 1), len(self.chains), self.chains[-1]
        while True:
            last = rng.choice([name for name in self.chains if name != last] or [last])
            start += rng.uniform(*PAUSES)
            yield from self._attack(last, start, run)
            run += 1

    def _first_attacks(self) -> list[list[Planned]]:
        return [self._attack(name, FIRST_CHAIN + CHAIN_EVERY * number, number) for number, name in enumerate(self.chains)]

    def _attack(self, name: str, start: float, run: int) -> list[Planned]:
        """One attack, ``start`` seconds into the plan; ``run`` numbers it (history counts down from -1)."""
        records = CHAINS[name](self.city, self._rng(f"{name}-{run}"))
        return [
            replace(one, after=one.after + start, step=replace(one.step, run=run) if one.step is not None else None)
            for one in records
        ]

    def _rng(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 - a reproducible demo, nothing secret


def _after(planned: Planned) -> float:
    return planned.after
