"""A migrated state database for a test: the migrations run once in a session, each test works on a copy."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from kernel.db import Database, open_database, upgrade


def migrated(url: str) -> Database:
    """The database behind ``url`` with its tables; a new SQLite file is copied instead of made by forty migrations (a second)."""
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_template(), path)
    opened = open_database(url)
    upgrade(opened)
    return opened


@functools.cache
def _template() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="liandun-state-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "state.db"
    made = open_database(f"sqlite:///{path}")
    upgrade(made)
    made.close()
    return path
