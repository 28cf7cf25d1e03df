"""A city of three organisations, people of each role, a clock that stands still until it is moved, and a warning at each stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kernel.db import Database
from kernel.zones.plan import Zone, ZonePlan
from operations import clock
from operations.accounts.schema import Principal
from operations.audit.schema import Actor
from operations.reach import ORGANISATIONS_KEY, SESSION_KEY
from operations.warnings import service
from operations.warnings.schema import Draft, WarningRecord
from operations.zones import service as zones

START = "2026-11-26T04:00:00.000000Z"
PLAN = ZonePlan(
    (
        Zone(id="water-ot", name="水务控制网", layer="perception", owner="水务局", importance=5, ranges=("10.60.0.0/16",)),
        Zone(id="traffic-iot", name="交通感知网", layer="perception", owner="交通局", importance=4, ranges=("10.50.0.0/16",)),
        Zone(id="gov-cloud", name="政务云", layer="cloud", owner="大数据局", importance=2, ranges=("10.70.0.0/16",)),
    ),
    (),
    (),
)


class Clock:
    """Stands at ``now`` until moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> str:
        return self.now

    def move(self, *, hours: float = 0, seconds: float = 0) -> None:
        self.now = clock.shift(self.now, hours * 3600 + seconds)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    standing = Clock()
    monkeypatch.setattr(clock, "now", standing)
    return standing


@pytest.fixture
def city(database: Database, time: Clock) -> Database:
    with database.write() as session:
        zones.import_plan(session, Actor("an.quan"), PLAN)
    return database


def person(name: str, role: str, **more: Any) -> Principal:
    return Principal(1, name, "", role, address="192.0.2.7", **more)


WRITER, DUTY, LEADER = person("lin.mei", "analyst"), person("zhou.ban", "duty"), person("he.ling", "leader")
WATER = person("shui.wu", "bureau", zones=frozenset({"water-ot"}), organisations=frozenset({"水务局"}))
TRAFFIC = person("jiao.tong", "bureau", zones=frozenset({"traffic-iot"}), organisations=frozenset({"交通局"}))

DRAFT = Draft(
    title="勒索软件在多个区域横向移动",
    importance="special",
    harm="severe",
    nature="恶意程序事件：勒索软件",
    threat="利用 SMB 弱口令横向移动，加密共享目录",
    extent="水务控制网、交通感知网",
    objects="Windows 服务器与工控上位机",
    effect="业务中断，数据不可用",
    measures="1. 关闭 445 端口\n2. 离线备份",
    organisations=("交通局",),
    zones=("water-ot",),
)


def seen_by(database: Database, who: Principal) -> Database:
    """The database as the console opens it for this person."""
    if who.zones is None:
        return database
    return database.carrying({SESSION_KEY: who.zones, ORGANISATIONS_KEY: who.organisations})


@pytest.fixture
def published(city: Database) -> WarningRecord:
    """An orange warning, number 1, sent to 交通局 and 水务局."""
    return publish(city)


def publish(database: Database, draft: Draft = DRAFT) -> WarningRecord:
    with database.write() as session:
        made = service.create(session, WRITER, draft)
        made = service.submit(session, WRITER, made.id, expected_version=made.version)
        made = service.approve(session, LEADER, made.id, expected_version=made.version)
        return service.publish(session, DUTY, made.id, expected_version=made.version)


@pytest.fixture
def act(city: Database) -> Callable[..., Any]:
    """``act(service.lift, DUTY, 1, …)`` in a transaction of its own, as that person sees the database."""

    def run(verb: Callable[..., Any], who: Principal, *arguments: Any, **more: Any) -> Any:
        with seen_by(city, who).write() as session:
            return verb(session, who, *arguments, **more)

    return run
