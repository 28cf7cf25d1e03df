"""A state database with the demo's two kinds of zones: a plant, and an office."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.db import Database
from kernel.zones.plan import Asset, Zone, ZonePlan
from operations.audit.schema import SYSTEM
from operations.zones import service as zones
from tests.state_database import migrated

PLANT = Zone(
    id="water-ot", name="水务网", layer="perception", owner="水务局", importance=5, ranges=("10.60.0.0/16", "2001:db8:60::/48")
)
OFFICE = Zone(id="office", name="办公网", layer="application", owner="大数据局", ranges=("10.10.0.0/16", "2001:db8:10::/48"))
PUMP = Asset(id="wtr-plc-01", name="一号泵站 PLC", kind="plc", addresses=("10.60.0.101",), bureau="水务局")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = migrated(f"sqlite:///{tmp_path}/state.db")
    with found.write() as session:
        zones.import_plan(session, SYSTEM, ZonePlan((PLANT, OFFICE), (), (PUMP,)))
    yield found
    found.close()
