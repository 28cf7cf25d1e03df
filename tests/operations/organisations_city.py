"""Two bureaus with a zone each, the operator's people and those of the bureaus."""

from __future__ import annotations

import json

from sqlalchemy import select

from kernel.db import Database
from kernel.zones.plan import Zone
from operations import clock
from operations.accounts import reach
from operations.accounts.models import User
from operations.accounts.schema import Principal, Reach
from operations.audit.schema import Actor
from operations.reach import SESSION_KEY
from operations.zones import service as zones

WATER, TRAFFIC = "水务局", "交通局"
ZONES = (
    Zone(id="water-office", name="水务办公网", layer="network", owner=WATER, importance=3, ranges=("10.61.0.0/16",)),
    Zone(id="water-ot", name="水务控制网", layer="perception", owner=WATER, importance=5, ranges=("10.60.0.0/16",)),
    Zone(id="traffic-office", name="交通办公网", layer="network", owner=TRAFFIC, importance=3, ranges=("10.51.0.0/16",)),
)


def account(name: str, role: str, scope: Reach) -> User:
    """Without a password: nobody logs in here, and hashing one takes long."""
    now, owned = clock.now(), json.dumps(scope.organisations)
    moments = {"created_at": now, "password_changed_at": now, "active_since": now}
    return User(name=name, name_key=name, role=role, password_hash="", organisations=owned, **moments)


class City:
    """People by name; ``as_(name)`` is the principal and the database as that person sees it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as session:
            for zone in ZONES:
                zones.save_zone(session, Actor("plan"), zone)
        for name, role, organisation in (
            ("duty.one", "duty", ""),
            ("duty.two", "duty", ""),
            ("reader", "leader", ""),
            ("planner", "secadmin", ""),
            ("planner.two", "secadmin", ""),
            ("water", "bureau", WATER),
            ("water.two", "bureau", WATER),
            ("traffic", "bureau", TRAFFIC),
        ):
            scope = Reach(organisations=(organisation,)) if organisation else Reach()
            with database.write() as session:
                session.add(account(name, role, scope))

    def as_(self, name: str) -> tuple[Principal, Database]:
        with self.database.read() as session:
            user = session.execute(select(User).where(User.name == name)).scalar_one()
            seen = reach.zones_of(session, user)
            who = Principal(user.id, user.name, "", user.role, address="192.0.2.9", zones=seen)
        return who, self.database if seen is None else self.database.carrying({SESSION_KEY: seen})
