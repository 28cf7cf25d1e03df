"""The queue: filtered, keyset-paged lists that stay quick at a million alerts.

Rules that keep it so (measured in benchmarks/alerts.py):
- a page is read in the order of an index ending in (last_seen, id); alternatives of status and level are read from one index
  range each and merged, because ``status IN (…) ORDER BY last_seen`` would sort or scan;
- a filter that few alerts pass (tag, host, entity, text) is turned into its ids first, and these are sorted; one that many pass is
  checked while walking the queue, which then soon fills a page;
- never OFFSET, never COUNT(*) without a bound, never the event.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Select, exists, func, literal_column, or_, select, tuple_, union_all
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from kernel.db.among import among as one_of
from operations.alerts.entities import normalise
from operations.alerts.models import STATUSES, Alert, AlertCount, AlertEntity, AlertTag
from operations.alerts.schema import UNASSIGNED, AlertFilter, AlertPage, AlertRow, Count
from operations.alerts.text import matching_ids as text_ids
from operations.alerts.text import matching_ids_of_zones as text_ids_of_zones
from operations.alerts.text import says, words_of
from operations.alerts.zone_counts import counts_seen
from operations.errors import Invalid
from operations.reach import zones_seen

FEW = 5000
"""A filter that at most this many alerts pass is resolved to ids first."""

TEXT_FEW = 5_000
"""The same for the text."""
TEXT_FEW_SCOPED = 30_000
"""As many may have the text where zones are few: of the alerts of those, FEW at most."""
TEXT_FEW_SHORT = 8_000
"""For a page alone, of SHORT rows at most, less of them there: more of them fill it sooner than they are listed."""
SHORT = 200

COUNT_LIMIT = 10_000
COUNT_LIMIT_SCOPED = 1_000
"""Less for who sees some zones only: each alert is then looked at on its own."""
COUNT_LIMIT_TEXT = 1_000
COUNT_LIMIT_TEXT_SCOPED = 300
"""Less again where more than TEXT_FEW have the text: each alert is then read."""

MAX_PAGE = 500

_CURSOR = re.compile(r"([0-9TZ:.-]{27})~([0-9]{1,18})")
_ALERTS = Alert.__table__
_Range = tuple[list[ColumnElement[bool]], list[ColumnElement[Any]]]
"""Conditions that bound a range of an index, and what its order begins with."""

_FACETED = ("id", "last_seen", "status", "level", "engine", "rule_id", "rule_name", "host", "assignee", "verdict", "tags")
_COUNTED = ("engine", "rule", "host", "assignee", "verdict", "tag")


def list_alerts(
    session: Session, where: AlertFilter = AlertFilter(), *, limit: int = 50, cursor: str = "", oldest_first: bool = False
) -> AlertPage:
    """One page, newest ``last_seen`` first. ``cursor`` comes from the page before; raises Invalid where it does not."""
    limit = max(1, min(limit, MAX_PAGE))
    ids = None if cursor or oldest_first else _known_ids(session, where, limit + 1)
    if ids is None:
        query = _page_query(session, where, limit + 1, cursor, oldest_first, list(_ALERTS.c))
    else:
        query = select(*_ALERTS.c).where(among(session, ids)).order_by(*_order(_ALERTS.c, oldest_first))
    rows = [row_of(row) for row in session.execute(query)]
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return AlertPage(rows[:limit], f"{last.last_seen}~{last.id}" if last else "")


def matching_ids(session: Session, where: AlertFilter, limit: int) -> list[int]:
    """Ids of the newest ``limit`` alerts that match, newest first; found once for a snapshot, which counts and shows them, too."""
    ids = _known_ids(session, where, limit)
    if ids is None:
        query = _page_query(session, where, limit, "", False, [_ALERTS.c.id, _ALERTS.c.last_seen])
        ids = [row.id for row in session.execute(query)]
        session.info.get("snapshot", {})["alert_ids", where] = (ids, limit)
    return ids


def _known_ids(session: Session, where: AlertFilter, limit: int) -> list[int] | None:
    """The newest ``limit`` where this snapshot has found so many already, or all."""
    ids, asked = session.info.get("snapshot", {}).get(("alert_ids", where), ((), 0))
    return list(ids[:limit]) if asked and (limit <= asked or len(ids) < asked) else None


def finds_ids_first(session: Session, where: AlertFilter) -> bool:
    """Whether finding alerts takes longer than reading them: then a page finds the ids once for all that it shows."""
    return zones_seen(session) is not None or _few_ids(session, where) is not None or many_say(session, where)


def matching_versions(session: Session, where: AlertFilter, limit: int) -> list[tuple[int, int]]:
    """Id and version of the newest ``limit`` alerts that match."""
    columns = [_ALERTS.c.id, _ALERTS.c.last_seen, _ALERTS.c.version]
    return [(row.id, row.version) for row in session.execute(_page_query(session, where, limit, "", False, columns))]


def sample_query(session: Session, where: AlertFilter, limit: int, names: Sequence[str] = _FACETED) -> Select[Any]:
    """The newest ``limit`` matching alerts, as a query for columns, among them id and last_seen: those that facets count."""
    return _page_query(session, where, limit, "", False, _columns(names), ordered=False)


def sample_of(session: Session, ids: list[int]) -> Select[Any]:
    """These alerts, as a query for the columns that facets count."""
    return select(*_columns(_FACETED)).where(among(session, ids))


def _columns(names: Sequence[str]) -> list[ColumnElement[Any]]:
    return [_ALERTS.c[name] for name in names]


def count_alerts(session: Session, where: AlertFilter = AlertFilter()) -> Count:
    """How many match: exact where the kept counts know it, else counted up to one of the limits above."""
    known = kept_count(session, where)
    if known is not None:
        return Count(known)
    most = COUNT_LIMIT if zones_seen(session) is None else COUNT_LIMIT_SCOPED
    if many_say(session, where):
        if zones_seen(session) is None and where == AlertFilter(text=where.text):
            return Count(TEXT_FEW, exact=False)
        most = COUNT_LIMIT_TEXT if zones_seen(session) is None else COUNT_LIMIT_TEXT_SCOPED
    if _few_ids(session, where) is not None or many_say(session, where):
        return Count.up_to(most, len(matching_ids(session, where, most + 1)))
    inner = _page_query(session, where, most + 1, "", False, [_ALERTS.c.id, _ALERTS.c.last_seen], ordered=False).subquery()
    number = session.execute(select(func.count()).select_from(inner)).scalar_one()
    return Count.up_to(most, number)


def many_say(session: Session, where: AlertFilter) -> bool:
    """Whether a text is sought that too many alerts have to list them."""
    words = words_of(where.text)
    return bool(words) and _text_ids(session, words) is None


def latest_id(session: Session) -> int:
    """The highest alert id, 0 when there is none; remember it to ask :func:`new_since`."""
    return session.execute(select(func.max(_ALERTS.c.id))).scalar_one() or 0


def new_since(session: Session, where: AlertFilter, alert_id: int) -> Count:
    """How many matching alerts were made after ``alert_id`` (for "n new alerts"), counted up to 1,000."""
    conditions = [*_plain(where), *_conditions(where), *_large(session, where), *within(session)]
    inner = select(_ALERTS.c.id).where(_ALERTS.c.id > alert_id, *conditions).limit(1001).subquery()
    number = session.execute(select(func.count()).select_from(inner)).scalar_one()
    return Count.up_to(1000, number)


def _page_query(
    session: Session, where: AlertFilter, limit: int, cursor: str, oldest_first: bool, columns: list[Any], *, ordered: bool = True
) -> Select[Any]:
    """The query for one page; selects ``columns``, which must hold id and last_seen. Not ``ordered``: in any order."""
    seen, key = _ALERTS.c.last_seen, _ALERTS.c.id
    order = _order(_ALERTS.c, oldest_first)
    base = _conditions(where)
    if cursor:
        base.append(_after(cursor, oldest_first))
    few = _few_ids(session, where, short=limit <= SHORT)
    if few is not None:
        base += [among(session, few), *_plain(where, indexed=False)]
        if len(columns) == 2:
            return select(*columns).where(*base).order_by(*order).limit(limit)
        places = select(key).where(*base).order_by(*order).limit(limit)
        return select(*columns).where(key.in_(places)).order_by(*order)  # so that whole rows are not sorted to drop most of them
    base += [*within(session), *_large(session, where, walked=limit <= SHORT)]
    ranges = _ranges(where, oldest_first)
    if len(ranges) == 1:
        only, first = ranges[0]
        return select(*columns).where(*only, *base).order_by(*first, *order).limit(limit)
    # Only the places are merged, which the indexes hold; the rows are fetched for those that stay.
    parts = [
        select(select(key, seen).where(*part, *base).order_by(*first, *order).limit(limit).subquery()) for part, first in ranges
    ]
    every = union_all(*parts).subquery()
    if len(columns) == 2 and not ordered:
        return select(every).limit(limit)  # whichever are found first: enough for a count
    places = select(every).order_by(*_order(every.c, oldest_first)).limit(limit)
    if len(columns) == 2:
        return places
    merged = places.subquery()
    chosen = select(*columns).select_from(merged).join(_ALERTS, key == merged.c.id)
    return chosen.order_by(*_order(merged.c, oldest_first)) if ordered else chosen


def within(session: Session) -> list[ColumnElement[bool]]:
    """Only alerts that name a zone which this session may see; no condition for who may see all (operations.reach)."""
    zones = zones_seen(session)
    if zones is None:
        return []
    # The kind as a constant: PostgreSQL's index of zones (migration 0041) is only of them.
    kind = AlertEntity.kind == literal_column("'zone'")
    return [exists().where(AlertEntity.alert_id == _ALERTS.c.id, kind, AlertEntity.value.in_(sorted(zones)))]


def _order(columns: Any, oldest_first: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The order of the queue."""
    seen, key = columns.last_seen, columns.id
    return (seen.asc(), key.asc()) if oldest_first else (seen.desc(), key.desc())


def _conditions(where: AlertFilter) -> list[ColumnElement[bool]]:
    """Conditions on columns of the row other than status, level and assignee."""
    found: list[ColumnElement[bool]] = []
    columns: tuple[tuple[ColumnElement[Any], tuple[Any, ...]], ...] = (
        (_ALERTS.c.engine, where.engine),
        (_ALERTS.c.rule_id, where.rule),
        (_ALERTS.c.host, tuple(normalise("host", value) for value in where.host)),
        (_ALERTS.c.verdict, where.verdict),
        (_ALERTS.c.suppressed_by, where.suppression),
        (_ALERTS.c.merged_into, where.lead),
    )
    for column, values in columns:
        if len(values) == 1:
            found.append(column == values[0])
        elif values:
            found.append(column.in_(values))
    if where.start:
        found.append(_ALERTS.c.last_seen >= where.start)
    if where.end:
        found.append(_ALERTS.c.last_seen < where.end)
    return found


def _plain(where: AlertFilter, *, indexed: bool = True) -> list[ColumnElement[bool]]:
    """Conditions on status, level and assignee; ``indexed`` False keeps the planner from walking the index of the first two where
    the ids are known."""
    found: list[ColumnElement[bool]] = []
    for column, values in ((_ALERTS.c.status, where.status), (_ALERTS.c.level, where.level)):
        if values:
            found.append((column if indexed else column.concat("")).in_(values))
    if where.assignee:
        names = [name for name in where.assignee if name != UNASSIGNED]
        alternatives: list[ColumnElement[bool]] = [_ALERTS.c.assignee.in_(names)] if len(names) > 1 else []
        if len(names) == 1:
            alternatives.append(_ALERTS.c.assignee == names[0])
        if UNASSIGNED in where.assignee:
            alternatives.append(_ALERTS.c.assignee.is_(None))
        found.append(or_(*alternatives))
    return found


def _ranges(where: AlertFilter, oldest_first: bool) -> list[_Range]:
    """Each alternative of status, level and assignee as the range of the index that serves it."""
    if where.rule or where.suppression or where.lead:  # their indexes lead to far fewer rows; the others are checked there
        return [(_plain(where), [])]
    statuses, levels = where.status, where.level
    if statuses and set(statuses) >= set(STATUSES):
        statuses = ()
    if where.assignee:
        return _assigned(where.assignee, statuses or STATUSES, levels, oldest_first)
    if statuses and levels:
        pairs = itertools.product(statuses, levels)
        return [([_ALERTS.c.status == status, _ALERTS.c.level == level], []) for status, level in pairs]
    if statuses:
        return [([_ALERTS.c.status == status], []) for status in statuses]
    return [([_ALERTS.c.level == level], []) for level in levels] or [([], [])]


def _assigned(assignees: Iterable[str], statuses: Iterable[str], levels: tuple[str, ...], oldest_first: bool) -> list[_Range]:
    """Ranges of (assignee, status). Of the many that nobody has, a level is found by its own index."""
    found: list[_Range] = []
    # The level as an expression, or SQLite takes the index of status and level, and walks what others have.
    column, level = _ALERTS.c.assignee, [_ALERTS.c.level.concat("").in_(levels)] if levels else []
    # PostgreSQL does not take IS NULL for a constant: only with the column in the order it walks the index.
    first: list[ColumnElement[Any]] = [column.asc() if oldest_first else column.desc()]
    for status in statuses:
        of_status = _ALERTS.c.status == status
        for name in assignees:
            if name != UNASSIGNED:
                found.append(([column == name, of_status, *level], []))
            elif levels:
                found += [([of_status, _ALERTS.c.level == one, column.is_(None)], []) for one in levels]
            else:
                found.append(([column.is_(None), of_status], first))
    return found


def _few_ids(session: Session, where: AlertFilter, *, short: bool = False) -> list[int] | None:
    """Ids that may be seen and pass all of tag, host, entity and text, where one of these lets at most FEW through; None where none
    does.

    short  SHORT of them are asked for at most: then they are sooner found without
    """
    if not (where.tag or where.host or where.entity or where.text):
        return None
    snapshot: dict[Any, list[int] | None] = session.info.get("snapshot", {})
    keys = [("alert_few", where.tag, where.host, where.entity, where.text, less) for less in (False, True)]
    if keys[short] not in snapshot and keys[0] not in snapshot:
        snapshot[keys[short]] = _find_few(session, where, short=short)
    return snapshot[keys[short]] if keys[short] in snapshot else snapshot[keys[0]]


def _find_few(session: Session, where: AlertFilter, *, short: bool) -> list[int] | None:
    sets: list[set[int]] = []
    unresolved = False
    checks = within(session)
    words = words_of(where.text)
    if words:
        ids = _text_ids(session, words, short=short)
        unresolved |= ids is None
        if ids is not None:
            sets.append(set(ids))
            checks = []  # only those that may be seen are among them
    for query in _side_queries(where):
        found = list(session.execute(query.limit(FEW + 1)).scalars())
        unresolved |= len(found) > FEW
        sets += [set(found)] if len(found) <= FEW else []
    if not sets:
        return None
    few = set.intersection(*sets)
    checks = [*checks, *_large(session, where)] if unresolved else checks
    if checks and few:
        # What was too large to list is checked on the few: by primary key, so it costs little.
        few &= set(session.execute(select(_ALERTS.c.id).where(among(session, sorted(few)), *checks)).scalars())
    return sorted(few)


def _text_ids(session: Session, words: list[str], *, short: bool = False) -> list[int] | None:
    """Ids of the alerts with these words, of those that may be seen; None where they are too many."""
    zones = zones_seen(session)
    if zones is None:
        return text_ids(session, words, TEXT_FEW)
    most = TEXT_FEW_SHORT if short else TEXT_FEW_SCOPED
    return text_ids_of_zones(session, words, zones, most_with_words=most, limit=FEW)


def among(session: Session, ids: list[int]) -> ColumnElement[bool]:
    """True for alerts with one of ``ids``."""
    return one_of(session, _ALERTS.c.id, ids)


def _side_queries(where: AlertFilter) -> list[Select[Any]]:
    queries: list[Select[Any]] = []
    if where.tag:
        queries.append(select(AlertTag.alert_id).distinct().where(AlertTag.tag.in_(where.tag)))
    if where.host:
        names = [normalise("host", value) for value in where.host]
        queries.append(select(AlertEntity.alert_id).distinct().where(AlertEntity.kind == "host", AlertEntity.value.in_(names)))
    for kind, value in where.entity:
        normal = normalise(kind, value) or value
        queries.append(select(AlertEntity.alert_id).where(AlertEntity.kind == kind, AlertEntity.value == normal))
    return queries


def _large(session: Session, where: AlertFilter, *, walked: bool = True) -> list[ColumnElement[bool]]:
    """Tag, entity and text as conditions checked per row while walking the queue; not ``walked``: the text may be found first."""
    found: list[ColumnElement[bool]] = []
    if where.tag:
        found.append(exists().where(AlertTag.alert_id == _ALERTS.c.id, AlertTag.tag.in_(where.tag)))
    for kind, value in where.entity:
        normal = normalise(kind, value) or value
        same = (AlertEntity.alert_id == _ALERTS.c.id, AlertEntity.kind == kind, AlertEntity.value == normal)
        found.append(exists().where(*same))
    words = words_of(where.text)
    if words:
        found.append(says(session, _ALERTS.c.id, words, by_row=walked))
    return found


def _after(cursor: str, oldest_first: bool) -> ColumnElement[bool]:
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    here, there = tuple_(_ALERTS.c.last_seen, _ALERTS.c.id), tuple_(match[1], int(match[2]))
    return here > there if oldest_first else here < there


def kept_conditions(where: AlertFilter, dimension: str = "") -> list[ColumnElement[bool]] | None:
    """Rows of the kept counts that together are what matches: exact for status and level, with at most one further dimension that
    an alert has only once. None where the kept counts do not know it.

    dimension  the rows of this one, where no other is asked for
    """
    if where.entity or where.text or where.start or where.end or where.suppression or where.lead:
        return None
    used = [name for name in _COUNTED if getattr(where, name)]
    if len(used) > 1 or (used == ["tag"] and len(where.tag) > 1):
        return None
    found = [AlertCount.dimension == (used[0] if used else dimension or "all"), AlertCount.status.in_(where.status or STATUSES)]
    if where.level:
        found.append(AlertCount.level.in_(where.level))
    if used:
        values = getattr(where, used[0])
        found.append(AlertCount.value.in_([normalise("host", v) for v in values] if used == ["host"] else values))
    return found


def kept_count(session: Session, where: AlertFilter) -> int | None:
    """How many match, where kept counts know it: for who sees some zones only, those of status, level and assignee."""
    snapshot: dict[Any, int | None] = session.info.get("snapshot", {})
    key = ("alert_kept", where)
    if key not in snapshot:
        snapshot[key] = _kept_count(session, where) if zones_seen(session) is None else _kept_count_seen(session, where)
    return snapshot[key]


def _kept_count(session: Session, where: AlertFilter) -> int | None:
    conditions = kept_conditions(where)
    if conditions is None:
        return None
    return int(session.execute(select(func.coalesce(func.sum(AlertCount.count), 0)).where(*conditions)).scalar_one())


def _kept_count_seen(session: Session, where: AlertFilter) -> int | None:
    counts = counts_seen(session, where)
    return None if counts is None else sum(counts.values())


def row_of(row: Any) -> AlertRow:
    """The record of a selected row of ``alerts``."""
    return AlertRow(
        id=row.id,
        rule_id=row.rule_id,
        rule_name=row.rule_name,
        engine=row.engine,
        level=row.level,
        status=row.status,
        verdict=row.verdict,
        assignee=row.assignee,
        count=row.count,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        created_at=row.created_at,
        updated_at=row.updated_at,
        host=row.host,
        user=row.user_name,
        source_ip=row.source_ip,
        destination_ip=row.destination_ip,
        dataset=row.dataset,
        source=row.source,
        tags=orjson.loads(row.tags),
        version=row.version,
        suppressed_by=row.suppressed_by,
        merged_into=row.merged_into,
    )
