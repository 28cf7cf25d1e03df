"""Which addresses, networks and names lie in a plant, by a real register and a real zone plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.zones.model import Asset, Zone, ZonePlan
from kernel.zones.snapshot import Snapshot, ZoneSource, write_snapshot
from operations.audit.schema import SYSTEM
from operations.zones import service as zones
from playbooks.run.control_zones import ControlZones
from tests.state_database import migrated

WATER = Zone(
    id="water", name="水务控制网", layer="perception", owner="水务局", importance=5, ranges=("10.60.0.0/24", "fd00:60::/64")
)
HEAT = Zone(id="heat", name="供热机房", layer="application", owner="住建局", importance=4, ranges=("10.70.0.0/24",))
OFFICE = Zone(id="office", name="办公网", layer="network", owner="数据局", importance=2, ranges=("10.80.0.0/16",))
CONTROLLER = Asset(id="heat-plc-1", name="heat-plc-1", kind="plc", addresses=("10.70.0.9",))
COMPUTER = Asset(id="pc-1", name="pc-1", kind="workstation", addresses=("10.80.0.9",))
PLAN = ZonePlan((WATER, HEAT, OFFICE), (), (CONTROLLER, COMPUTER))


@pytest.fixture
def places(tmp_path: Path) -> ControlZones:
    database = migrated(f"sqlite:///{tmp_path}/state.db")
    with database.write() as session:
        zones.import_plan(session, SYSTEM, PLAN)
    snapshot = tmp_path / "zones"
    write_snapshot(Snapshot("1", list(PLAN.zones), [], list(PLAN.assets)), snapshot)
    found = ControlZones(database, ZoneSource(snapshot))
    found.look()
    return found


@pytest.mark.parametrize(
    ("place", "there"),
    [
        ("10.60.0.5", True),
        ("fd00:60::5", True),
        ("[fd00:60::5]", True),
        ("10.60.0.128/28", True),
        ("10.0.0.0/8", True),  # partly
        ("::ffff:10.60.0.5", True),
        ("::ffff:10.60.0.0/120", True),
        ("::ffff:10.80.0.0/112", False),
        ("::/81", False),  # of IPv6 before the mapped ones
        ("::8000:0:0/81", True),  # all of IPv4 is within
        ("64:ff9b::a3c:5", True),  # by a translator
        ("64:ff9b::a3c:0/120", True),
        ("10.70.0.200", True),  # a controller is registered in this zone
        ("heat-plc-1.city.example", True),
        ("10.80.1.1", False),
        ("10.80.0.0/16", False),
        ("pc-1", False),
        ("203.0.113.7", False),
        ("no-such-host.example", None),
        ("alice", None),
        ("10.99.0.1", None),  # in no zone of the plan
    ],
)
def test_where_something_is(places: ControlZones, place: str, there: bool | None) -> None:
    assert places(place) is there
