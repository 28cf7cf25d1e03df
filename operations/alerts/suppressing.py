"""Which new alerts a suppression keeps out of the queue: asked for every batch of detections, so it must cost next to nothing.

One look-up by the rules of the batch; without a suppression of these (nearly always) nothing else happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from operations.accounts.models import User
from operations.accounts.reach import zones_of
from operations.alerts.desk_models import Suppression
from operations.assets.control_systems import control_zones

RELEASED = "released"


class Active:
    """The suppressions in force for some rules."""

    def __init__(self, session: Session, rules: Iterable[str], present: str) -> None:
        self._session = session
        self._by_rule: dict[str, list[_One]] = {}
        self._field: frozenset[str] | None = None
        reaches: dict[int, frozenset[str] | None] = {}
        wanted = sorted(set(rules))
        for start in range(0, len(wanted), 1000):
            query = select(Suppression).where(
                Suppression.rule_id.in_(wanted[start : start + 1000]), Suppression.until > present, Suppression.lifted_at == ""
            )
            for row in session.execute(query.order_by(Suppression.id)).scalars():
                if row.owner_id not in reaches:
                    reaches[row.owner_id] = _reach(session, row.owner_id)
                self._by_rule.setdefault(row.rule_id, []).append(_One(row, reaches[row.owner_id]))

    def find(self, rule: str, level: str, entities: Mapping[tuple[str, str], Any]) -> int:
        """Id of the oldest suppression that an alert of this rule about these (kind, value) falls under, 0 = none."""
        for one in self._by_rule.get(rule, ()):
            if one.matches(entities.keys()) and (one.released or level != "critical" or not self._in_the_field(entities)):
                return one.id
        return 0

    def _in_the_field(self, entities: Iterable[tuple[str, str]]) -> bool:
        if self._field is None:
            self._field = control_zones(self._session)
        return any(kind == "zone" and value in self._field for kind, value in entities)


class _One:
    __slots__ = ("entities", "id", "released", "zones")

    def __init__(self, row: Suppression, now: frozenset[str] | None) -> None:
        """``now``: zones that its maker can see now, None = all."""
        then = None if row.zones is None else frozenset(orjson.loads(row.zones))
        self.id = row.id
        self.entities = frozenset((kind, value) for kind, value in orjson.loads(row.entities))
        self.zones = now if then is None else then if now is None else then & now
        self.released = row.critical_ot == RELEASED

    def matches(self, named: Iterable[tuple[str, str]]) -> bool:
        """All entities are named, and everything that the alert is about lies within the reach of who made it."""
        if not self.entities <= set(named):
            return False
        if self.zones is None:
            return True
        zones = {value for kind, value in named if kind == "zone"}
        return bool(zones) and zones <= self.zones


def _reach(session: Session, owner_id: int) -> frozenset[str] | None:
    """Zones that an account can see, None = all; nothing for one that is not there."""
    owner = session.get(User, owner_id)
    return zones_of(session, owner) if owner is not None else frozenset()


def count_hits(session: Session, hits: Mapping[int, int], present: str) -> None:
    """Write down that suppressions kept alerts out: id → number of new alerts (0: an alert of theirs counted up)."""
    if hits:
        table: Any = Suppression.__table__
        statement = update(table).where(table.c.id == bindparam("suppression"))
        statement = statement.values(hits=table.c.hits + bindparam("more"), last_hit_at=present)
        rows = [{"suppression": key, "more": number} for key, number in sorted(hits.items())]
        session.connection().execute(statement, rows)
