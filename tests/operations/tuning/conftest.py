"""People, alerts with verdicts, and exceptions, made through the real services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kernel.db import Database
from kernel.detection import Detection
from operations import clock
from operations.accounts.schema import Principal
from operations.accounts.service import create_user
from operations.alerts import service as alerts
from operations.alerts.schema import Change
from operations.audit.schema import SYSTEM

PASSWORD = "Correct-Horse-7"


class Desk:
    """What tests do to a database."""

    def __init__(self, database: Database, make: Callable[..., Detection]) -> None:
        self.database = database
        self._make = make
        self._number = 0

    def person(self, name: str, role: str, **more: Any) -> Principal:
        """An account and who stands behind it."""
        made = create_user(self.database, SYSTEM, name, PASSWORD, role)
        return Principal(made.id, name, "", role, address="192.0.2.7", **more)

    def alert(self, rule: str = "rule-1", verdict: str = "", **fields: Any) -> int:
        """An alert of its own, closed with ``verdict`` where one is given."""
        self._number += 1
        time = fields.pop("time", clock.now())
        fields.setdefault("source__ip", f"198.18.{self._number // 250}.{self._number % 250}")
        with self.database.write() as session:
            [made] = alerts.record_detections(session, [self._make(rule=rule, time=time, **fields)]).new_alert_ids
        if verdict:
            self.judge(made, verdict)
        return made

    def judge(self, alert_id: int, verdict: str) -> None:
        """Close with a verdict; "" opens it again."""
        change = Change(status="closed", verdict=verdict) if verdict else Change(status="new")
        with self.database.write() as session:
            alerts.change_alerts(session, SYSTEM, [alert_id], change)


@pytest.fixture
def desk(database: Database, make: Callable[..., Detection]) -> Desk:
    return Desk(database, make)
