"""Errors that tell a person what went wrong, where, and what to do."""

from __future__ import annotations


class LiandunError(Exception):
    """Base of all errors shown to people.

    ``message`` says what and where in one line; ``hint`` says what to do about it (may be empty).
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(LiandunError):
    """The configuration cannot be used; the message carries file, line and key."""


class ParseError(LiandunError):
    """A record from outside cannot be understood; the pipeline keeps it aside (quarantine) with this reason."""


class QueryError(LiandunError):
    """A search query is wrong; ``position`` is the 0-based character where it went wrong."""

    def __init__(self, message: str, hint: str = "", position: int = 0) -> None:
        super().__init__(message, hint)
        self.position = position


class StoreError(LiandunError):
    """A store cannot do what was asked (disk full, damaged segment, retention below the legal minimum)."""


class StateUnavailable(StoreError):
    """The state database cannot be read or written; a write transaction that meets it has changed nothing.

    ``reason``: ``full``, ``read-only``, ``busy``, ``damaged``, ``unreachable`` (kernel.db.unavailable), or ``audit`` where only the
    audit trail does not take the entry of a change. ``writing`` is False where it could not even be read.
    """

    def __init__(self, message: str, hint: str = "", *, reason: str, writing: bool = True) -> None:
        super().__init__(message, hint)
        self.reason = reason
        self.writing = writing


class RuleError(LiandunError):
    """A detection rule cannot be loaded; the message carries file and line."""
