"""What is wrong with a playbook, told so that its author finds the place and knows what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from kernel.errors import LiandunError

Severity = Literal["error", "warning"]
MOST_TOLD = 3


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake.

    ``path`` is where it stands (``workflow.action--….commands[0].command``), ``step`` the id of the step around it ("" outside of
    steps), ``message`` what is wrong, ``hint`` what to do. An error keeps a playbook from running, a warning does not.
    """

    path: str
    message: str
    hint: str = ""
    step: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        told = f"{self.message} ({self.hint})" if self.hint else self.message
        return f"{self.path}: {told}" if self.path else told


class PlaybookError(LiandunError):
    """A document is no playbook that can be read; ``problems`` are all that was found, in the order of the document."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        told = [str(problem) for problem in self.problems[:MOST_TOLD]]
        more = len(self.problems) - len(told)
        super().__init__("; ".join(told) + (f"; and {more} more" if more > 0 else ""))
