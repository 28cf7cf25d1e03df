"""Indicators at size: how long the published index takes to be written and opened, and what looking events up costs.

    python -m benchmarks.indicators [--values 1000000] [--events 100000]

The floor is the same loop over the same fields without any look-up. Values are drawn so that none is met by chance; a thousand
networks are among them. The exact peer: one Python set with all values of the kind, as fast as a look-up can be in memory.
"""

from __future__ import annotations

import argparse
import ipaddress
import random
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from benchmarks import events as mix
from detectors.intel import FIELDS, IntelDetector
from kernel.event import Event
from kernel.indicators.index import Index, Indicator, write_index

ROUNDS = 5
NETWORKS = 1_000


def indicators(number: int) -> Iterator[Indicator]:
    """Seven tenths addresses of both families, two tenths names, the rest hashes."""
    dice = random.Random(11)
    for place in range(number):
        if place < NETWORKS:
            kind, value = "network", str(ipaddress.ip_network((0xF000_0000 + place * 4096, 20)))
        elif place % 10 < 6:
            kind, value = "address", str(ipaddress.IPv4Address(0xE000_0000 + place))
        elif place % 10 < 7:
            kind, value = "address", str(ipaddress.IPv6Address((0x2001_0DB8_FFFF << 80) + place))
        elif place % 10 < 9:
            kind, value = "domain", f"{'*.' if place % 3 else ''}c{place:x}.{dice.randrange(9999)}.bad.example"
        else:
            kind, value = "hash", f"{dice.getrandbits(256):064x}"
        yield Indicator(place + 1, kind, value, 80, "feed", "amber", "why it is bad", "https://report.example/1", "2099")


def seconds(of: Callable[[], object]) -> float:
    """The median of ROUNDS runs."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        of()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def read_fields(batch: list[Event]) -> int:
    """What any detector of this kind has to do: ask each event for each field."""
    return sum(event.get(field) is not None for event in batch for field in FIELDS)


def in_sets(batch: list[Event], values: set[str]) -> int:
    """The peer: every value of these fields in one set; no networks, no names above a name."""
    found = 0
    for event in batch:
        for field in FIELDS:
            value = event.get(field)
            if value is not None:
                found += any(one in values for one in value) if isinstance(value, list) else value in values
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=100_000)
    chosen = parser.parse_args()
    batch = [event for piece in islice(mix.batches(chosen.events), None) for event in piece][: chosen.events]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "indicators.db"
        begun = time.perf_counter()
        count = write_index(path, "1", indicators(chosen.values))
        written = time.perf_counter() - begun
        tracemalloc.start()
        begun = time.perf_counter()
        index = Index(path)
        opened = time.perf_counter() - begun
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        size = path.stat().st_size / 1e6
        print(f"{count:,} indicators: written in {written:.1f} s ({size:.0f} MB), opened in {opened * 1000:.0f} ms,")
        print(f"held in {held / 1e6:.1f} MB of each worker\n")
        detector = IntelDetector(lambda: index)
        values = {one.value for one in indicators(chosen.values)}
        rows = (
            ("floor: the fields are read", lambda: read_fields(batch)),
            ("peer: one set of all values", lambda: in_sets(batch, values)),
            (f"{count:,} indicators", lambda: detector.process(batch)),
            ("  each value for the first time", lambda: IntelDetector(lambda: index).process(batch)),
        )
        print(f"{'events looked up':32}{'µs/event':>10}{'events/s':>12}{'x floor':>9}")
        floor = 0.0
        for name, of in rows:
            took = seconds(of) / len(batch)
            floor = floor or took
            print(f"{name:32}{took * 1e6:10.2f}{1 / took:12,.0f}{took / floor:9.1f}")
        assert not detector.process(batch), "a value was met that should not be there"


if __name__ == "__main__":
    main()
