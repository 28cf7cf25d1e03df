"""Times of a playbook: RFC 3339, UTC, with ``Z`` (CACAO 2.0, 10.16)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TIMESTAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,20}))?Z", re.ASCII)


def read_timestamp(text: str) -> datetime:
    """The moment, to the microsecond; a leap second is the second before it. Raises ValueError."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no time: 2026-11-27T06:30:00.000Z, in UTC, is the form")
    whole = match[1].removesuffix(":60") + ":59" if match[1].endswith(":60") else match[1]
    try:
        moment = datetime.fromisoformat(whole)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no time that exists") from error
    return moment.replace(tzinfo=UTC, microsecond=int((match[2] or "0")[:6].ljust(6, "0")))


def is_of_milliseconds(text: str) -> bool:
    """Whether the time has the three digits after the second that ``created`` and ``modified`` have to have."""
    match = _TIMESTAMP.fullmatch(text)
    return match is not None and match[2] is not None and len(match[2]) == 3
