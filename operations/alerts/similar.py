"""Similar alerts, with the reasons: the same hash, domain, host, user, address, rule or ATT&CK technique, near in time.

Of each thing that an alert is about only the NEAR alerts before and after it are looked at, in the order of an index: an address
that a million alerts name costs as much as one that two name. A thing that fills both sides is common, and counts half.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, literal, select, tuple_, union_all
from sqlalchemy.orm import Session

from operations import clock
from operations.alerts.listing import among, row_of, within
from operations.alerts.models import Alert, AlertEntity, AlertTag
from operations.alerts.schema import AlertRow, Entity

NEAR = 20
MOST_SOURCES = 16
POINTS: dict[str, int] = {"hash": 10, "domain": 8, "host": 6, "user": 6, "ip": 6, "rule": 4, "technique": 4}
"""How much a common thing says; addresses and names of devices change hands, hashes do not."""

SOON: tuple[tuple[int, int], ...] = ((3600, 4), (86_400, 2), (7 * 86_400, 1))
"""Seconds between the two → points."""

_ALERTS = Alert.__table__
_TECHNIQUE = re.compile(r"attack\.t\d{4}(\.\d{3})?")


class Reason(msgspec.Struct, frozen=True):
    """Why two alerts are similar: ``kind`` of POINTS or ``time`` (``value``: seconds between them); ``common``: many have it."""

    kind: str
    value: str
    points: int
    common: bool = False


class Similar(msgspec.Struct, frozen=True):
    """A similar alert with its score, the sum of the points of its reasons."""

    alert: AlertRow
    score: int
    reasons: list[Reason]


def similar_alerts(session: Session, alert: AlertRow, entities: Sequence[Entity], *, limit: int = 8) -> list[Similar]:
    """The most similar alerts that the session may see, best first."""
    sources = _sources(alert, entities)
    found: dict[int, set[int]] = {}
    sides: dict[tuple[int, bool], int] = {}
    for number, other in session.execute(_candidates(alert, sources)).all():
        if other != alert.id:
            found.setdefault(other, set()).add(number)
            side = (number, other > alert.id)
            sides[side] = sides.get(side, 0) + 1
    if not found:
        return []
    common = {n for n in range(len(sources)) if min(sides.get((n, side), 0) for side in (False, True)) >= NEAR}
    rows = session.execute(select(*_ALERTS.c).where(among(session, sorted(found)), *within(session)))
    ranked = [
        _judged(alert, row_of(row), [sources[n] for n in sorted(found[row.id])], {sources[n] for n in common}) for row in rows
    ]
    ranked.sort(key=lambda one: (-one.score, abs(one.alert.id - alert.id)))
    return ranked[:limit]


def _sources(alert: AlertRow, entities: Sequence[Entity]) -> list[tuple[str, str]]:
    """(kind, value) of what is looked for, the most telling first."""
    named = [(entity.kind, entity.value) for entity in entities if entity.kind in POINTS]
    techniques = [("technique", tag) for tag in alert.tags if _TECHNIQUE.fullmatch(tag)]
    every = dict.fromkeys([("rule", alert.rule_id), *techniques[:4], *named])
    return sorted(every, key=lambda one: (one[0] != "rule", -POINTS[one[0]]))[:MOST_SOURCES]


def _candidates(alert: AlertRow, sources: Sequence[tuple[str, str]]) -> Select[Any] | Any:
    """(number of the source, alert id) of the nearest alerts on both sides."""
    parts = []
    for number, (kind, value) in enumerate(sources):
        for later in (False, True):
            near = _near(alert, kind, value, later).limit(NEAR).subquery()
            parts.append(select(literal(number), near.c.id))
    return union_all(*parts)


def _near(alert: AlertRow, kind: str, value: str, later: bool) -> Select[Any]:
    if kind == "rule":
        here, there = tuple_(_ALERTS.c.last_seen, _ALERTS.c.id), tuple_(alert.last_seen, alert.id)
        order = [column.asc() if later else column.desc() for column in (_ALERTS.c.last_seen, _ALERTS.c.id)]
        return select(_ALERTS.c.id).where(_ALERTS.c.rule_id == value, here > there if later else here < there).order_by(*order)
    table: Any = AlertTag if kind == "technique" else AlertEntity
    same = (table.tag == value,) if kind == "technique" else (table.kind == kind, table.value == value)
    column = table.alert_id
    query = select(column.label("id")).where(*same, column > alert.id if later else column < alert.id)
    return query.order_by(column.asc() if later else column.desc())


def _judged(alert: AlertRow, other: AlertRow, shared: Sequence[tuple[str, str]], common: set[tuple[str, str]]) -> Similar:
    reasons = [
        Reason(kind, value, POINTS[kind] // (1 + (one in common)), one in common) for one in shared for kind, value in (one,)
    ]
    apart = _apart(alert, other)
    near = next((points for seconds, points in SOON if apart <= seconds), 0)
    if near:
        reasons.append(Reason("time", str(apart), near))
    reasons.sort(key=lambda reason: -reason.points)
    return Similar(other, sum(reason.points for reason in reasons), reasons)


def _apart(one: AlertRow, other: AlertRow) -> int:
    """Whole seconds between what the two span; 0 where they overlap."""
    earlier, later = sorted((one, other), key=lambda alert: alert.first_seen)
    return max(0, int((clock.moment(later.first_seen) - clock.moment(earlier.last_seen)).total_seconds()))
