"""The one error of conditions."""

from __future__ import annotations

from kernel.errors import LiandunError


class ConditionError(LiandunError):
    """A condition cannot be read or has no answer; ``position`` is the 0-based letter of the condition it is about."""

    def __init__(self, message: str, hint: str = "", position: int = 0) -> None:
        super().__init__(message, hint)
        self.position = position
