"""Records of reports and schedules as they leave this room."""

from __future__ import annotations

import msgspec


class ReportFilter(msgspec.Struct, frozen=True):
    """ "" = any; ``organisation`` "*" = any, "" = the city."""

    kind: str = ""
    organisation: str = "*"
    origin: str = ""
    start: str = ""
    end: str = ""


class ReportRecord(msgspec.Struct, frozen=True):
    """An issued report without its files. ``organisation`` "" = the city; ``period`` as people read it."""

    id: int
    name: str
    kind: str
    first_day: str
    period: str
    organisation: str
    language: str
    origin: str
    issued_at: str
    issued_by: str
    sm3: dict[str, str]


class ReportPage(msgspec.Struct, frozen=True):
    """``hidden``: reports of others, counted without any filter."""

    reports: list[ReportRecord]
    cursor: str = ""
    hidden: int = 0


class ScheduleRecord(msgspec.Struct, frozen=True):
    """``minute`` after the midnight (Beijing) that ends a period; ``next_due`` when the next one is made."""

    kind: str
    enabled: bool
    minute: int
    each: bool
    language: str
    changed_at: str
    changed_by: str
    version: int
    next_due: str
