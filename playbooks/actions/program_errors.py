"""Failures of programs as failures of commands: a step knows its own time limit and end, the kernel does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kernel.programs.error import ProgramError
from playbooks.actions.contract import ActionError

_CODES = {"TIMEOUT": "ACTION_TIMEOUT", "CANCELLED": "ACTION_CANCELLED"}


@contextmanager
def as_actions() -> Iterator[None]:
    """Raises ActionError for each ProgramError inside, with its words; codes stay, but for those that steps have names for."""
    try:
        yield
    except ProgramError as error:
        code = _CODES.get(error.code, error.code)
        raise ActionError(error.message, error.hint, code=code, again=error.again) from error
