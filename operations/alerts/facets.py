"""Facet counts for the queue, and the figures of the overview."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import orjson
from sqlalchemy import func, literal_column, select, union_all
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from kernel.detection import LEVELS
from kernel.event import timestamp
from operations import clock
from operations.alerts.listing import (
    finds_ids_first,
    kept_conditions,
    kept_count,
    many_say,
    matching_ids,
    sample_of,
    sample_query,
    within,
)
from operations.alerts.models import STATUSES, Alert, AlertCount
from operations.alerts.schema import UNASSIGNED, AlertFilter, Facet, FacetValue, TimelineBar
from operations.alerts.zone_counts import Counts, counts_seen
from operations.errors import Invalid
from operations.reach import zones_seen

SAMPLE = 5_000
"""So many of the newest matching alerts are counted where the kept counts do not know the answer."""
SAMPLE_OF_MORE = 2_000
"""So many of those that are known to be more than that: the numbers are a sample anyway."""
SAMPLE_TEXT = 1_000
"""Less where many have the text that is sought: each alert is then read."""
SAMPLE_SCOPED = 300
"""Less for who sees some zones only: each alert is then looked at on its own."""
MANY = 5_000
"""Kept counts of one dimension that are grouped at once; more of them take tens of milliseconds."""

DIMENSIONS: tuple[str, ...] = ("status", "level", "engine", "rule", "host", "tag", "assignee", "verdict")
_ORDERED = {"status": STATUSES, "level": tuple(reversed(LEVELS))}
_OF_ZONES = {"status": 0, "level": 1, "assignee": 2}
"""What the kept counts of zones know: the place in their keys."""
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
    others = {}
    for dimension in dimensions:
        if dimension not in DIMENSIONS:
            raise Invalid(f"there is no facet {dimension!r}", f"one of {', '.join(DIMENSIONS)}", field="facet")
        others[dimension] = msgspec.structs.replace(where, **{dimension: ()})
    kept = {dimension: rest for dimension, rest in others.items() if _is_kept(session, dimension, rest)}
    later = _too_many(session, [dimension for dimension in kept if dimension not in _ORDERED]) if quick else set()
    found = {dimension: Facet(dimension, [], later=True) for dimension in later}
    found |= _kept(session, {dimension: rest for dimension, rest in kept.items() if dimension not in later}, limit)
    cache: dict[AlertFilter, tuple[dict[str, Counter[str]], dict[str, str], bool]] = {}
    for dimension, rest in others.items():
        if dimension in found:
            continue
        seen = counts_seen(session, rest, by_assignee=dimension == "assignee") if dimension in _OF_ZONES else None
        if seen is not None:
            found[dimension] = _seen(dimension, seen, limit)
            continue
        if rest not in cache:
            cache[rest] = _sampled(session, rest, once=rest != where)
        counters, labels, exact = cache[rest]
        found[dimension] = Facet(dimension, _values(dimension, counters[dimension], labels, limit), exact)
    return [found[dimension] for dimension in dimensions]


def sample_size(session: Session, where: AlertFilter = AlertFilter()) -> int:
    """How many alerts are counted for this session where the kept counts do not know the answer."""
    if zones_seen(session) is not None:
        return SAMPLE_SCOPED
    if many_say(session, where):
        return SAMPLE_TEXT
    return SAMPLE_OF_MORE if (kept_count(session, where) or 0) > SAMPLE else SAMPLE


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


def _is_kept(session: Session, dimension: str, others: AlertFilter) -> bool:
    """Whether the kept counts know the values of a dimension: all of them beside status and level, those two beside any one."""
    if zones_seen(session) is not None:
        return False
    if others == AlertFilter(status=others.status, level=others.level):
        return True
    return dimension in _ORDERED and kept_conditions(others) is not None


def _too_many(session: Session, dimensions: list[str]) -> set[str]:
    """Those that have more kept counts than a page should wait for."""
    if not dimensions:
        return set()
    counted = [select(AlertCount.dimension).where(AlertCount.dimension == dimension) for dimension in dimensions]
    row = session.execute(select(*(query.offset(MANY).limit(1).scalar_subquery() for query in counted))).one()
    return {dimension for dimension in row if dimension is not None}


def _kept(session: Session, wanted: dict[str, AlertFilter], limit: int) -> dict[str, Facet]:
    """From the kept counts, which know every combination of status and level; all dimensions by one statement."""
    if not wanted:
        return {}
    parts = [select(_kept_query(dimension, others, limit).subquery()) for dimension, others in wanted.items()]
    found: dict[str, dict[str, tuple[int, str]]] = {dimension: {} for dimension in wanted}
    for dimension, value, count, label in session.execute(union_all(*parts)):
        found[dimension][value] = (int(count), label)
    return {
        dimension: Facet(
            dimension,
            _values(
                dimension,
                Counter({value: count for value, (count, _) in values.items()}),
                {value: label for value, (_, label) in values.items()},
                limit,
            ),
        )
        for dimension, values in found.items()
    }


def _kept_query(dimension: str, others: AlertFilter, limit: int) -> Any:
    value = {"status": AlertCount.status, "level": AlertCount.level}.get(dimension, AlertCount.value)
    total = func.sum(AlertCount.count)
    label: ColumnElement[str] = func.max(AlertCount.label) if dimension == "rule" else literal_column("''")
    conditions = kept_conditions(others, "" if dimension in _ORDERED else dimension) or []
    query: Any = select(
        literal_column(f"'{dimension}'").label("dimension"), value.label("value"), total.label("total"), label.label("label")
    )
    return query.where(*conditions).group_by(value).having(total > 0).order_by(total.desc(), value).limit(max(limit, 12))


def _seen(dimension: str, counts: Counts, limit: int) -> Facet:
    """Values of a dimension of the alerts in one's zones."""
    counter: Counter[str] = Counter()
    for key, number in counts.items():
        counter[key[_OF_ZONES[dimension]]] += number
    return Facet(dimension, _values(dimension, +counter, {}, limit))


def _sampled(session: Session, where: AlertFilter, *, once: bool) -> tuple[dict[str, Counter[str]], dict[str, str], bool]:
    """``once``: nothing else of the page asks for the same alerts."""
    most = sample_size(session, where)
    if not once and finds_ids_first(session, where):
        ids = matching_ids(session, where, most + 1)
        result, exact = session.execute(sample_of(session, ids[:most])), len(ids) <= most
        names, rows = list(result.keys()), result.all()
    else:
        result = session.execute(sample_query(session, where, most + 1))
        names, rows = list(result.keys()), result.all()
        exact = len(rows) <= most
    columns = dict(zip(names, zip(*rows[:most], strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    counters = {dimension: Counter(columns[column]) for dimension, column in _COLUMN.items()}
    if nobody := counters["assignee"][None]:
        counters["assignee"][UNASSIGNED] = nobody
    for counter in counters.values():
        del counter[None]
    counters["tag"] = Counter()
    for tags, number in Counter(columns["tags"]).items():
        counters["tag"].update(dict.fromkeys(orjson.loads(tags), number))
    return counters, dict(zip(columns["rule_id"], columns["rule_name"], strict=True)), exact


def _values(dimension: str, counter: Counter[str], labels: dict[str, str], limit: int) -> list[FacetValue]:
    order = _ORDERED.get(dimension)
    if order is not None:
        return [FacetValue(value, counter[value]) for value in order if counter[value]]
    ranked = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))[:limit]
    return [FacetValue(value, count, labels.get(value, "")) for value, count in ranked]
