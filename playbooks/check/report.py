"""Problems are collected here: three grades, one limit."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.model import Variable
from playbooks.problems import Problem, Severity

Scope = Mapping[str, Variable]
"""The variables that a step sees, by their names."""

MOST_PROBLEMS = 1_000
"""Of each grade: many warnings must not push an error out."""
_LONGEST = 400


class Report:
    """What was found so far. ``wrong`` is an error, ``lacking`` is one unless this is a draft, ``doubtful`` is a warning."""

    def __init__(self, *, draft: bool) -> None:
        self.draft = draft
        self.problems: list[Problem] = []
        self._left: dict[Severity, int] = {"error": MOST_PROBLEMS, "warning": MOST_PROBLEMS}

    @property
    def is_full(self) -> bool:
        """Whether no further error would be kept: the rest need not be looked for."""
        return self._left["error"] <= 0

    def wrong(self, path: str, message: str, hint: str, step: str = "") -> None:
        self._add("error", path, message, hint, step)

    def lacking(self, path: str, message: str, hint: str, step: str = "") -> None:
        self._add("warning" if self.draft else "error", path, message, hint, step)

    def doubtful(self, path: str, message: str, hint: str, step: str = "") -> None:
        self._add("warning", path, message, hint, step)

    def _add(self, severity: Severity, path: str, message: str, hint: str, step: str) -> None:
        self._left[severity] -= 1
        if self._left[severity] >= 0:
            found = Problem(path=path[:_LONGEST], message=message[:_LONGEST], hint=hint, step=step[:_LONGEST], severity=severity)
            self.problems.append(found)
