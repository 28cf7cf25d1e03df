"""Drafts that make themselves: what alerts show in several zones at once, or again and again at a boundary.

- the same rule in at least N zones within the window;
- the same technique (ATT&CK tag) in at least N zones, counted without the rules that are a pattern already;
- the same indicator (operations.indicators), met in at least K zones that reached out to it or hold its file;
- at least M boundary violations (detections of the zone plan) of one zone within the window.

A pattern has one open warning at most. Once that was lifted or thrown away, only alerts from after that moment count towards the
next. ``pattern_key`` (the pattern and the warning before) is unique in the database, so none is made twice: not by two schedulers,
nor by one that was killed. A draft waits for people like any other: they write what to do, and a second person approves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import orjson
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from kernel.db import Database
from kernel.detection import LEVELS, level_rank
from operations import clock
from operations.alerts.models import Alert, AlertEntity, AlertTag
from operations.audit.schema import SYSTEM
from operations.warnings import history, settings
from operations.warnings.drafting import checked, new_row
from operations.warnings.levels import harm_of, importance_of
from operations.warnings.models import WarningRow
from operations.warnings.schema import MAX_RECEIVERS, MAX_TITLE, OPEN, Draft
from operations.zones.models import ZoneRow

MOST = 20
"""Drafts of one round; a flood of patterns is one event to people."""

_ALERTS = Alert.__table__


class Pattern(msgspec.Struct, frozen=True):
    """What was seen. ``kind`` is rule, technique, indicator or boundary; ``name`` for people; ``count`` zones, or violations."""

    kind: str
    subject: str
    name: str
    level: str
    zones: tuple[str, ...]
    count: int
    alerts: tuple[int, ...]
    start: str

    @property
    def key(self) -> str:
        """The pattern without its turn."""
        return f"{self.kind}:{self.subject}"[:200]


def draft_from_patterns(database: Database) -> list[int]:
    """Make the drafts that are due and return their ids; none where another scheduler was quicker. For the scheduler."""
    with database.read() as session:
        if not any(_predecessor(session, pattern) is not None for pattern in find(session, clock.now())):
            return []
    try:
        with database.write() as session:
            return draft(session, clock.now())
    except IntegrityError:
        return []


def draft(session: Session, present: str) -> list[int]:
    """The same in the caller's write transaction."""
    made: list[int] = []
    for pattern in list(find(session, present)):
        before = _predecessor(session, pattern) if len(made) < MOST else None
        if before is not None:
            made.append(_make(session, pattern, before))
    return made


def find(session: Session, present: str) -> Iterator[Pattern]:
    """Patterns of the window that ends at ``present``, worst first within each kind."""
    rules = settings.get(session, "patterns").value
    start = clock.shift(present, -3600 * float(rules["window_hours"]))
    levels = [level for level in LEVELS if level_rank(level) >= level_rank(rules["min_level"])]
    yield from _widespread(session, start, levels, int(rules["zones"]))
    yield from _indicators(session, start, levels, int(rules["indicator_zones"]))
    yield from _boundaries(session, start, int(rules["violations"]))


def _widespread(session: Session, start: str, levels: list[str], least: int) -> Iterator[Pattern]:
    """The same rule, then the same technique, in ``least`` zones."""
    zone = (AlertEntity.alert_id == _ALERTS.c.id) & (AlertEntity.kind == "zone")
    number = func.count(AlertEntity.value.distinct())
    recent = (_ALERTS.c.last_seen >= start, _ALERTS.c.level.in_(levels), _ALERTS.c.engine.not_in(("zone", "intel")))
    by_rule = (
        select(_ALERTS.c.rule_id, func.max(_ALERTS.c.rule_name), number).join(AlertEntity, zone).where(*recent, *_known(session))
    )
    rules = session.execute(by_rule.group_by(_ALERTS.c.rule_id).having(number >= least).order_by(number.desc())).all()
    for rule, name, _count in rules:
        yield _seen(session, "rule", rule, name, start, [*recent, _ALERTS.c.rule_id == rule])
    others = [*recent, _ALERTS.c.rule_id.not_in([rule for rule, _name, _count in rules])]
    tagged = AlertTag.alert_id == _ALERTS.c.id
    by_tag = select(AlertTag.tag, number).select_from(_ALERTS).join(AlertTag, tagged).join(AlertEntity, zone)
    by_tag = by_tag.where(*others, *_known(session), AlertTag.tag.like("attack.t%")).group_by(AlertTag.tag).having(number >= least)
    for tag, _count in session.execute(by_tag.order_by(number.desc())).all():
        technique = tag.removeprefix("attack.")
        if not technique[1:5].isdigit():  # a tactic such as attack.ta0001
            continue
        having = _ALERTS.c.id.in_(select(AlertTag.alert_id).where(AlertTag.tag == tag))
        yield _seen(session, "technique", technique, technique.upper(), start, [*others, having])


def _indicators(session: Session, start: str, levels: list[str], least: int) -> Iterator[Pattern]:
    """Indicators that were met in ``least`` zones. Who knocks at the doors of many zones is no pattern: that happens all day."""
    met, zone = aliased(AlertEntity), AlertEntity
    number = func.count(zone.value.distinct())
    recent = [_ALERTS.c.last_seen >= start, _ALERTS.c.level.in_(levels), _ALERTS.c.engine == "intel"]
    recent.append(_ALERTS.c.rule_id != "indicator-approach")
    query = (
        select(met.value, number)
        .select_from(_ALERTS)
        .join(met, (met.alert_id == _ALERTS.c.id) & (met.kind == "indicator"))
        .join(zone, (zone.alert_id == _ALERTS.c.id) & (zone.kind == "zone"))
        .where(*recent, *_known(session))
    )
    for value, _count in session.execute(query.group_by(met.value).having(number >= least).order_by(number.desc())).all():
        of_value = select(AlertEntity.alert_id).where(AlertEntity.kind == "indicator", AlertEntity.value == value)
        yield _seen(session, "indicator", value, value, start, [*recent, _ALERTS.c.id.in_(of_value)])


def _boundaries(session: Session, start: str, least: int) -> Iterator[Pattern]:
    """Zones from which ``least`` violations came."""
    total = func.sum(_ALERTS.c.count)
    violating = [_ALERTS.c.last_seen >= start, _ALERTS.c.engine == "zone"]
    origin = (AlertEntity.alert_id == _ALERTS.c.id) & (AlertEntity.kind == "zone") & (AlertEntity.role == "source.zone")
    query = select(AlertEntity.value, total).select_from(_ALERTS).join(AlertEntity, origin).where(*violating, *_known(session))
    query = query.group_by(AlertEntity.value).having(total >= least).order_by(total.desc())
    for zone, count in session.execute(query).all():
        of_zone = select(AlertEntity.alert_id).where(
            AlertEntity.kind == "zone", AlertEntity.role == "source.zone", AlertEntity.value == zone
        )
        yield _seen(session, "boundary", zone, zone, start, [*violating, _ALERTS.c.id.in_(of_zone)], count=int(count))


def _known(session: Session) -> list[Any]:
    """Only zones of the plan: what lies outside of it has nobody to be warned."""
    return [AlertEntity.value.in_(select(ZoneRow.id))]


def _seen(session: Session, kind: str, subject: str, name: str, start: str, conditions: list[Any], *, count: int = 0) -> Pattern:
    rows = session.execute(
        select(_ALERTS.c.id, _ALERTS.c.level).where(*conditions).order_by(_ALERTS.c.last_seen.desc()).limit(500)
    ).all()
    ids = [row.id for row in rows]
    named = select(AlertEntity.value).distinct().where(AlertEntity.alert_id.in_(ids), AlertEntity.kind == "zone", *_known(session))
    zones = tuple(sorted(session.execute(named).scalars()))
    worst = max((row.level for row in rows), key=level_rank, default="low")
    return Pattern(kind, subject, name, worst, zones, count or len(zones), tuple(sorted(ids)), start)


def _predecessor(session: Session, pattern: Pattern) -> int | None:
    """Id of the last warning of this pattern, 0 for its first; None where one is open, or nothing came after what was closed."""
    query = (
        select(WarningRow.id, WarningRow.status, WarningRow.closed_at)
        .where(WarningRow.pattern == pattern.key)
        .order_by(WarningRow.id.desc())
    )
    last = session.execute(query.limit(1)).one_or_none()
    if last is None:
        return 0
    if last.status in OPEN or last.closed_at is None:
        return None
    return last.id if last.closed_at <= pattern.start or _anew(session, pattern, last.closed_at) else None


def _anew(session: Session, pattern: Pattern, closed_at: str) -> bool:
    """Within the same window only alerts from after ``closed_at`` count: as many as would have made a pattern."""
    fresh = select(_ALERTS.c.id).where(_ALERTS.c.id.in_(pattern.alerts), _ALERTS.c.created_at > closed_at)
    ids = list(session.execute(fresh).scalars())
    rules = settings.get(session, "patterns").value
    if pattern.kind == "boundary":
        counted = select(func.coalesce(func.sum(_ALERTS.c.count), 0)).where(_ALERTS.c.id.in_(ids))
        return bool(session.execute(counted).scalar_one() >= rules["violations"])
    named = select(func.count(AlertEntity.value.distinct())).where(AlertEntity.alert_id.in_(ids), AlertEntity.kind == "zone")
    least = rules["indicator_zones" if pattern.kind == "indicator" else "zones"]
    return bool(session.execute(named.where(*_known(session))).scalar_one() >= least)


def _make(session: Session, pattern: Pattern, before: int) -> int:
    zones = pattern.zones[:MAX_RECEIVERS]
    plan = session.execute(
        select(ZoneRow.id, ZoneRow.name, ZoneRow.importance).where(ZoneRow.id.in_(zones)).order_by(ZoneRow.id)
    ).all()
    names = {row.id: row.name for row in plan}
    fields = checked(
        session,
        Draft(
            title=_title(pattern, names.get(pattern.subject, pattern.subject))[:MAX_TITLE],
            importance=importance_of(max((row.importance for row in plan), default=1)),
            harm=harm_of(pattern.level, len(zones)),
            nature={"boundary": "违规跨区访问"}.get(pattern.kind, "网络攻击"),
            threat=_threat(pattern),
            extent="、".join(names.values()),
            zones=zones,
        ),
    )
    reason = {
        "pattern": pattern.kind,
        "subject": pattern.subject,
        "name": pattern.name,
        "count": pattern.count,
        "level": pattern.level,
        "zones": list(zones),
        "alerts": list(pattern.alerts[-10:]),
        "alert_count": len(pattern.alerts),
        "since": pattern.start,
    }
    row = new_row(
        fields,
        author=SYSTEM.name,
        contributors=[],
        source="pattern",
        reasons=orjson.dumps([reason]).decode(),
        pattern=pattern.key,
        pattern_key=f"{pattern.key}#{before}",
    )
    session.add(row)
    session.flush()
    history.write(
        session, SYSTEM, row, "create", after={"title": row.title, "level": row.level, "pattern": pattern.key}, inner=True
    )
    return row.id


def _threat(pattern: Pattern) -> str:
    if pattern.kind == "boundary":
        return f"{pattern.count} 次未经许可的跨区通信"
    return f"威胁情报命中：{pattern.name}" if pattern.kind == "indicator" else f"告警：{pattern.name}"


def _title(pattern: Pattern, zone: str) -> str:
    if pattern.kind == "boundary":
        return f"{zone}多次违规跨区访问"
    if pattern.kind == "indicator":
        return f"{len(pattern.zones)} 个区域命中同一威胁情报：{pattern.name}"
    what = "技术" if pattern.kind == "technique" else "告警"
    return f"{len(pattern.zones)} 个区域出现同一{what}：{pattern.name}"
