"""RE2 itself, as DuckDB carries it: to check patterns when a query is parsed, and for patterns that would make ``re`` backtrack."""

from __future__ import annotations

import threading

import duckdb

_lock = threading.Lock()
_connections: list[duckdb.DuckDBPyConnection] = []


def _ask(pattern: str, text: str) -> bool:
    with _lock:
        if not _connections:
            _connections.append(duckdb.connect(config={"threads": 1, "memory_limit": "64MB"}))
        row = _connections[0].execute("SELECT regexp_matches($text, $pattern)", {"text": text, "pattern": pattern}).fetchone()
    return bool(row and row[0])


def re2_error(pattern: str) -> str:
    """What RE2 says against a pattern; "" when it is fine."""
    try:
        _ask(pattern, "")
    except duckdb.Error as error:
        return str(error).splitlines()[0].split(": ", 1)[-1]
    return ""


def re2_search(pattern: str, text: str) -> bool:
    """True when the pattern occurs in the text; linear time."""
    return _ask(pattern, text)
