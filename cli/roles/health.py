"""Tells every second, from a thread, how a role is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from kernel.health import HealthFile
from kernel.layout import Layout

INTERVAL_SECONDS = 1.0


def tell_health(layout: Layout, role: str, details: Callable[[], dict[str, Any]], problem: Callable[[], str] = lambda: "") -> None:
    """Start the thread; it ends with the process."""
    file = HealthFile(layout.health, role)

    def tell() -> None:
        pause = threading.Event()
        while True:
            file.write(details(), problem())
            pause.wait(INTERVAL_SECONDS)

    threading.Thread(target=tell, name="health", daemon=True).start()
