"""Problems are collected here: three grades, one limit."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.model import Variable
from playbooks.problems import Problem, Severity

Scope = Mapping[str, Variable]
"""The variables that a step sees, by their names."""

MOST_PROBLEMS = 1_000
_LONGEST = 400


class Report:
    """What was found so far. ``wrong`` is an error, ``lacking`` is one unless this is a draft, ``doubtful`` is a warning."""

    def __init__(self, *, draft: bool) -> None:
        self.draft = draft
        self.problems: list[Problem] = []

    def wrong(self, path: str, message: str, hint: str, step: str = "") -> None:
        self._add("error", path, message, hint, step)

    def lacking(self, path: str, message: str, hint: str, step: str = "") -> None:
        self._add("warning" if self.draft else "error", path, message, hint, step)

    def doubtful(self, path: str, message: str, hint: str, step: str = "") -> None:
        self._add("warning", path, message, hint, step)

    def _add(self, severity: Severity, path: str, message: str, hint: str, step: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            found = Problem(path=path[:_LONGEST], message=message[:_LONGEST], hint=hint, step=step[:_LONGEST], severity=severity)
            self.problems.append(found)
