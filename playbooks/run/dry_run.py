"""A dry run: the machine itself goes through the playbook, every command is shown with its values and succeeds, nothing is done.

What a command would give back is not known: its variables keep the values that they have, or take the ones given for the dry run. A
condition on a value that is not known fails as it would in a run; give the value to see what comes after. Delays pass at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from playbooks.actions.contract import ActionError, ActionKind, Plan, Request
from playbooks.actions.manual import asking
from playbooks.model import Playbook
from playbooks.run.events import Begun, Due, Ended, Entry, Started
from playbooks.run.machine import ENDED, Library, Limits, Machine
from playbooks.run.state import Call
from playbooks.variables import Value


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A command that would be carried out. ``problem``: why it could not."""

    request: Request
    branch: str
    plan: Plan
    problem: str = ""


def dry_run(
    playbook: Playbook,
    kinds: Mapping[str, ActionKind],
    *,
    variables: Mapping[str, Value] | None = None,
    assumed: Mapping[str, Value] | None = None,
    library: Library | None = None,
    limits: Limits = Limits(rounds=100, visits=5_000),
) -> Iterator[Shown | Entry]:
    """What a run would do, in order: commands, and the trace between them; the last entry says how it would end.

    ``assumed``: values that commands would give back, by variable.
    """
    machine = Machine(playbook, library, limits)
    now = 0
    machine.apply(Started(at=now, variables=dict(variables or {})))
    yield from machine.taken_trace()
    while machine.state not in ENDED:
        ready = machine.ready()
        if not ready:
            now = machine.next_timer() or now + 1
            machine.apply(Due(at=now))
            yield from machine.taken_trace()
            continue
        call = ready[0]
        yield _shown(call, kinds)
        machine.apply(Begun(at=now, call=call.key, attempt=call.attempt))
        given = {name: value for name, value in (assumed or {}).items() if name in call.request.out_args}
        machine.apply(Ended(at=now, call=call.key, attempt=call.attempt, variables=given))
        yield from machine.taken_trace()


def _shown(call: Call, kinds: Mapping[str, ActionKind]) -> Shown:
    request, branch = call.request, call.visit.branch.label
    if call.by_hand:
        return Shown(request=request, branch=branch, plan=asking(request))
    kind = kinds.get(request.command.type)
    if kind is None:
        message = f"commands of the kind {request.command.type} cannot be carried out here"
        return Shown(request=request, branch=branch, plan=Plan(request.command.command), problem=message)
    try:
        return Shown(request=request, branch=branch, plan=kind.plan(request))
    except ActionError as error:
        return Shown(request=request, branch=branch, plan=Plan(request.command.command), problem=str(error))
