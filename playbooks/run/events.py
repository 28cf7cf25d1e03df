"""What happens to a run, in the order of its journal. The machine is nothing but these, one after another.

Each has its moment ``at`` in milliseconds since the epoch: timers are counted from it, so a run that is read back from the journal
has the same timers as before.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from playbooks.variables import Value


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    at: int


class Started(_Event, frozen=True, kw_only=True, tag="started"):
    """The run begins, with the values that its caller gives."""

    variables: dict[str, Value] = {}


class Begun(_Event, frozen=True, kw_only=True, tag="begun"):
    """An attempt at a command is about to begin. Stands in the journal before anything is done. ``digest``: SHA-256 of the
    request."""

    call: str
    attempt: int
    digest: str = ""
    line: str = ""


class Ended(_Event, frozen=True, kw_only=True, tag="ended"):
    """An attempt came to its end. ``code`` "" is success; ``again``: another attempt may succeed. ``by``: the person that
    answered."""

    call: str
    attempt: int
    variables: dict[str, Value] = {}
    code: str = ""
    message: str = ""
    again: bool = False
    by: str = ""


class Asked(_Event, frozen=True, kw_only=True, tag="asked"):
    """A command that is ready may only begin when people agree: ``number`` of them, until the moment ``until`` (milliseconds).

    ``digest`` names the request they are shown; what they agree to is that request and no other. ``why`` is for them.
    """

    call: str
    digest: str
    number: int
    until: int
    roles: tuple[str, ...] = ()
    why: str = ""


class Approved(_Event, frozen=True, kw_only=True, tag="approved"):
    """A person agrees to the request ``digest``, or refuses it (``yes`` False)."""

    call: str
    digest: str
    by: str
    yes: bool = True
    comment: str = ""


class Due(_Event, frozen=True, kw_only=True, tag="due"):
    """All timers up to ``at`` have run out."""


class Resumed(_Event, frozen=True, kw_only=True, tag="resumed"):
    """Another executor took the run over: of what was begun and not ended, nobody knows whether it was done."""

    executor: str = ""


class Decided(_Event, frozen=True, kw_only=True, tag="decided"):
    """A person says about a command whose outcome is unknown: it was ``done``, run it ``again``, or let it ``fail``."""

    call: str
    choice: str
    variables: dict[str, Value] = {}
    by: str = ""
    comment: str = ""


class Cancelled(_Event, frozen=True, kw_only=True, tag="cancelled"):
    """Nothing new shall begin; what runs may end."""

    by: str = ""
    reason: str = ""


class UndoAsked(_Event, frozen=True, kw_only=True, tag="undo"):
    """Take back what the run has done: the undo steps of its actions that have begun, the last one first."""

    by: str = ""


class Settled(_Event, frozen=True, kw_only=True, tag="settled"):
    """A person has taken back by hand what an undo could not: what the step of this ``visit`` did."""

    visit: int
    by: str = ""
    comment: str = ""


Event: TypeAlias = Started | Asked | Approved | Begun | Ended | Due | Resumed | Decided | Cancelled | UndoAsked | Settled


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the trace: what the machine did because of an event.

    event    run, step, delay, condition, branch, round, joined, case, playbook, asked, approved, begun, ended, retry, unknown,
             decided, written, dropped, left, timeout, exception, cancel, undo, settled, late
    branch   where: ``main``, or ``<branch>/<step>[<property>]`` for what a step opened, the same in every run
    """

    event: str
    step: str = ""
    branch: str = ""
    to: str = ""
    command: int | None = None
    target: str = ""
    attempt: int = 0
    value: str = ""
    outcome: str = ""
    code: str = ""
    message: str = ""
    variable: str = ""
