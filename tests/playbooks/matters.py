"""Alerts that tests of playbooks start from, made as the platform makes them."""

from __future__ import annotations

from itertools import count
from typing import Any

from kernel.db import Database
from kernel.detection import Detection, detection_id
from operations.alerts import service as alerts

_NUMBER = count(1)


def alert(
    database: Database, *, rule: str = "r", level: str = "high", engine: str = "sigma", tags: tuple[str, ...] = (), **fields: Any
) -> int:
    """A new alert with these fields of its event (``a__b`` is ``a.b``); its number. One of its own, however like another it is."""
    event = {"@timestamp": "2026-11-23T04:00:00.000000Z", "event.id": "0" * 32, "event.dataset": "windows.sysmon"}
    event |= {name.replace("__", "."): value for name, value in fields.items()}
    number = str(next(_NUMBER))
    one = Detection(
        id=detection_id(rule, [number]), rule_id=rule, rule_name="口令爆破", level=level, engine=engine, time=event["@timestamp"],
        event_ids=["0" * 32], event=event, tags=list(tags), matched=[], author="", group={"number": number},
    )  # fmt: skip
    with database.write() as session:
        return alerts.record_detections(session, [one]).new_alert_ids[0]
