"""The form of an exception: rows of conditions, and which fields of an alert are offered."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from werkzeug.datastructures import MultiDict

from kernel.rule_tuning.condition import MAX_VALUE, MOST_CONDITIONS, Condition, problem_of, texts_of
from operations import clock
from operations.accounts.schema import DAY
from operations.errors import Invalid

DAYS: tuple[int, ...] = (7, 30, 90, 180, 365)
_TELLING: tuple[str, ...] = (
    "host.name", "user.name", "process.executable", "process.parent.executable", "process.parent.name", "source.ip",
    "destination.ip", "file.path", "dns.question.name", "url.domain",
)  # fmt: skip
"""Fields that an exception from an alert begins with; its person takes away what is too narrow."""

_OFFERED = 4
_SUGGESTED = 60


def conditions_of(args: MultiDict[str, str]) -> tuple[Condition, ...]:
    """The rows that say something, as they were written; at most one more than allowed, so that the excess is refused."""
    rows = zip_longest(args.getlist("field"), args.getlist("operator"), args.getlist("value"), fillvalue="")
    found = [
        Condition(field.strip(), operator or "equals", value) for field, operator, value in rows if field.strip() or value.strip()
    ]
    return tuple(found[: MOST_CONDITIONS + 1])


def conditions_from(fields: Mapping[str, Any]) -> tuple[Condition, ...]:
    """What an exception from an alert begins with."""
    found = []
    for field in _TELLING:
        text = next(iter(texts_of(fields.get(field))), "")
        condition = Condition(field, "equals", text[:MAX_VALUE])
        if text and not problem_of(condition):
            found.append(condition)
    return tuple(found[:_OFFERED])


def fields_of(fields: Mapping[str, Any]) -> list[str]:
    """Names to choose from: those of the alert's event, else the usual ones."""
    return sorted(fields)[:_SUGGESTED] if fields else list(_TELLING)


def expiry_of(days: str) -> str:
    """The moment after so many days, "" for "". Raises Invalid."""
    if not days:
        return ""
    if not days.isdecimal() or len(days) > 4:
        raise Invalid("expires_at: it is no number of days", field="expires_at")
    return clock.shift(clock.now(), int(days) * DAY)
