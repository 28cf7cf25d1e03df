"""How long a large zone plan takes: read and checked, told what it would do, taken in.

    .venv/bin/python -m benchmarks.zone_plan [--assets 60000]

Prints seconds of processor time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel.db import open_database, upgrade
from kernel.zones.plan import read_draft, read_plan
from operations.audit.schema import Actor
from operations.zones import service

ACTOR = Actor("benchmark")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=60_000)
    count = parser.parse_args().assets
    entries = (f"- {{id: big-{n}, addresses: [10.{180 + n // 65536}.{n // 256 % 256}.{n % 256}]}}\n" for n in range(count))
    text = "assets:\n" + "".join(entries)
    print(f"{count} assets, {len(text) / 1e6:.1f} MB")
    with _timed("read and checked"):
        read_plan(text)
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{Path(folder) / 'state.db'}")
        upgrade(database)
        draft = read_draft(text)
        with _timed("told what it would do"):
            service.rehearse(database, ACTOR, draft)
        with _timed("taken in"), database.write() as session:
            service.import_plan(session, ACTOR, draft)
        with _timed("taken in again"), database.write() as session:
            service.import_plan(session, ACTOR, draft)
        database.close()


@contextmanager
def _timed(what: str) -> Iterator[None]:
    begun = time.process_time()
    yield
    print(f"{what:24} {time.process_time() - begun:6.1f} s")


if __name__ == "__main__":
    main()
