"""The worker role's door to the state database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from cli.roles.worker import AssetWitness, Publisher
from kernel.db import open_database, upgrade
from kernel.detection import Detection, detection_id
from kernel.errors import StoreError
from kernel.zones.plan import read_plan
from kernel.zones.table import ZoneTable
from operations.assets import inventory
from operations.assets.listing import list_assets


def test_full_disk_under_the_state_database_is_something_to_wait_for(tmp_path: Path) -> None:
    """StoreError makes the pipeline hold the batch; anything else would end the worker again and again."""
    database = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    upgrade(database)

    @event.listens_for(database.engine, "connect")
    def no_room(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    database.engine.dispose()
    time = "2026-11-23T04:00:00.000000Z"
    found = [
        Detection(
            detection_id("r", [str(n)]), f"r{n}", "R", "low", "sigma", time, [str(n)], {"@timestamp": time, "message": "x" * 4000}
        )
        for n in range(200)
    ]
    with pytest.raises(StoreError, match="the disk of the state database is full"):
        Publisher(database, 3600.0)(found)
    database.close()


def test_a_device_that_cannot_be_written_down_costs_the_others_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    upgrade(database)
    table = ZoneTable(read_plan("zones: [{id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16]}]"))
    monkeypatch.setattr(inventory, "_free_key", lambda _session, one: "taken" if one.address[-1] in "12" else one.address)
    events: list[dict[str, Any]] = [
        {"@timestamp": "2026-11-25T12:00:00.000000Z", "source.ip": f"10.21.0.{n}", "source.zone": "office"} for n in range(1, 5)
    ]
    act = AssetWitness(database, lambda: table)(events)  # type: ignore[arg-type]
    assert act is not None
    with pytest.raises(IntegrityError):
        act()
    with database.read() as session:
        assert [asset.key for asset in list_assets(session, sort="key").assets] == ["10.21.0.3", "10.21.0.4", "taken"]
    database.close()
