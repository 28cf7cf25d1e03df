"""The ECS event: a flat dict with dotted keys, e.g. ``{"@timestamp": "2026-11-23T04:40:00.123456Z", "host.name": "srv1"}``.

Names follow the Elastic Common Schema 9.x (https://www.elastic.co/guide/en/ecs/current/). Windows originals stay under
``winlog.*`` (``winlog.event_data.<Name>``), Suricata's under ``suricata.eve.*``, CloudTrail's under ``aws.cloudtrail.*``, the raw
record under ``event.original``. Values are str, int, float, bool or lists of these; never None, never nested dicts.

Invariants after :func:`conform`: ``@timestamp`` is UTC text of fixed width (so text order is time order); every field of
``FIELD_TYPES`` has its type; what did not fit is kept as text under ``labels.*`` and counted.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from kernel.addresses import LONGEST_ADDRESS, without_scope
from kernel.ecs_fields import FIELD_TYPES

Event = dict[str, Any]

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
EARLIEST = "1990-01-01T00:00:00.000000Z"
FUTURE_TOLERANCE = timedelta(hours=24)
_TOLERATED_SECONDS = int(FUTURE_TOLERANCE.total_seconds())


def event_id(*parts: str | int | bytes) -> str:
    """32 hex digits from what identifies a record for ever (stream and offset, or spool and position)."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


def timestamp(moment: datetime) -> str:
    """``@timestamp`` text: UTC, six decimals, ``Z``. A moment without zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


@lru_cache(maxsize=4096)
def timestamp_from_micros(micros: int) -> str:
    """``@timestamp`` text of microseconds since the epoch."""
    return timestamp(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))


_ISO = re.compile(
    r"""(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)  # date, time
        (?:[.,](\d{1,9}))?                     # fraction, up to nanoseconds
        \s*(Z|UTC|[+-]\d\d:?\d\d)?$            # zone
    """,
    re.VERBOSE,
)


def parse_timestamp(text: str) -> str | None:
    """``@timestamp`` text of an ISO 8601 moment (space or T, any fraction, zone or none = UTC), or None."""
    match = _ISO.match(text.strip())
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    micros = (fraction or "").ljust(6, "0")[:6]
    if zone in (None, "Z", "UTC", "+00:00", "+0000"):
        try:
            datetime.fromisoformat(f"{day}T{clock}")
        except ValueError:
            return None
        return f"{day}T{clock}.{micros}Z"
    if ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    try:
        return timestamp(datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}"))
    except (ValueError, OverflowError):
        return None


def is_ip(text: str) -> bool:
    """True for an IPv4 or IPv6 address, also with a scope (``fe80::1%eth0``) of at most 32 letters (kernel.addresses)."""
    if "%" not in text and len(text) <= LONGEST_ADDRESS:
        return _is_bare_ip(text)
    bare = without_scope(text)
    return bare is not None and _is_bare_ip(bare)


@lru_cache(maxsize=65536)
def _is_bare_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def conform(event: Event, received: int, counters: dict[str, int]) -> Event:
    """Give an event the types of ``FIELD_TYPES`` and a trustworthy ``@timestamp``; in place, returned for convenience.

    received  arrival in microseconds since the epoch: taken as ``@timestamp`` where the event has none, or one that cannot be
              true (before 1990, more than 24 h after arrival, 30 February); the claimed one is kept as
              ``labels.claimed_timestamp``. It is ``event.ingested``, by which retention goes too: a sender's own is kept as
              ``labels.claimed_ingested``.
    counters  ``type_mismatch`` and ``clock_suspect`` are counted here.
    """
    arrival = timestamp_from_micros(received)
    claimed = event.get("@timestamp")
    if not isinstance(claimed, str):
        event["@timestamp"] = arrival
    elif claimed < EARLIEST or claimed > timestamp_from_micros((received // 1_000_000 + _TOLERATED_SECONDS) * 1_000_000):
        _distrust_clock(event, claimed, arrival, counters)
    if (foreign := event.get("event.ingested")) is not None and foreign != arrival:
        event["labels.claimed_ingested"] = foreign if isinstance(foreign, str) else str(foreign)
    event["event.ingested"] = arrival
    misfits: list[str] = []
    for field, value in event.items():
        kind = FIELD_TYPES.get(field)
        if kind is None or (kind == "keyword" and type(value) is str):
            continue
        fitted = _fit(kind, value)
        if fitted is None:
            misfits.append(field)
        elif fitted is not value:
            event[field] = fitted
    for field in misfits:
        if field == "@timestamp":  # the shape of a moment, but no such moment: 30 February, a leap second
            _distrust_clock(event, str(event[field]), arrival, counters)
            continue
        event["labels." + field.replace(".", "_").lstrip("@")] = str(event.pop(field))
        counters["type_mismatch"] = counters.get("type_mismatch", 0) + 1
    return event


def _distrust_clock(event: Event, claimed: str, arrival: str, counters: dict[str, int]) -> None:
    event["labels.claimed_timestamp"] = claimed
    event["@timestamp"] = arrival
    _tag(event, "clock-suspect")
    counters["clock_suspect"] = counters.get("clock_suspect", 0) + 1


def _tag(event: Event, tag: str) -> None:
    tags = event.get("tags")
    tags = list(tags) if isinstance(tags, list) else [tags] if tags else []
    event["tags"] = [*tags, tag]


def _fit(kind: str, value: Any) -> Any:
    """``value`` as ``kind`` (see ecs_fields), or None where it does not fit."""
    if kind == "keyword":
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return value if all(isinstance(v, str) for v in value) else [str(v) for v in value]
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, (int, float)) else None
    if kind == "long":
        return _as_int(value)
    if kind == "ip":
        if isinstance(value, list):
            return value if all(isinstance(v, str) and is_ip(v) for v in value) else None
        return value if isinstance(value, str) and is_ip(value) else None
    if kind == "date":
        return parse_timestamp(value) if isinstance(value, str) else None
    if kind == "float":
        try:
            return float(value) if not isinstance(value, (list, dict)) else None
        except (TypeError, ValueError):
            return None
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        return {"true": True, "false": False}.get(str(value).lower())
    raise AssertionError(f"unknown field type {kind}")


def _as_int(value: Any) -> int | None:
    if isinstance(value, (bool, list)):
        return None
    if isinstance(value, int):
        return value if -(1 << 63) <= value < 1 << 63 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1 << 63 else None
    if isinstance(value, str):
        try:
            number = int(value, 16) if value[:2].lower() == "0x" else int(value)
        except ValueError:
            return None
        return number if -(1 << 63) <= number < 1 << 63 else None
    return None
