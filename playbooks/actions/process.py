"""Running a program to its end for a command (kernel.programs.process): what goes wrong is an ActionError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kernel.programs import process
from kernel.programs.process import ENVIRONMENT, MOST_OUTPUT, Finished
from playbooks.actions.contract import Context
from playbooks.actions.program_errors import as_actions

__all__ = ["ENVIRONMENT", "MOST_OUTPUT", "Finished", "run"]


def run(
    arguments: Sequence[str],
    context: Context,
    *,
    stdin: bytes = b"",
    environment: Mapping[str, str] = ENVIRONMENT,
    most: int = MOST_OUTPUT,
    descriptors: Sequence[int] = (),
) -> Finished:
    """Run a program to its end, whatever its exit code. ``most``: bytes of output, and as many of errors.

    Raises ActionError: PROGRAM_MISSING, ACTION_TIMEOUT, ACTION_CANCELLED, OUTPUT_TOO_LONG.
    """
    with as_actions():
        return process.run(arguments, context, stdin=stdin, environment=environment, most=most, descriptors=descriptors)
