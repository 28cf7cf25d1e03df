"""Refusals of the domain. Views turn them into messages, the API into problem+json."""

from __future__ import annotations

from kernel.errors import LiandunError


class NotFound(LiandunError):
    """There is no such thing (any more)."""


class Conflict(LiandunError):
    """Somebody else changed it in the meantime, or it exists already."""


class Invalid(LiandunError):
    """A value breaks a rule; ``field`` names it."""

    def __init__(self, message: str, hint: str = "", field: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


class Denied(LiandunError):
    """The actor may not do this."""
