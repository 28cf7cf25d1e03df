"""Suppressions: "do not show new alerts of rule R about V until T, because N".

Alerts that fall under one are recorded and counted like all others, but begin with the status ``suppressed``: out of the
queue, found by ``suppressed=yes``, told by every count. It ends by itself (after at most MOST_DAYS days) or is lifted; what comes
then shows again.

It never reaches beyond the scope of who made it: an alert has to lie within that scope with every zone that it names. Critical
alerts of OT zones stay visible unless a security administrator released it: whoever attacks a controller may endanger people, so
keeping such alerts from view takes a second person who does not work on the queue.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations import clock
from operations.accounts.schema import Principal
from operations.alerts.desk_models import Suppression
from operations.alerts.entities import normalise
from operations.alerts.listing import within
from operations.alerts.models import ENTITY_KINDS, Alert, AlertEntity
from operations.alerts.saved_views import scope_of
from operations.alerts.suppressing import RELEASED
from operations.assets.control_systems import control_zones
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.reach import sees, zones_seen
from operations.webhooks.outbox import announce

MOST_DAYS = 90
MOST_ACTIVE = 1000
MOST_ENTITIES = 5
MAX_REASON = 1000
MAX_PAGE = 200
PREVIEW_DAYS = 7
PREVIEW_MOST = 10_000
SORTS: tuple[str, ...] = ("created", "until", "hits", "last_hit")
STATES: tuple[str, ...] = ("active", "asked", "ended")
"""``asked``: active, and waiting for a security administrator."""

_CURSOR = re.compile(r"([0-9TZ:.-]{0,27})~([0-9]{1,18})")
_TABLE = Suppression.__table__
_SORT_COLUMNS: dict[str, Any] = {
    "created": _TABLE.c.id, "until": _TABLE.c.until, "hits": _TABLE.c.hits, "last_hit": _TABLE.c.last_hit_at,
}  # fmt: skip


class Draft(msgspec.Struct, frozen=True):
    """What is asked for. ``entities``: (kind, value), all of which an alert must name; ``until``: @timestamp text."""

    rule_id: str
    entities: tuple[tuple[str, str], ...] = ()
    until: str = ""
    reason: str = ""
    critical_ot: bool = False
    rule_name: str = ""


class Preview(msgspec.Struct, frozen=True):
    """Alerts of the last PREVIEW_DAYS days that it would have kept out, and critical ones of OT zones that would still show."""

    total: int
    exact: bool
    by_level: dict[str, int]
    still_shown: int


class SuppressionRecord(msgspec.Struct, frozen=True):
    """A suppression; ``state`` active or ended (its time is over, or it was lifted)."""

    id: int
    rule_id: str
    rule_name: str
    entities: list[tuple[str, str]]
    reason: str
    owner: str
    limited: bool
    critical_ot: str
    released_by: str
    created_at: str
    until: str
    lifted_at: str
    lifted_by: str
    hits: int
    last_hit_at: str
    version: int
    state: str


class SuppressionFilter(msgspec.Struct, frozen=True):
    """``state`` one of STATES, ``text`` a part of rule, entities, reason or owner; "" = any."""

    state: str = ""
    rule: str = ""
    owner: str = ""
    text: str = ""


class SuppressionPage(msgspec.Struct, frozen=True):
    """One page; ``cursor`` fetches the next one."""

    suppressions: list[SuppressionRecord]
    cursor: str = ""


def preview_suppression(session: Session, draft: Draft) -> Preview:
    """What a suppression would have kept out. Raises Invalid."""
    entities = _entities(session, draft.entities)
    since = clock.shift(clock.now(), -86_400 * PREVIEW_DAYS)
    query = select(Alert.id, Alert.level).where(Alert.rule_id == draft.rule_id, Alert.last_seen >= since, *_inside(session))
    for kind, value in entities:
        query = query.where(exists().where(*_names(kind), AlertEntity.value == value))
    rows = session.execute(query.order_by(Alert.last_seen.desc(), Alert.id.desc()).limit(PREVIEW_MOST + 1)).all()
    counted = rows[:PREVIEW_MOST]
    levels = Counter(row.level for row in counted)
    shown = 0 if draft.critical_ot else _critical_in_the_field(session, [row.id for row in counted if row.level == "critical"])
    if shown:
        levels["critical"] -= shown
    return Preview(sum(levels.values()), len(rows) <= PREVIEW_MOST, {level: n for level, n in levels.items() if n}, shown)


def suppress(session: Session, who: Principal, draft: Draft) -> SuppressionRecord:
    """Make a suppression that is in force at once. Raises Invalid."""
    present = clock.now()
    active = select(func.count()).select_from(Suppression).where(Suppression.until > present, Suppression.lifted_at == "")
    if session.execute(active).scalar_one() >= MOST_ACTIVE:
        raise Invalid(f"at most {MOST_ACTIVE} suppressions are in force at once", "lift one first", field="rule")
    until = _until(draft.until, present)
    reason = _reason(draft.reason)
    name = _rule_name(session, draft)
    zones = zones_seen(session)
    row = Suppression(
        rule_id=draft.rule_id, rule_name=name[:512], entities=_json(_entities(session, draft.entities)), reason=reason,
        owner_id=who.user_id, owner=who.name, scope=scope_of(who), zones=None if zones is None else _json(sorted(zones)),
        critical_ot="asked" if draft.critical_ot else "no", released_by="", created_at=present, until=until, lifted_at="",
        lifted_by="", hits=0, last_hit_at="", version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    made = record_of(row)
    detail = {"rule": made.rule_id, "entities": made.entities, "until": until, "reason": reason, "critical_ot": row.critical_ot}
    audit.append(session, who.actor, "suppression.create", "suppression", row.id, detail=detail)
    announce(session, "suppression.created", _told(made))
    return made


def lift(session: Session, who: Principal, number: int, *, expected_version: int | None) -> SuppressionRecord:
    """End a suppression now. Raises NotFound, Stale, Conflict where it has ended already."""
    row = _locked(session, who, number, expected_version)
    if record_of(row).state == "ended":
        raise Conflict("this suppression has ended already")
    row.lifted_at, row.lifted_by, row.version = clock.now(), who.name, row.version + 1
    session.flush()
    lifted = record_of(row)
    detail = {"rule": row.rule_id, "entities": lifted.entities, "until": row.until, "hits": row.hits}
    audit.append(session, who.actor, "suppression.lift", "suppression", number, detail=detail)
    announce(session, "suppression.lifted", _told(lifted))
    return lifted


def release(session: Session, who: Principal, number: int, *, agreed: bool, expected_version: int | None) -> SuppressionRecord:
    """Decide whether it also reaches critical alerts of OT zones: for security administrators. Raises NotFound, Stale, Denied."""
    row = _locked(session, who, number, expected_version)
    if row.critical_ot != "asked" or record_of(row).state == "ended":
        raise Conflict("nobody asks for this decision any more")
    if row.owner_id == who.user_id:
        raise Denied("a second person decides this")
    row.critical_ot, row.released_by, row.version = RELEASED if agreed else "no", who.name, row.version + 1
    session.flush()
    detail = {"rule": row.rule_id, "owner": row.owner, "agreed": agreed, "reason": row.reason}
    audit.append(session, who.actor, "suppression.release", "suppression", number, detail=detail)
    return record_of(row)


def get_suppression(session: Session, who: Principal, number: int) -> SuppressionRecord:
    """One suppression. Raises NotFound, also for what a person with another scope made."""
    row = session.execute(select(Suppression).where(Suppression.id == number, *_visible(who))).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such suppression")
    return record_of(row)


def suppression_of(session: Session, number: int | None) -> SuppressionRecord | None:
    """The suppression that an alert began under, for whoever may see the alert: why it is out of the queue is no secret of it."""
    row = session.get(Suppression, number) if number else None
    return record_of(row) if row is not None else None


def list_suppressions(
    session: Session,
    who: Principal,
    where: SuppressionFilter = SuppressionFilter(),
    *,
    sort: str = "created",
    ascending: bool = False,
    limit: int = 50,
    cursor: str = "",
) -> SuppressionPage:
    """One page, the highest first. Raises Invalid for a cursor that is none."""
    limit, column = max(1, min(limit, MAX_PAGE)), _SORT_COLUMNS[sort]
    query = select(Suppression).where(*_visible(who), *_conditions(where))
    if cursor:
        here, there = tuple_(column, _TABLE.c.id), tuple_(*_place(cursor, sort))
        query = query.where(here > there if ascending else here < there)
    order = [one.asc() if ascending else one.desc() for one in (column, _TABLE.c.id)]
    rows = [record_of(row) for row in session.execute(query.order_by(*order).limit(limit + 1)).scalars()]
    if len(rows) <= limit:
        return SuppressionPage(rows)
    last = rows[limit - 1]
    value = {"created": last.id, "until": last.until, "hits": last.hits, "last_hit": last.last_hit_at}[sort]
    return SuppressionPage(rows[:limit], f"{value}~{last.id}")


def count_asked(session: Session) -> int:
    """How many wait for a security administrator, at most 100."""
    query = select(Suppression.id).where(*_conditions(SuppressionFilter("asked"))).limit(100).subquery()
    return session.execute(select(func.count()).select_from(query)).scalar_one()


def record_of(row: Suppression) -> SuppressionRecord:
    """The record of a row."""
    state = "ended" if row.lifted_at or row.until <= clock.now() else "active"
    return SuppressionRecord(
        row.id, row.rule_id, row.rule_name, [(kind, value) for kind, value in orjson.loads(row.entities)], row.reason, row.owner,
        row.zones is not None, row.critical_ot, row.released_by, row.created_at, row.until, row.lifted_at, row.lifted_by, row.hits,
        row.last_hit_at, row.version, state,
    )  # fmt: skip


def _visible(who: Principal) -> list[ColumnElement[bool]]:
    """Those made within the same scope; who works without one sees all."""
    return [] if who.zones is None else [_TABLE.c.scope == scope_of(who)]


def _conditions(where: SuppressionFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    present = clock.now()
    active = and_(_TABLE.c.until > present, _TABLE.c.lifted_at == "")
    if where.state == "ended":
        found.append(or_(_TABLE.c.until <= present, _TABLE.c.lifted_at != ""))
    elif where.state:
        found.append(active)
    if where.state == "asked":
        found.append(_TABLE.c.critical_ot == "asked")
    if where.rule:
        found.append(_TABLE.c.rule_id == where.rule)
    if where.owner:
        found.append(_TABLE.c.owner == where.owner)
    if where.text:
        text = where.text.lower()
        columns = (_TABLE.c.rule_id, _TABLE.c.rule_name, _TABLE.c.entities, _TABLE.c.reason, _TABLE.c.owner)
        found.append(or_(*(func.lower(column).contains(text, autoescape=True) for column in columns)))
    return found


def _place(cursor: str, sort: str) -> tuple[Any, int]:
    match = _CURSOR.fullmatch(cursor)
    numeric = sort in ("created", "hits")
    if match is None or (numeric and not (match[1].isdecimal() and len(match[1]) <= 18)):  # more fits no column
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    return int(match[1]) if numeric else match[1], int(match[2])


def _locked(session: Session, who: Principal, number: int, expected_version: int | None) -> Suppression:
    query = select(Suppression).where(Suppression.id == number, *_visible(who)).with_for_update()
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound("there is no such suppression")
    if expected_version is not None and row.version != expected_version:
        raise Stale("this suppression was changed by somebody else", "read it again and decide once more")
    return row


def _inside(session: Session) -> list[ColumnElement[bool]]:
    """Alerts that lie within the scope with every zone they name."""
    zones = zones_seen(session)
    if zones is None:
        return []
    return [*within(session), ~exists().where(*_names("zone"), AlertEntity.value.not_in(sorted(zones)))]


def _names(kind: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return AlertEntity.alert_id == Alert.id, AlertEntity.kind == kind


def _critical_in_the_field(session: Session, ids: Sequence[int]) -> int:
    found: set[int] = set()
    zones = sorted(control_zones(session))
    for start in range(0, len(ids), 1000):
        query = select(AlertEntity.alert_id).where(AlertEntity.alert_id.in_(ids[start : start + 1000]))
        found.update(session.execute(query.where(AlertEntity.kind == "zone", AlertEntity.value.in_(zones))).scalars())
    return len(found)


def _entities(session: Session, given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    found = []
    for kind, value in given:
        normal = normalise(kind, value) if kind in ENTITY_KINDS else ""
        if not normal:
            raise Invalid(f"{kind[:20]}:{value[:60]} is no entity", f"kind:value with {', '.join(ENTITY_KINDS)}", field="entity")
        if kind == "zone" and not sees(session, normal):
            raise Invalid("entity: there is no such zone of yours", field="entity")
        found.append((kind, normal))
    if len(found) > MOST_ENTITIES:
        raise Invalid(f"at most {MOST_ENTITIES} entities", field="entity")
    return sorted(set(found))


def _rule_name(session: Session, draft: Draft) -> str:
    """The name of a rule that exists: the caller knows it from the rules in use, or an alert does."""
    if draft.rule_name:
        return draft.rule_name
    query = select(Alert.rule_name).where(Alert.rule_id == draft.rule_id, *within(session)).limit(1)
    name = session.execute(query).scalar_one_or_none() if draft.rule_id else None
    if name is None:
        raise Invalid("there is no such rule", "the id of a rule in use, or of an alert", field="rule")
    return name


def _until(text: str, present: str) -> str:
    if not text:
        raise Invalid("until is missing", field="until")
    if text <= present:
        raise Invalid("the end has passed", field="until")
    if text > clock.shift(present, 86_400 * MOST_DAYS + 60):  # a minute for who typed "in 90 days"
        raise Invalid(f"a suppression ends within {MOST_DAYS} days", field="until")
    return text


def _reason(text: str) -> str:
    reason = text.strip().replace("\0", "").encode("utf-8", "replace").decode()
    if not reason:
        raise Invalid("reason is missing", field="reason")
    if len(reason) > MAX_REASON:
        raise Invalid(f"reason has at most {MAX_REASON} characters", field="reason")
    return reason


def _told(record: SuppressionRecord) -> dict[str, Any]:
    names = ("id", "rule_id", "rule_name", "reason", "owner", "until", "lifted_at", "lifted_by", "hits", "critical_ot")
    entities = [f"{kind}:{value}" for kind, value in record.entities]
    return {name: getattr(record, name) for name in names} | {"entities": entities}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
