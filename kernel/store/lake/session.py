"""DuckDB as a pure query engine: in memory, no extensions, no file outside the lake."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import duckdb

from kernel.store.lake.condition import MACROS

THREADS = 2


class Session:
    """One in-memory DuckDB per process (made anew after a fork); each call gets its own cursor, so threads do not wait."""

    def __init__(self, root: Path, *, memory: str = "768MB") -> None:
        self.root = root
        self.memory = memory
        self._lock = threading.Lock()
        self._connection: Any = None
        self._process = 0

    def cursor(self) -> Any:
        """A cursor of this process's connection."""
        with self._lock:
            if self._connection is None or self._process != os.getpid():
                self._connection = connect(self.root, self.memory)
                self._process = os.getpid()
            return self._connection.cursor()

    def close(self) -> None:
        """Free the memory."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None


def connect(root: Path, memory: str, *, scratch: Path | None = None) -> Any:
    """A locked-down connection that may only touch files below ``root``; ``scratch`` is where big sorts spill."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": THREADS,
            "memory_limit": memory,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        },
    )
    connection.execute("SET enable_progress_bar = false")  # it would stand in the midst of what a command prints
    # GLOBAL: a cursor is a session of its own. The footers of 126 files (5 million events) take 12 MB; without them at hand,
    # planning takes as long as reading.
    connection.execute("SET GLOBAL parquet_metadata_cache = true")
    # DuckDB 2.0 fetches the columns of the newest rows by row number and breaks where a file's row numbers are bounded, as they are
    # where a skip index leaves some of its row groups out ("INTERNAL Error: Attempted to access index …").
    connection.execute("SET GLOBAL late_materialization_max_rows = 0")
    connection.execute(f"SET temp_directory = '{_literal(scratch)}'" if scratch else "SET temp_directory = ''")
    for macro in MACROS:
        connection.execute(macro)
    connection.execute(f"SET allowed_directories = ['{_literal(root)}/']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def parquet(*paths: Path) -> str:
    """The files as a table, in SQL."""
    return "read_parquet([" + ", ".join(f"'{_literal(path)}'" for path in paths) + "])"


def _literal(path: Path | None) -> str:
    return str(path).replace("'", "''")
