"""What people type, checked: trimmed, storable in every database, not too long."""

from __future__ import annotations

from kernel.event import parse_timestamp
from operations import clock
from operations.errors import Invalid

SHORT, TITLE, LINE, LONG = 128, 256, 1000, 10_000
EARLIEST = "1990-01-01T00:00:00.000000Z"
"""No incident is older; a year typed as ``0026`` would make its deadlines and all mean times worthless."""


def text(value: str, field: str, most: int, *, needed: bool = False) -> str:
    """The text as it is stored. Raises Invalid where it is too long, or empty though ``needed``."""
    found = value.strip().replace("\0", "").replace("\r\n", "\n").encode("utf-8", "replace").decode()
    if needed and not found:
        raise Invalid(f"{field} is empty", field=field)
    if len(found) > most:
        raise Invalid(f"{field} has at most {most} characters", field=field)
    return found


def line(value: str, field: str, most: int = TITLE, *, needed: bool = False) -> str:
    """The same for one line: line ends become spaces."""
    return text(" ".join(value.split()), field, most, needed=needed)


def moment(value: str, field: str, *, past: bool = False) -> str:
    """@timestamp text of a moment, "" of "". Raises Invalid; ``past``: also where it lies ahead or before EARLIEST."""
    if not value.strip():
        return ""
    found = parse_timestamp(value.strip())
    if found is None:
        raise Invalid(f"{field} is no moment", "for example 2026-11-23T08:30:00Z", field=field)
    if past and found > clock.shift(clock.now(), 300):
        raise Invalid(f"{field} lies ahead", field=field)
    if past and found < EARLIEST:
        raise Invalid(f"{field} lies before {EARLIEST[:4]}", "check the year", field=field)
    return found
