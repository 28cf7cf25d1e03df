"""What a trigger would have started of what was there."""

from __future__ import annotations

import pytest

from kernel.db import Database
from operations import clock
from operations.errors import Invalid
from playbooks.triggers.preview import DAYS, preview
from playbooks.triggers.schema import Definition
from tests.playbooks.matters import alert
from tests.playbooks.triggers.conftest import ID


def _wanted(**more: object) -> Definition:
    return Definition(**{"name": "x", "playbook_id": ID, "kind": "alert", "condition": {"level": "high"}, **more})  # type: ignore[arg-type]


def test_matching_alerts_and_those_that_throttling_lets_pass(city: Database) -> None:
    for host in ("A", "A", "B"):
        alert(city, host__name=host)
    alert(city, host__name="C", level="low")
    with city.read() as session:
        found = preview(session, _wanted())
        assert (found.looked, found.matching, found.starts) == (4, 3, 2)
        assert preview(session, _wanted(throttle_seconds=0)).starts == 3
        later = clock.shift(clock.now(), (DAYS + 1) * 86_400)
        assert preview(session, _wanted(), later).looked == 0


def test_other_kinds_and_conditions_that_are_none(city: Database) -> None:
    with city.read() as session:
        for wanted in (_wanted(condition={}), _wanted(kind="schedule", condition={"every_minutes": 5})):
            with pytest.raises(Invalid):
                preview(session, wanted)
