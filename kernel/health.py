"""What each role says of itself: one small JSON file per role, rewritten every second, read by the console.

A file that has not been rewritten for ``STALE_SECONDS`` means the role does not run (or hangs).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec

STALE_SECONDS = 10.0


class RoleHealth(msgspec.Struct):
    """State of one role; ``details`` is the role's own (counters, sources, problem)."""

    role: str
    pid: int
    started: float  # seconds since the epoch
    updated: float
    problem: str = ""
    details: dict[str, Any] = {}

    @property
    def alive(self) -> bool:
        return time.time() - self.updated < STALE_SECONDS


class HealthFile:
    """Writes ``<folder>/<role>.json`` atomically (a reader never sees half a file)."""

    def __init__(self, folder: Path, role: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{role}.json"
        self._role = role
        self._started = time.time()

    def write(self, details: dict[str, Any], problem: str = "") -> None:
        """Say how the role is; a full disk is not an error here (the spool and the store tell it)."""
        health = RoleHealth(self._role, os.getpid(), self._started, time.time(), problem, details)
        temporary = self._path.with_suffix(".tmp")
        try:
            temporary.write_bytes(msgspec.json.encode(health))
            temporary.replace(self._path)
        except OSError:
            return


def read_health(folder: Path) -> dict[str, RoleHealth]:
    """Role name → its last word; unreadable files are left out."""
    found: dict[str, RoleHealth] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            health = msgspec.json.decode(path.read_bytes(), type=RoleHealth)
        except (OSError, msgspec.DecodeError):
            continue
        found[health.role] = health
    return found
