"""Moments of reports: only those that say their zone are taken."""

from __future__ import annotations

from datetime import UTC, datetime


def written(text: str) -> str:
    """An ISO 8601 moment with its zone, as UTC; "" for any other."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return ""
    return "" if found.tzinfo is None else _shown(found)


def seconds(text: str) -> str:
    """Seconds since 1970, as UTC; "" for what is none."""
    plain = text.strip()
    return _shown(datetime.fromtimestamp(int(plain), UTC)) if plain.isascii() and plain.isdecimal() and len(plain) < 11 else ""


def _shown(moment: datetime) -> str:
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except OverflowError:
        return ""
