"""How long the lists of assets take with many devices.

    .venv/bin/python -m benchmarks.assets [--assets 200000] [--folder DIR]

Prints per list the median and 95th percentile in milliseconds of 15 calls. With --folder the filled database is kept for next time.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from kernel.db import Database, open_database, upgrade
from operations.assets import listing
from operations.assets.models import AssetRow
from operations.assets.schema import AssetFilter

BATCH = 10_000
CALLS = 15
ZONES = tuple(f"zone-{number}" for number in range(14))
KINDS = ("camera", "plc", "server", "workstation", "sensor")
FILTERS = (
    AssetFilter(),
    AssetFilter(status="observed"),
    AssetFilter(zone="zone-1"),
    AssetFilter(status="observed", zone="zone-1"),
    AssetFilter(status="retired", zone="zone-1", kind="plc"),
    AssetFilter(kind="plc"),
    AssetFilter(bureau="bureau 1"),
    AssetFilter(text="10.0.200"),
    AssetFilter(text="nothing-has-this"),
)


def fill(database: Database, number: int) -> None:
    """Three of five registered, most others only seen."""
    dice = random.Random(1)
    for start in range(0, number, BATCH):
        with database.write() as session:
            session.execute(insert(AssetRow), [_row(at, dice) for at in range(start, min(start + BATCH, number))])


def _row(at: int, dice: random.Random) -> dict[str, Any]:
    address, zone = f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}", dice.choice(ZONES)
    status = dice.choices(("registered", "observed", "retired"), (60, 39, 1))[0]
    seen = f"2026-11-{dice.randrange(1, 26):02d}T{dice.randrange(24):02d}:{dice.randrange(60):02d}:00.000000Z"
    return {
        "id": at + 1, "key": f"asset-{at}", "name": f"device {at}", "kind": dice.choice(KINDS), "status": status, "zone": zone,
        "bureau": f"bureau {dice.randrange(3)}", "importance": dice.randrange(6), "addresses": json.dumps([address]), "macs": "[]",
        "names": "[]", "services": "[]", "text": f"asset-{at}\n{address}", "note": "", "first_seen": "2026-11-01T00:00:00.000000Z",
        "last_seen": seen, "changed_at": "", "changed_by": "", "version": 1,
    }  # fmt: skip


def measure(name: str, database: Database, work: Callable[[Session], object]) -> None:
    """Print one line."""
    taken = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        with database.read() as session:
            work(session)
        taken.append((time.perf_counter() - begun) * 1000)
    taken.sort()
    print(f"{name:60s} median {taken[CALLS // 2]:7.1f}  p95 {taken[int(CALLS * 0.95)]:7.1f} ms", flush=True)


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=200_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        file = (given.folder or Path(scratch)) / f"assets-{given.assets}.db"
        fresh = not file.exists()
        database = open_database(f"sqlite:///{file}")
        upgrade(database)
        if fresh:
            fill(database, given.assets)
        for where in FILTERS:
            told = " ".join(f"{name}={value}" for name in where.__struct_fields__ if (value := getattr(where, name))) or "all"
            for sort in listing.SORTS:
                measure(f"list {told} by {sort}", database, lambda s, w=where, o=sort: listing.list_assets(s, w, sort=o))  # type: ignore[misc]
            measure(f"count {told}", database, lambda s, w=where: listing.count_assets(s, w))  # type: ignore[misc]
        measure("facets (kept some seconds)", database, listing.facets)
        measure("by zone (kept some seconds)", database, listing.count_by_zone)
        database.close()


if __name__ == "__main__":
    main()
