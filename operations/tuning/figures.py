"""Figures of rules over a period, from the counts kept beside the alerts (operations.alerts.rule_days)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.detection import level_rank
from kernel.event import timestamp
from operations import clock
from operations.alerts.models import AlertCount, RuleClosing, RuleDay
from operations.alerts.rule_days import OPEN, seconds_of
from operations.errors import Invalid
from operations.tuning.schema import PERIODS, RuleFigures

SORTS: tuple[str, ...] = ("wasted", "alerts", "closed", "false_positives", "benign", "true_positives", "undecided")
_FIELDS = {"true_positive": "true_positives", "false_positive": "false_positives", "benign": "benign", OPEN: "undecided"}


def figures(session: Session, days: int, *, sort: str = "wasted", rule_ids: Sequence[str] | None = None) -> list[RuleFigures]:
    """One entry per rule that made an alert in the last ``days`` (today included), the most wasted work first.

    sort      one of SORTS, a dash before it turns the order round
    rule_ids  only these rules

    Raises Invalid. Without medians and days: :func:`completed` adds them to those that are shown.
    """
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise Invalid(f"there is no order {sort[:40]!r}", f"one of {', '.join(SORTS)}", field="sort")
    query = select(RuleDay.rule_id, RuleDay.outcome, func.sum(RuleDay.alerts)).where(RuleDay.day >= first_day(days))
    if rule_ids is not None:
        query = query.where(RuleDay.rule_id.in_(rule_ids))
    found: dict[str, dict[str, int]] = {}
    for rule, outcome, number in session.execute(query.group_by(RuleDay.rule_id, RuleDay.outcome)):
        found.setdefault(rule, {})[outcome] = int(number)
    rows = [_figures(rule, numbers) for rule, numbers in found.items() if any(numbers.values())]
    rows.sort(key=lambda row: row.rule_id)
    rows.sort(key=lambda row: getattr(row, name), reverse=not sort.startswith("-"))
    return rows


def of_rule(session: Session, rule_id: str, days: int) -> RuleFigures:
    """The same for one rule, zeros where it made no alert."""
    rows = figures(session, days, rule_ids=(rule_id,)) or [_figures(rule_id, {})]
    return completed(session, rows, days)[0]


def completed(session: Session, rows: Sequence[RuleFigures], days: int) -> list[RuleFigures]:
    """The rows with median and alerts a day."""
    ids = [row.rule_id for row in rows]
    if not ids:
        return []
    medians, by_day = _medians(session, ids, days), _by_day(session, ids, days)
    return [
        msgspec.structs.replace(row, median_seconds=medians.get(row.rule_id), days=by_day.get(row.rule_id, (0,) * days))
        for row in rows
    ]


def names(session: Session, rule_ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Rule id → (name, highest level) as its alerts say it: for rules that are not loaded any more."""
    query = select(AlertCount.value, AlertCount.label, AlertCount.level)
    query = query.where(AlertCount.dimension == "rule", AlertCount.value.in_(list(rule_ids)), AlertCount.count > 0)
    found: dict[str, tuple[str, str]] = {}
    for rule, label, level in session.execute(query):
        if rule not in found or level_rank(level) > level_rank(found[rule][1]):
            found[rule] = (label, level)
    return found


def first_day(days: int) -> str:
    """The first day (UTC) of the period that ends today. Raises Invalid."""
    if days not in PERIODS:
        raise Invalid(f"there is no period of {days} days", f"one of {', '.join(map(str, PERIODS))}", field="days")
    return timestamp(clock.moment(clock.now()) - timedelta(days=days - 1))[:10]


def _figures(rule_id: str, numbers: dict[str, int]) -> RuleFigures:
    values: dict[str, Any] = {field: max(0, numbers.get(outcome, 0)) for outcome, field in _FIELDS.items()}
    alerts = sum(values.values())
    closed = alerts - values["undecided"]
    wasted = round(alerts * values["false_positives"] / closed, 1) if closed else 0.0
    return RuleFigures(rule_id=rule_id, alerts=alerts, wasted=wasted, **values)


def _medians(session: Session, ids: Sequence[str], days: int) -> dict[str, float]:
    query = (
        select(RuleClosing.rule_id, RuleClosing.step, func.sum(RuleClosing.alerts))
        .where(RuleClosing.rule_id.in_(ids), RuleClosing.day >= first_day(days))
        .group_by(RuleClosing.rule_id, RuleClosing.step)
        .order_by(RuleClosing.rule_id, RuleClosing.step)
    )
    steps: dict[str, list[tuple[int, int]]] = {}
    for rule, step, number in session.execute(query):
        if number > 0:
            steps.setdefault(rule, []).append((step, int(number)))
    return {rule: _median(found) for rule, found in steps.items()}


def _median(steps: Sequence[tuple[int, int]]) -> float:
    """The middle one of alerts that are counted by step."""
    half, seen = sum(number for _, number in steps) / 2, 0
    for step, number in steps:
        seen += number
        if seen >= half:
            return seconds_of(step)
    return seconds_of(steps[-1][0])


def _by_day(session: Session, ids: Sequence[str], days: int) -> dict[str, tuple[int, ...]]:
    start = first_day(days)
    query = select(RuleDay.rule_id, RuleDay.day, func.sum(RuleDay.alerts)).where(RuleDay.rule_id.in_(ids), RuleDay.day >= start)
    first = clock.moment(f"{start}T00:00:00.000000Z")
    position = {timestamp(first + timedelta(days=number))[:10]: number for number in range(days)}
    found: dict[str, list[int]] = {}
    for rule, day, number in session.execute(query.group_by(RuleDay.rule_id, RuleDay.day)):
        if day in position:
            found.setdefault(rule, [0] * days)[position[day]] = int(number)
    return {rule: tuple(numbers) for rule, numbers in found.items()}
