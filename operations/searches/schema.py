"""Records of saved searches."""

from __future__ import annotations

import msgspec

EVERY: tuple[int, ...] = (300, 900, 3600, 21_600, 86_400)
"""Seconds between two runs that may be chosen."""

LEVELS: tuple[str, ...] = ("informational", "low", "medium", "high")
"""Levels of the alerts that a search may raise: critical is for rules that were reviewed."""


class Schedule(msgspec.Struct, frozen=True):
    """How a search runs by the clock; see operations.searches.models.SavedSearch."""

    every: int
    threshold: int = 0
    level: str = "medium"
    settle: int = 300


class Search(msgspec.Struct, frozen=True):
    """A saved search as one account sees it; ``mine``: its owner's, who alone may change it."""

    id: int
    name: str
    query: str
    span: str
    columns: str
    shared: bool
    owner: str
    mine: bool
    every: int
    threshold: int
    level: str
    settle: int
    done_until: str
    next_due: str | None
    failures: int
    stopped: str
    created_at: str
    updated_at: str
    version: int


class Run(msgspec.Struct, frozen=True):
    """One window of a scheduled search."""

    id: int
    start: str
    end: str
    hits: int
    milliseconds: int
    error: str
    alert_id: int | None
    at: str
