"""``manual``: a person carries the command out and answers, with values for out_args. The executor waits; no worker does."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.variables import Value


def asking(request: Request) -> Plan:
    """What a person would be asked."""
    who = request.target.name if request.target and request.target.name else request.target_id
    return Plan(f"ask a person: {request.command.text()}", (who,) if who else ())


class Manual:
    """Only says what a person would be asked: the executor never hands a manual command to a worker."""

    def plan(self, request: Request) -> Plan:
        return asking(request)

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        raise ActionError("a person has to carry this out")
