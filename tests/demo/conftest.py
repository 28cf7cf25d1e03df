"""The demo's devices write local time, as the platform is configured to read it."""

from __future__ import annotations

import pytest

from collectors.parsers.clock import Clock
from kernel.event import SHANGHAI


@pytest.fixture(autouse=True)
def city_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Clock, "zone", SHANGHAI)
