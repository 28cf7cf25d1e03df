"""The worker role's door to the state database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from cli.roles.worker import Publisher
from kernel.db import open_database, upgrade
from kernel.detection import Detection, detection_id
from kernel.errors import StoreError


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
    with pytest.raises(StoreError, match="cannot be written: database or disk is full"):
        Publisher(database, 3600.0)(found)
    database.close()
