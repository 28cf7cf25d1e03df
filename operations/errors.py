"""Refusals of the domain. Views turn them into messages, the API into problem+json."""

from __future__ import annotations

from kernel.errors import LiandunError


class NotFound(LiandunError):
    """There is no such thing (any more)."""


class Conflict(LiandunError):
    """Somebody else changed it in the meantime, or it exists already."""


class Stale(Conflict):
    """The version that a change was decided on is not the present one any more."""


class Invalid(LiandunError):
    """A value breaks a rule; ``field`` names it."""

    def __init__(self, message: str, hint: str = "", field: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


class Denied(LiandunError):
    """The actor may not do this."""


class Locked(Denied):
    """Too many failed attempts; ``seconds_left`` until the next one is looked at."""

    def __init__(self, seconds_left: int) -> None:
        super().__init__("too many failed attempts", f"try again in {seconds_left} s")
        self.seconds_left = seconds_left
