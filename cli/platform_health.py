"""The platform's processes, its spool, its disk and its clock, for the console."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from cli.role import ROLES
from kernel.config import Config
from kernel.event import timestamp_from_micros
from kernel.health import RoleHealth, read_health
from kernel.layout import Layout
from kernel.system_clock import clock_state
from soc_ui.services import PlatformHealth, RoleState

_MICROS = 1_000_000


class PlatformReader:
    """Read anew at each call."""

    def __init__(self, config: Config, layout: Layout, state: str) -> None:
        self._limit = int(config.ingest.spool_gib * (1 << 30))
        self._layout, self._state = layout, state
        self._wanted = [role for role in ROLES if role != "links" or config.links.listener]

    def __call__(self) -> PlatformHealth:
        told = read_health(self._layout.health)
        disk, clock = shutil.disk_usage(self._layout.root), clock_state()
        names = [*self._wanted, *sorted(set(told) - set(self._wanted))]
        return PlatformHealth(
            roles=[_role(name, told.get(name)) for name in names],
            waiting=_size(self._layout.spool.rglob("*")),
            spool_limit=self._limit,
            disk_free=disk.free,
            disk_size=disk.total,
            clock="" if clock is None else "steady" if clock.synchronised else "adrift",
            clock_error_seconds=clock.error_seconds if clock else None,
            state=self._state,
            state_bytes=_size(self._layout.root.glob("state.db*")),
        )


def _role(name: str, told: RoleHealth | None) -> RoleState:
    if told is None:
        return RoleState(name, alive=False, pid=0, started="", told="")
    return RoleState(
        name,
        alive=told.alive,
        pid=told.pid,
        started=timestamp_from_micros(int(told.started * _MICROS)),
        told=timestamp_from_micros(int(told.updated * _MICROS)),
        problem=told.problem,
        memory=_memory(told.pid) if told.alive else 0,
    )


def _memory(pid: int) -> int:
    """Resident octets of a process, 0 where it is not ours to look at."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _size(paths: Iterable[Path]) -> int:
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # taken away meanwhile
            continue
    return total
