"""Tells every second, from a thread, how a role is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from kernel.health import HealthFile
from kernel.layout import Layout

log = logging.getLogger("liandun.health")

INTERVAL_SECONDS = 1.0


def tell_health(layout: Layout, role: str, details: Callable[[], dict[str, Any]], problem: Callable[[], str] = lambda: "") -> None:
    """Start the thread; it ends with the process."""
    file = HealthFile(layout.health, role)

    def tell() -> None:
        pause = threading.Event()
        while True:
            try:
                file.write(details(), problem())
            except Exception:  # silence would look like a dead role
                log.exception("health of %s cannot be told", role)
            pause.wait(INTERVAL_SECONDS)

    threading.Thread(target=tell, name="health", daemon=True).start()
