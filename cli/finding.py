"""One line of the doctor's report."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct):
    """One line of the report.

    state  ``ok``, ``warn`` (a feature is off or needs attention, the rest works) or ``bad`` (the platform cannot run well)
    hint   what to do about it
    """

    check: str
    state: str
    detail: str
    hint: str = ""
