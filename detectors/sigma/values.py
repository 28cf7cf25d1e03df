"""Values of an event as the texts that predicates compare.

A boolean is ``true``/``false``, a whole number has no decimal point, a list is all its elements (any of them may match).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOTHING: tuple[str, ...] = ()


def text_of(value: Any) -> str:
    """Text of one scalar."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def texts_of(value: Any) -> tuple[str, ...] | None:
    """Texts of a field's value; None where the field is missing."""
    if isinstance(value, str):
        return (value,)
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return tuple(text_of(one) for one in value if one is not None)
    return (text_of(value),)


_NOT_SEARCHED = frozenset(
    # words of ours, not of the source: "format" must not be found in "informational"
    (
        "event.id",
        "event.ingested",
        "@timestamp",
        "log.level",
        "log.syslog.severity.name",
        "log.syslog.facility.name",
        "liandun.source",
    )
)


def keyword_texts(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Every text of an event that a keyword may be found in.

    For a Windows event these are its own values and its message; the raw record (``event.original``) is left out there because
    JSON escapes its backslashes. For every other event all values count, the raw record included.
    """
    windows = "winlog.channel" in event
    found: list[str] = []
    for name, value in event.items():
        if windows:
            if not name.startswith("winlog.") and name != "message":
                continue
        elif name in _NOT_SEARCHED:
            continue
        if isinstance(value, str):
            found.append(value)
        else:
            found.extend(texts_of(value) or NOTHING)
    return tuple(found)
