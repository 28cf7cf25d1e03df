"""Facet counts for the queue, and the figures of the overview."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import msgspec
import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from kernel.detection import LEVELS
from kernel.event import timestamp
from operations import clock
from operations.alerts.listing import kept_conditions, many_say, sample_query, within
from operations.alerts.models import STATUSES, Alert, AlertCount
from operations.alerts.schema import UNASSIGNED, AlertFilter, Facet, FacetValue, TimelineBar
from operations.errors import Invalid
from operations.reach import zones_seen

SAMPLE = 5_000
"""So many of the newest matching alerts are counted where the kept counts do not know the answer."""
SAMPLE_TEXT = 1_000
"""Less where many have the text that is sought: each alert is then read."""
SAMPLE_SCOPED = 300
"""Less for who sees some zones only: each alert is then looked at on its own."""
MANY = 5_000
"""Kept counts of one dimension that are grouped at once; more of them take tens of milliseconds."""

DIMENSIONS: tuple[str, ...] = ("status", "level", "engine", "rule", "host", "tag", "assignee", "verdict")
_ORDERED = {"status": STATUSES, "level": tuple(reversed(LEVELS))}
_COLUMN = {name: name for name in ("status", "level", "engine", "host", "assignee", "verdict")} | {"rule": "rule_id"}


def facets(
    session: Session,
    where: AlertFilter = AlertFilter(),
    dimensions: tuple[str, ...] = DIMENSIONS,
    *,
    limit: int = 12,
    quick: bool = False,
) -> list[Facet]:
    """The most frequent values per dimension, each without the filter on itself (so that its other values can still be chosen).

    quick  dimensions with more than MANY kept counts are not counted, but marked as ``later``
    """
    cache: dict[AlertFilter, tuple[dict[str, Counter[str]], dict[str, str], bool]] = {}
    found = []
    for dimension in dimensions:
        if dimension not in DIMENSIONS:
            raise Invalid(f"there is no facet {dimension!r}", f"one of {', '.join(DIMENSIONS)}", field="facet")
        others = msgspec.structs.replace(where, **{dimension: ()})
        if zones_seen(session) is None and others == AlertFilter(status=others.status, level=others.level):
            later = quick and _many(session, dimension)
            found.append(Facet(dimension, [], later=True) if later else _kept(session, dimension, others, limit))
            continue
        kept = kept_conditions(others) if dimension in _ORDERED and zones_seen(session) is None else None
        if kept is not None:
            found.append(_kept_within(session, dimension, kept, limit))
            continue
        if others not in cache:
            cache[others] = _sampled(session, others)
        counters, labels, exact = cache[others]
        found.append(Facet(dimension, _values(dimension, counters[dimension], labels, limit), exact))
    return found


def sample_size(session: Session, where: AlertFilter = AlertFilter()) -> int:
    """How many alerts are counted for this session where the kept counts do not know the answer."""
    if zones_seen(session) is not None:
        return SAMPLE_SCOPED
    return SAMPLE_TEXT if many_say(session, where) else SAMPLE


def top(session: Session, dimension: str, *, start: str = "", end: str = "", limit: int = 10) -> list[FacetValue]:
    """The rules, hosts … with most alerts whose ``last_seen`` lies in the range (all alerts without one)."""
    return facets(session, AlertFilter(start=start, end=end), (dimension,), limit=limit)[0].values


def timeline(session: Session, start: str, end: str, *, bars: int = 48) -> list[TimelineBar]:
    """Alerts by level over ``[start, end)`` in equal slices, empty ones included."""
    first, last = clock.moment(start), clock.moment(end)
    if last <= first or not 1 <= bars <= 1000:
        raise Invalid("the time range is empty", field="end")
    step = (last - first) / bars
    edges = [timestamp(first + step * number) for number in range(bars)] + [end]
    result = [TimelineBar(edge, dict.fromkeys(LEVELS, 0)) for edge in edges[:-1]]
    # Grouped by minute (or hour) in the database, so that few rows come back; a slice is never finer than that.
    width = 16 if step < timedelta(hours=6) else 13
    unit = func.substr(Alert.last_seen, 1, width)
    query = (
        select(unit, Alert.level, func.count())
        .where(Alert.last_seen >= start, Alert.last_seen < end, *within(session))
        .group_by(unit, Alert.level)
    )
    for minute, level, number in session.execute(query):
        position = (clock.moment(_whole(minute)) - first) / step
        bar = result[max(0, min(bars - 1, int(position)))]
        bar.counts[level] = bar.counts.get(level, 0) + number
    return result


def _whole(prefix: str) -> str:
    return prefix + "0000-01-01T00:00:00.000000Z"[len(prefix) :]


def _many(session: Session, dimension: str) -> bool:
    """True where a dimension has more kept counts than a page should wait for."""
    counted = select(AlertCount.dimension).where(AlertCount.dimension == dimension)
    return session.execute(counted.offset(MANY).limit(1)).first() is not None


def _kept(session: Session, dimension: str, where: AlertFilter, limit: int) -> Facet:
    """From the kept counts, which know every combination of status and level."""
    own = {"status": AlertCount.status, "level": AlertCount.level}.get(dimension)
    value, total = own if own is not None else AlertCount.value, func.sum(AlertCount.count)
    query = select(value, total, func.max(AlertCount.label)).where(
        AlertCount.dimension == ("all" if own is not None else dimension)
    )
    query = query.where(AlertCount.status.in_(where.status or STATUSES))
    if where.level:
        query = query.where(AlertCount.level.in_(where.level))
    query = query.group_by(value).having(total > 0).order_by(total.desc(), value).limit(max(limit, 12))
    rows = [(name, int(count), label) for name, count, label in session.execute(query)]
    labels = {name: label for name, _, label in rows} if dimension == "rule" else {}
    return Facet(dimension, _values(dimension, Counter({name: count for name, count, _ in rows}), labels, limit))


def _kept_within(session: Session, dimension: str, conditions: list[ColumnElement[bool]], limit: int) -> Facet:
    """Statuses or levels of what one further dimension leaves, which the kept counts of that dimension know."""
    column = AlertCount.status if dimension == "status" else AlertCount.level
    query = select(column, func.sum(AlertCount.count)).where(*conditions).group_by(column)
    counter = Counter({value: int(number) for value, number in session.execute(query)})
    return Facet(dimension, _values(dimension, counter, {}, limit))


def _sampled(session: Session, where: AlertFilter) -> tuple[dict[str, Counter[str]], dict[str, str], bool]:
    most = sample_size(session, where)
    result = session.execute(sample_query(session, where, most + 1))
    names, rows = list(result.keys()), result.all()
    columns = dict(zip(names, zip(*rows[:most], strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    counters = {dimension: Counter(columns[column]) for dimension, column in _COLUMN.items()}
    counters["assignee"][UNASSIGNED] = counters["assignee"][None]
    for counter in counters.values():
        del counter[None]
    counters["tag"] = Counter()
    for tags, number in Counter(columns["tags"]).items():
        counters["tag"].update(dict.fromkeys(orjson.loads(tags), number))
    return counters, dict(zip(columns["rule_id"], columns["rule_name"], strict=True)), len(rows) <= most


def _values(dimension: str, counter: Counter[str], labels: dict[str, str], limit: int) -> list[FacetValue]:
    order = _ORDERED.get(dimension)
    if order is not None:
        return [FacetValue(value, counter[value]) for value in order if counter[value]]
    ranked = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))[:limit]
    return [FacetValue(value, count, labels.get(value, "")) for value, count in ranked]
