"""Moments as commands show them: in the zone that the pages use for a start."""

from __future__ import annotations

from kernel.event import SHANGHAI
from operations import clock


def shown(at: str) -> str:
    """@timestamp text → ``2027-06-30 00:00`` of Asia/Shanghai; "" stays empty."""
    return f"{clock.moment(at).astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if at else ""
