"""The skip index on real logs: size, fill, and how often a literal is looked for in vain.

    python -m benchmarks.skipindex ../shared

Reads the EVTX samples, the security datasets and the log samples through our own parsers, in row groups as the lake makes them,
and asks each for the quoted literals of the SigmaHQ rules (300 of them, by a seed), for which the truth is a plain search.
"""

from __future__ import annotations

import random
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from collectors.evtx import evtx_records
from collectors.parsers import PARSERS
from kernel.errors import ParseError
from kernel.event import Event, conform, event_id
from kernel.query.text import fold
from kernel.query.tree import Equals, Match
from kernel.record import RawRecord
from kernel.store.lake.columns import Layout
from kernel.store.lake.encode import encode
from kernel.store.lake.grams import has
from kernel.store.lake.needs import may_hold, need_of
from kernel.store.lake.segment import ROW_GROUP
from kernel.store.lake.skipindex import INDEXED, make_filter

RECEIVED = 1_795_000_000_000_000


def _parsed(form: str, raws: Iterator[bytes]) -> Iterator[Event]:
    for number, raw in enumerate(raws):
        record = RawRecord("bench", form, RECEIVED, "file", raw)
        try:
            events = PARSERS[form](record)
        except ParseError:
            continue
        for event in events:
            yield conform(event, RECEIVED, {}) | {"event.id": event_id(form, number)}


def _evtx(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.evtx")):
        with path.open("rb") as file:
            yield from (raw for _, raw in evtx_records(file, path.name, lambda line: None))


def _datasets(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield from archive.read(name).splitlines()


def _lines(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*.log")):
        yield from path.read_bytes().splitlines()


def literals(rules: Path) -> list[str]:
    """Quoted values of lists in the rules, as they stand."""
    found: set[str] = set()
    with tarfile.open(rules) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".yml") else None
            if file is not None:
                found.update(re.findall(r"^ +- '([^'*?]{4,80})'$", file.read().decode("utf-8", "replace"), re.MULTILINE))
    return random.Random(1).sample(sorted(found), 300)


def measure(name: str, events: list[Event], wanted: list[str]) -> None:
    """Print one line about a set of events."""
    groups = bits = size = set_bits = absent = vain = present = lost = 0
    table = encode(events).table
    for start in range(0, len(table), ROW_GROUP):
        group = table.slice(start, ROW_GROUP)
        part = make_filter(group)
        groups, bits, size = groups + 1, bits + part.size, size + len(part.bits)
        set_bits += int.from_bytes(part.bits, "little").bit_count()
        text = "\0".join(fold(value) for column in INDEXED for value in group.column(column).to_pylist() if value is not None)
        for literal in wanted:
            need = need_of(Match("message", Equals(literal, anywhere=True)), Layout())
            maybe = may_hold(need, partial(has, part.bits, part.size))
            if fold(literal) in text:
                present, lost = present + 1, lost + (not maybe)
            else:
                absent, vain = absent + 1, vain + maybe
    print(
        f"{name:20} {len(table):7,} events {groups:3} groups {size / len(table):6.2f} B/event {set_bits / bits:5.0%} set;"
        f" of {absent:6,} absent {vain / absent:6.2%} in vain; of {present:5,} present {lost} lost"
    )


def main() -> None:
    """See the module."""
    shared = Path(sys.argv[1])
    wanted = literals(shared / "corpora" / "sigma-rules.tar.gz")
    measure("EVTX samples", list(_parsed("evtx", _evtx(shared / "corpora" / "evtx"))), wanted)
    measure("security datasets", list(_parsed("json", _datasets(shared / "corpora" / "security-datasets"))), wanted)
    measure("log samples", list(_parsed("text", _lines(shared / "corpora" / "logs"))), wanted)


if __name__ == "__main__":
    main()
