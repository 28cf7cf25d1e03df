"""Why a program did not come to its end."""

from __future__ import annotations

from kernel.errors import LiandunError


class ProgramError(LiandunError):
    """``code`` is one word (below); ``again`` says that another attempt may succeed.

    Of any program: PROGRAM_MISSING, TIMEOUT, CANCELLED, OUTPUT_TOO_LONG.
    By ssh: COMMAND_WRONG, HOST_UNKNOWN, UNREACHABLE, SSH_FAILED.
    """

    def __init__(self, message: str, hint: str = "", *, code: str, again: bool = False) -> None:
        super().__init__(message, hint)
        self.code = code
        self.again = again
