"""What a driver reports when the state database cannot be used, as kernel.errors.StateUnavailable: why, and what to do.

SQLite tells it by a result code (https://www.sqlite.org/rescode.html), PostgreSQL by an SQLSTATE (manual, appendix A). What a
statement did wrong (a rule of the schema broken, SQL that cannot be read) is no such case and stays what it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy.exc import DBAPIError, InternalError, OperationalError

from kernel.db.turns import TurnTaken, TurnTimeout
from kernel.errors import StateUnavailable

Reason = Literal["full", "read-only", "busy", "damaged", "unreachable"]

_MEANING: dict[str, tuple[str, str]] = {
    "full": (
        "the disk of the state database is full",
        "free space in the data directory (./liandun doctor shows it), then try again",
    ),
    "read-only": (
        "the state database is read-only",
        "see whether its file system was mounted read-only after an error, and who owns the data directory",
    ),
    "busy": ("the state database is locked by another process", "try again; if it stays so, see which process holds it"),
    "damaged": ("the file of the state database is damaged", "stop the platform and restore a backup (./liandun backup restore)"),
    "unreachable": (
        "the state database cannot be read or written",
        "see that its disk works and has room, or that its server is there",
    ),
}

_SQLITE: dict[int, Reason] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "read-only",
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_IOERR: "unreachable",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
}

_POSTGRESQL: dict[str, Reason] = {
    "53100": "full",  # disk_full
    "25006": "read-only",  # read_only_sql_transaction: a standby, or default_transaction_read_only
    "55P03": "busy",  # lock_not_available
    "57014": "busy",  # query_canceled: statement_timeout
    "XX001": "damaged",  # data_corrupted
    "XX002": "damaged",  # index_corrupted
}


@contextmanager
def explained(*, writing: bool) -> Iterator[None]:
    """Turns what a driver raises in the block into StateUnavailable, where the database is the reason."""
    try:
        yield
    except TurnTaken as error:
        message = "a write transaction was begun inside another one of the same thread"
        hint = "this is a mistake of the program: please report it with the log"
        raise StateUnavailable(message, hint, reason="busy", writing=writing) from error
    except TurnTimeout as error:
        message, hint = _MEANING["busy"]
        raise StateUnavailable(message, hint, reason="busy", writing=writing) from error
    except DBAPIError as error:
        reason = reason_of(error, writing=writing)
        if reason is None:
            raise
        message, hint = _MEANING[reason]
        raise StateUnavailable(f"{message}: {error.orig}", hint, reason=reason, writing=writing) from error


def reason_of(error: DBAPIError, *, writing: bool = True) -> Reason | None:
    """Why the database cannot be used; None where it can, and something else is wrong."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        if code == sqlite3.SQLITE_READONLY and not writing:
            return None  # a reader that writes is a mistake of ours (PRAGMA query_only); a read-only file has an extended code
        return _SQLITE.get(code & 0xFF)  # the low byte of an extended code is its kind
    state = getattr(error.orig, "sqlstate", None)
    if state in _POSTGRESQL:
        return _POSTGRESQL[state]
    if error.connection_invalidated or (isinstance(error, OperationalError) and str(state or "08")[:2] in ("08", "53", "57", "58")):
        return "unreachable"
    return "damaged" if isinstance(error, InternalError) and str(state)[:2] == "XX" else None
