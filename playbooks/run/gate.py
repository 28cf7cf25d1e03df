"""What stands between a command that is ready and its beginning: do people have to agree to it first?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from playbooks.run.state import Call


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """People have to agree.

    number   how many of them       seconds  how long they may take
    roles    of which roles they may be; none = every role that may approve
    why      words: ``step`` (the playbook asks for it), ``system`` (it changes a system), ``control`` (in an industrial control
             zone)
    """

    number: int
    seconds: float
    roles: tuple[str, ...] = ()
    why: tuple[str, ...] = ()


Gate: TypeAlias = Callable[[Call], Need | None]
"""Asked before a command is begun for the first time; None lets it through."""


def open_gate(call: Call) -> Need | None:
    """Where whoever starts a run answers for it all, as at a terminal."""
    return None
