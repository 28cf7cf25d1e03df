"""The desk of the demo city, on its own zone plan."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cli.demo_desk import lay_out
from cli.zones import load_plan
from demo.zone_plan import lanting_plan
from kernel.layout import Layout
from operations.accounts import links
from operations.audit.schema import SYSTEM
from operations.services import service
from operations.tickets import service as tickets
from tests.state_database import migrated


def test_the_city_has_something_on_its_desk_and_can_still_be_set_up(tmp_path: Path) -> None:
    layout = Layout(tmp_path).create()
    database = migrated(layout.state_url)
    load_plan(database, layout, lanting_plan(datetime.now(UTC)), SYSTEM)
    lay_out(database)
    with database.read() as session:
        assert sorted(service.count_states(session).items()) == [("applied", 1), ("issued", 1)]
        assert tickets.count_boxes(session)["to_read"] == 2
    with database.write() as session:
        assert links.create_setup_token(session)
    database.close()
