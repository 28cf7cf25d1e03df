"""A city of three zones, people of each role, a clock that stands still until it is moved, and alerts of a brute-force attack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from kernel.db import Database
from kernel.detection import Detection
from kernel.zones.plan import Asset, Zone, ZonePlan
from operations import clock
from operations.accounts.models import User
from operations.accounts.schema import Principal
from operations.alerts import service as alerts
from operations.audit.schema import Actor
from operations.reach import SESSION_KEY
from operations.zones import service as zones

START = "2026-11-26T04:00:00.000000Z"
PLAN = ZonePlan(
    (
        Zone(id="water-ot", name="水务控制网", layer="perception", owner="水务局", importance=5, ranges=("10.60.0.0/16",)),
        Zone(id="gov-cloud", name="政务云", layer="cloud", owner="大数据局", importance=4, ranges=("10.70.0.0/16",)),
        Zone(id="citizen-dmz", name="市民服务区", layer="citizen", owner="政务服务中心", importance=2, ranges=("10.100.0.0/16",)),
    ),
    (),
    (Asset(id="srv-web-02", name="门户", addresses=("10.70.0.8",), bureau="大数据局", importance=4),),
)
BRUTE = ["attack.credential-access", "attack.t1110.001"]


class Clock:
    """Stands at ``now`` until moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> str:
        return self.now

    def move(self, *, hours: float = 0, minutes: float = 0) -> None:
        self.now = clock.shift(self.now, hours * 3600 + minutes * 60)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standing = Clock()
    monkeypatch.setattr(clock, "now", standing)
    return standing


@pytest.fixture
def city(database: Database, time: Clock) -> Database:
    """Zones and an asset; ``alice`` is a responder."""
    with database.write() as session:
        session.execute(update(User).values(role="responder"))
        zones.import_plan(session, Actor("an.quan"), PLAN)
    return database


ALICE = Principal(1, "alice", "", "responder", address="192.0.2.1")
WATER = Principal(2, "shui.wu", "", "analyst", address="192.0.2.2", zones=frozenset({"water-ot"}))
CLOUD = Principal(3, "yun", "", "analyst", address="192.0.2.3", zones=frozenset({"gov-cloud"}))


def seen_by(database: Database, who: Principal) -> Database:
    """The database as the console opens it for this person."""
    return database if who.zones is None else database.carrying({SESSION_KEY: who.zones})


@pytest.fixture
def act(city: Database) -> Callable[..., Any]:
    """``act(service.decide, ALICE, 1, …)`` in a transaction of its own, as that person sees the database."""

    def run(verb: Callable[..., Any], who: Principal, *arguments: Any, **more: Any) -> Any:
        with seen_by(city, who).write() as session:
            return verb(session, who.actor, *arguments, **more)

    return run


@pytest.fixture
def look(city: Database) -> Callable[..., Any]:
    """``look(service.get_detail, 1)`` or ``look(…, who=WATER)``."""

    def run(verb: Callable[..., Any], *arguments: Any, who: Principal = ALICE, **more: Any) -> Any:
        with seen_by(city, who).read() as session:
            return verb(session, *arguments, **more)

    return run


@pytest.fixture
def attack(city: Database, make: Callable[..., Detection]) -> list[int]:
    """Three alerts: two of a brute force from outside on the portal in the cloud, one in the water network."""
    where = {"destination__zone": "gov-cloud", "host__asset__id": "srv-web-02", "destination__ip": "10.70.0.8"}
    found = [
        make(
            rule="ssh-brute", host="srv-web-02", tags=BRUTE, level="high",
            source__ip="203.0.113.9", group={"source.ip": "203.0.113.9"},
            time="2026-11-26T03:00:00.000000Z", **where,
        ),
        make(
            rule="ssh-login", host="srv-web-02", tags=BRUTE, level="critical", source__ip="203.0.113.9",
            time="2026-11-26T03:10:00.000000Z", **where,
        ),
        make(
            rule="modbus", host="plc-1", tags=[], level="medium", engine="zone", source__ip="10.70.0.8",
            destination__ip="10.60.0.3", host__zone="water-ot", time="2026-11-26T03:20:00.000000Z",
        ),
    ]  # fmt: skip
    with city.write() as session:
        return alerts.record_detections(session, found).new_alert_ids
