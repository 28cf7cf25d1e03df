"""Time stamps as log sources write them → ``@timestamp`` text.

RFC 3164 stamps have neither year nor zone; many devices' stamps have no zone. ``Clock.zone`` is taken for these (UTC unless the
operator says otherwise), and the year that puts the event nearest to its arrival.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from kernel.event import parse_timestamp, timestamp

_MONTHS: Final = {
    name: number
    for number, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}

BSD_STAMP: Final = r"(?:[A-Z][a-z]{2}\s+\d{1,2}\s+(?:\d{4}\s+)?\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:\s+(?:19|20)\d\d(?=\s|$))?)"
"""``Nov 22 08:00:00``, ``Nov  2 08:00:00.123``, ``Nov 22 2026 08:00:00``, ``Nov 22 08:00:00 2026``."""

_BSD = re.compile(r"([A-Z][a-z]{2})\s+(\d{1,2})\s+(?:(\d{4})\s+)?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:\s+(\d{4}))?$")
_CLF = re.compile(r"(\d{1,2})/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?: ([+-]\d{4}))?$")
_ONE_DAY = timedelta(days=1)


class Clock:
    """Zone of stamps that name none; one per process, set at start from the configuration."""

    zone: tzinfo = UTC


def bsd(text: str, received: int, zone: tzinfo | None = None) -> str | None:
    """RFC 3164 stamp (year in the middle, last or absent) → ``@timestamp`` text, or None.

    received  arrival in microseconds since the epoch, from which a missing year is inferred
    zone      zone of the stamp, default ``Clock.zone``
    """
    match = _BSD.match(text)
    if match is None:
        return None
    month = _MONTHS.get(match[1].lower())
    if month is None:
        return None
    year = match[3] or match[8]
    arrival = datetime.fromtimestamp(max(received, 0) / 1_000_000, UTC)
    parts = (month, int(match[2]), int(match[4]), int(match[5]), int(match[6]), int((match[7] or "0").ljust(6, "0")))
    for candidate in (int(year),) if year else (arrival.year + 1, arrival.year, arrival.year - 1):
        moment = _moment(zone or Clock.zone, candidate, *parts)
        if moment is not None and (year or moment <= arrival + _ONE_DAY):
            return timestamp(moment)
    return None


def clf(text: str) -> str | None:
    """Common Log Format stamp ``08/Jun/2020:06:49:01 +0000`` → ``@timestamp`` text, or None."""
    match = _CLF.match(text)
    if match is None:
        return None
    month = _MONTHS.get(match[2].lower())
    if month is None:
        return None
    micros = (match[7] or "").ljust(6, "0")
    zone = match[8]
    iso = f"{match[3]}-{month:02d}-{int(match[1]):02d}T{match[4]}:{match[5]}:{match[6]}.{micros}"
    return parse_timestamp(iso + zone) if zone else local(iso)


def local(text: str, zone: tzinfo | None = None) -> str | None:
    """ISO-like stamp (``2026-11-22 08:00:00``, also with ``/``); without zone it is in ``zone``, default ``Clock.zone``."""
    iso = text.strip().replace("/", "-").replace(",", ".")
    parsed = parse_timestamp(iso)
    if parsed is None or has_zone(iso):
        return parsed
    where = zone or Clock.zone
    if where is UTC:
        return parsed
    return timestamp(datetime.fromisoformat(parsed[:-1]).replace(tzinfo=where))


def epoch(value: object) -> str | None:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970 (told apart by size) → ``@timestamp`` text, or None."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    for limit, unit in ((1e11, 1), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9)):
        if 0 <= number < limit:
            try:
                return timestamp(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(number / unit * 1e6)))
            except OverflowError:
                return None
    return None


def has_zone(text: str) -> bool:
    """True if an ISO-like stamp ends in ``Z``, ``UTC`` or an offset."""
    return bool(re.search(r"(?:Z|UTC|[+-]\d\d:?\d\d)$", text.strip()[10:]))


def _moment(zone: tzinfo, year: int, month: int, day: int, hour: int, minute: int, second: int, micros: int) -> datetime | None:
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), micros, tzinfo=zone)
    except ValueError:
        return None
