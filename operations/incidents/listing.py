"""The list of incidents: filtered, sorted, keyset-paged; and its facets."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import msgspec
import orjson
from sqlalchemy import ColumnElement, Integer, Select, String, and_, exists, func, literal_column, or_, select, tuple_, union
from sqlalchemy.orm import Session

from operations import clock
from operations.alerts.schema import Count
from operations.errors import Invalid
from operations.incidents.hidden import hidden
from operations.incidents.models import Incident, IncidentZone
from operations.incidents.phases import OPEN
from operations.incidents.places import within
from operations.incidents.reading import COLUMNS, row_of
from operations.incidents.schema import IncidentFilter, IncidentPage
from operations.reach import zones_seen
from operations.title_search import titled

MAX_PAGE = 500
COUNT_LIMIT = 10_000
COUNT_LIMIT_SCOPED = 1_000
FACET_LIMIT = 20
SAMPLE = 1000
"""So many of the newest matches are counted for facets."""
UNASSIGNED = "-"
_CURSOR = re.compile(r"([0-9TZ:.-]{0,27})~([0-9]{1,18})")
SORTS: tuple[str, ...] = ("newest", "due", "level")
LEVEL: ColumnElement[Any] = literal_column("coalesce(nullif(incidents.level, 0), incidents.suggested_level)", Integer)
"""The decided level, else the suggested one; written out, so that the index on it is used."""
DUE: ColumnElement[Any] = literal_column("coalesce(nullif(incidents.next_due, ''), '9999-12-31T23:59:59.999999Z')", String(27))
"""The earliest running deadline, the end of time where none runs; written out, so that the index on it is used."""
_COLUMNS: tuple[str, ...] = ("phase", "level", "severity", "class_code", "assignee")
DIMENSIONS: tuple[str, ...] = (*_COLUMNS, "zone")
_FACETS: tuple[str, ...] = (*_COLUMNS, "zones")
ZONES_APART = 16
"""The newest of so many zones are read zone by zone; of more, the newest of all are walked until enough of them match."""


def list_incidents(
    session: Session, where: IncidentFilter = IncidentFilter(), *, sort: str = "newest", limit: int = 50, cursor: str = ""
) -> IncidentPage:
    """One page. ``sort``: newest (id), due (earliest running deadline first), level (highest first). Raises Invalid."""
    limit = max(1, min(limit, MAX_PAGE))
    key, descending = _key(sort)
    places = select(Incident.id).where(*_all(session, where, sort=sort), *_within(session, where))
    if cursor:
        places = places.where(_after(cursor, key, descending))
    order = (key.desc(), Incident.id.desc()) if descending else (key.asc(), Incident.id.desc())
    # The indexes hold what is filtered and sorted by; whole rows are fetched for those of the page only.
    chosen = Incident.id.in_(places.order_by(*order).limit(limit + 1))
    found = session.execute(select(*COLUMNS, key.label("place")).where(chosen).order_by(*order)).all()
    now = clock.now()
    rows = [row_of(session, row, now) for row in found[:limit]]
    more = len(found) > limit
    return IncidentPage(rows, f"{found[limit - 1].place}~{found[limit - 1].id}" if more else "", hidden(session))


def count_incidents(session: Session, where: IncidentFilter = IncidentFilter()) -> Count:
    """How many match, counted up to COUNT_LIMIT; up to COUNT_LIMIT_SCOPED for who sees some zones only."""
    most = COUNT_LIMIT if zones_seen(session) is None else COUNT_LIMIT_SCOPED
    zones = _zones_alone(session, where)
    if zones:
        named = select(IncidentZone.incident_id).where(IncidentZone.zone.in_(zones))
        inner = (named.distinct() if len(zones) > 1 else named).limit(most + 1).subquery()
    else:
        conditions = _all(session, msgspec.structs.replace(where, zone=()))
        if where.zone:  # a list walks its order and looks whether each names the zone; a count is quicker from the zone's side
            conditions.append(Incident.id.in_(select(IncidentZone.incident_id).where(IncidentZone.zone.in_(where.zone))))
        inner = select(Incident.id).where(*conditions, *_within(session, where)).limit(most + 1).subquery()
    return Count.up_to(most, session.execute(select(func.count()).select_from(inner)).scalar_one())


def facets(session: Session, where: IncidentFilter) -> dict[str, list[tuple[str, int]]]:
    """The most frequent values of each dimension among the newest SAMPLE matches, the filter on the dimension itself left out."""
    return _facets(session, where)[0]


def facets_and_count(session: Session, where: IncidentFilter) -> tuple[dict[str, list[tuple[str, int]]], Count]:
    """:func:`facets`, and :func:`count_incidents` where the facets have not read all that match anyway."""
    found, matches = _facets(session, where)
    if matches is None or (len(matches) == SAMPLE and zones_seen(session) is None):
        return found, count_incidents(session, where)
    return found, Count(len(matches), exact=len(matches) < SAMPLE)


def _facets(session: Session, where: IncidentFilter) -> tuple[dict[str, list[tuple[str, int]]], list[Any] | None]:
    """The facets, and the newest matches of the whole filter where a facet needed them."""
    shared: list[Any] | None = None
    found: dict[str, list[tuple[str, int]]] = {}
    for name in DIMENSIONS:
        if getattr(where, name):
            rows = _sample(session, where, name)
        else:  # dimensions without a filter of their own count the same incidents
            rows = shared = _sample(session, where, "") if shared is None else shared
        counted = _zones(session, rows) if name == "zone" else _count(rows, _FACETS.index(name))
        found[name] = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:FACET_LIMIT]
    return found, shared


def _sample(session: Session, where: IncidentFilter, without: str) -> list[Any]:
    """The newest SAMPLE matches, _FACETS of each; the filter on the dimension ``without`` left out."""
    columns = [getattr(Incident, name) for name in _FACETS]
    return list(session.connection().execute(select(*columns).where(Incident.id.in_(_newest(session, where, without)))).all())


def _newest(session: Session, where: IncidentFilter, without: str) -> Select[Any]:
    """Ids of these matches."""
    zones = _zones_alone(session, where, without)
    if 0 < len(zones) <= ZONES_APART:
        first = (IncidentZone.created_at.desc(), IncidentZone.incident_id.desc())
        columns = (IncidentZone.incident_id.label("id"), IncidentZone.created_at)
        each = [select(*columns).where(IncidentZone.zone == zone).order_by(*first).limit(SAMPLE).subquery() for zone in zones]
        found = union(*(select(one) for one in each)).subquery() if len(each) > 1 else each[0]
        return select(found.c.id).order_by(found.c.created_at.desc(), found.c.id.desc()).limit(SAMPLE)
    kept = [condition for dimension, condition in _conditions(session, where) if dimension != without]
    ids = select(Incident.id).where(*kept, *_within(session, where, without))
    return ids.order_by(Incident.created_at.desc(), Incident.id.desc()).limit(SAMPLE)


def _zones_alone(session: Session, where: IncidentFilter, without: str = "") -> list[str]:
    """Zones, one of which an incident has to name to match, where nothing else is asked of it; else none."""
    seen, asked = zones_seen(session), () if without == "zone" else where.zone
    left_out: dict[str, Any] = {"zone": (), **({without: ()} if without else {})}
    if msgspec.structs.replace(where, **left_out) != IncidentFilter():
        return []
    if asked:
        return sorted(set(asked)) if seen is None or seen.issuperset(asked) else []
    return sorted(seen or ())


def _count(rows: list[Any], place: int) -> Counter[str]:
    counted: Counter[str] = Counter()
    for value, number in Counter(row[place] for row in rows).items():
        counted[str(value)] += number
    return counted


def _zones(session: Session, rows: list[Any]) -> Counter[str]:
    """Zones of these incidents that may be seen."""
    seen = zones_seen(session)
    counted: Counter[str] = Counter()
    for named, number in _count(rows, _FACETS.index("zones")).items():
        for zone in orjson.loads(named):
            if seen is None or zone in seen:
                counted[zone] += number
    return counted


def _within(session: Session, where: IncidentFilter, without: str = "") -> list[ColumnElement[bool]]:
    """What of it may be seen. An incident that names a zone that is seen is seen: then it need not be asked a second time."""
    seen = zones_seen(session)
    if seen is not None and where.zone and seen.issuperset(where.zone) and without != "zone":
        return []
    return within(session)


def _all(session: Session, where: IncidentFilter, *, sort: str = "") -> list[ColumnElement[bool]]:
    """All conditions of the filter; ``sort``: of the list, "" = none."""
    return [condition for _dimension, condition in _conditions(session, where, sort)]


def _conditions(session: Session, where: IncidentFilter, sort: str = "") -> list[tuple[str, ColumnElement[bool]]]:
    found: list[tuple[str, ColumnElement[bool]]] = []
    # SQLite's planner takes the index of phases or of drills wherever the column is named plainly. Few incidents have a deadline
    # that runs: the index of deadlines leads to them quicker. Most are closed and no drill: the order of the list is to be walked,
    # instead of sorting them all. PostgreSQL knows how many there are, and has to be asked plainly.
    sqlite = session.get_bind().dialect.name == "sqlite"
    in_order = sort == "due" or (sort == "level" and "closed" in where.phase)
    few_first = sqlite and (bool(where.clock) or in_order)
    for name in ("phase", "level", "severity", "class_code"):
        values = getattr(where, name)
        column = getattr(Incident, name)
        if values:
            found.append((name, (column.concat("") if few_first and name == "phase" else column).in_(values)))
    if where.assignee:
        found.append(("assignee", Incident.assignee.in_(["" if name == UNASSIGNED else name for name in where.assignee])))
    if where.zone:
        found.append(("zone", exists().where(IncidentZone.incident_id == Incident.id, IncidentZone.zone.in_(where.zone))))
    if where.drill is not None:
        hide = few_first or (sqlite and not where.drill)
        drill = func.coalesce(Incident.drill, where.drill) if hide else Incident.drill
        found.append(("drill", drill.is_(where.drill)))
    now = clock.now()
    if where.clock == "overdue":
        found.append(("clock", now > DUE))
    elif where.clock == "soon":
        found.append(("clock", and_(now <= DUE, clock.shift(now, 3600) > DUE)))
    elif where.clock:
        raise Invalid(f"there is no clock state {where.clock[:32]!r}", "overdue or soon", field="clock")
    spoken = Incident.number.concat(literal_column("' '")).concat(Incident.title)  # as in its index (migration 0039)
    found += [("text", condition) for condition in titled(session, "incident_title", Incident.id, spoken, where.text)]
    if where.start:
        found.append(("start", Incident.detected_at >= where.start))
    if where.end:
        found.append(("end", Incident.detected_at < where.end))
    return found


def _key(sort: str) -> tuple[ColumnElement[Any], bool]:
    if sort == "newest":
        return Incident.created_at.expression, True
    if sort == "due":
        return DUE, False
    if sort == "level":
        return LEVEL, False
    raise Invalid(f"there is no order {sort[:32]!r}", f"one of {', '.join(SORTS)}", field="sort")


def _after(cursor: str, key: ColumnElement[Any], descending: bool) -> ColumnElement[bool]:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    place: Any = match[1]
    number = int(match[2])
    if key is LEVEL:
        if not place.isdecimal():
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        place = int(place)
    if descending:
        return tuple_(key, Incident.id) < tuple_(place, number)
    return or_(key > place, and_(key == place, Incident.id < number))


def open_names(session: Session, most: int) -> list[tuple[int, str, str]]:
    """Id, number and title of the newest open incidents, to choose one of."""
    query = select(Incident.id, Incident.number, Incident.title).where(Incident.phase.in_(OPEN), *within(session))
    found = session.execute(query.order_by(Incident.created_at.desc(), Incident.id.desc()).limit(most))
    return [(row.id, row.number, row.title) for row in found]


def open_filter(**more: Any) -> IncidentFilter:
    """Everything that is not closed."""
    return IncidentFilter(phase=OPEN, **more)
