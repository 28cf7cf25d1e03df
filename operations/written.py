"""Texts that people write: trimmed, without what cannot be stored, bounded."""

from __future__ import annotations

from kernel.event import parse_timestamp
from operations.errors import Invalid

MAX_INPUT = 10_000
"""No line of a name is longer, blanks included."""


def text(value: str, field: str, most: int, *, needed: bool = False) -> str:
    """``value`` as it is stored. Raises Invalid where it is too long, or empty though ``needed``."""
    found = value.strip().replace("\0", "").replace("\r\n", "\n").encode("utf-8", "replace").decode()
    if len(found) > most:
        raise Invalid(f"{field} has at most {most} characters", field=field)
    if needed and not found:
        raise Invalid(f"{field} is missing", field=field)
    return found


def name(value: str, field: str, most: int) -> str:
    """One line that can be shown, blanks put together. Raises Invalid."""
    found = " ".join(text(value, field, MAX_INPUT).split())
    if not found:
        raise Invalid(f"{field} is missing", field=field)
    if len(found) > most or not found.isprintable():
        raise Invalid(f"{field} has at most {most} characters", field=field)
    return found


def moment(value: str, field: str) -> str | None:
    """@timestamp text, None for "". Raises Invalid."""
    if not value.strip():
        return None
    found = parse_timestamp(value.strip())
    if found is None:
        raise Invalid(f"{field}: {value[:40]!r} is no moment", "write 2027-06-30T00:00:00+08:00", field=field)
    return found


def choice(value: str, field: str, known: tuple[str, ...]) -> str:
    """``value`` if it is one of ``known``. Raises Invalid."""
    if value not in known:
        raise Invalid(f"there is no {field} {value[:40]!r}", f"one of {', '.join(known)}", field=field)
    return value
