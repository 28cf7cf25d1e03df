"""When people have to agree to a command: the platform's own rule, whatever the playbook says.

- What changes a system beyond the platform needs one person, unless its kind was declared automatic in the configuration.
- In a zone with industrial control systems it needs two, always: nothing acts by itself there (GB/T 22239-2019, 8.5.3). Such a
  zone is known by the addresses that the command would touch, or by the run's own ``__ot__`` not being false: what is not known
  counts as one.
- A playbook may ask for more (``approval`` of our extension), never for less.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping

from playbooks.actions.contract import ActionError, ActionKind, Plan, Request
from playbooks.actions.parameters import PROPERTY
from playbooks.model import Party
from playbooks.run.gate import Need
from playbooks.run.state import Call

OT_VARIABLE = "__ot__"


class ApprovalPolicy:
    """A gate (``playbooks.run.gate``)."""

    def __init__(
        self,
        kinds: Mapping[str, ActionKind],
        changes: Callable[[Request], bool],
        in_control_zone: Callable[[str], bool],
        *,
        automatic: frozenset[str] = frozenset(),
        minutes: int = 60,
    ) -> None:
        """
        kinds            say what a command would touch
        changes          whether a request changes a system beyond the platform
        in_control_zone  whether an address lies in a zone with industrial control systems
        automatic        kinds of commands that need nobody elsewhere
        minutes          how long people may take where the playbook does not say
        """
        self._kinds = kinds
        self._changes = changes
        self._in_control_zone = in_control_zone
        self._automatic = automatic
        self._seconds = minutes * 60.0

    def __call__(self, call: Call) -> Need | None:
        """What people have to agree to before ``call`` begins; None = nothing."""
        wish = call.request.options.approval
        changes = self._changes(call.request)
        control = changes and self._concerns_control(call)
        alone = changes and not control and call.request.command.type in self._automatic and not _forced(call.request)
        least = 2 if control else 1 if changes and not alone else 0
        number = max(least, wish.number if wish else 0)
        if number == 0:
            return None
        why = [*(["step"] if wish else []), *(["system"] if changes else []), *(["control"] if control else [])]
        seconds = wish.minutes * 60.0 if wish else self._seconds
        return Need(number=number, seconds=seconds, roles=wish.roles if wish else (), why=tuple(why))

    def _concerns_control(self, call: Call) -> bool:
        told = call.visit.scope.get(OT_VARIABLE)
        if told is not None and str(told.value).lower() != "false":
            return True
        return any(self._in_control_zone(address) for address in self._touched(call.request))

    def _touched(self, request: Request) -> Iterator[str]:
        """Every address that the command names or goes to."""
        kind = self._kinds.get(request.command.type)
        try:
            touches = kind.plan(request).touches if kind is not None else Plan("").touches
        except ActionError:
            touches = ()  # it fails when it is begun
        for text in (*touches, *_written(request.target), *_written(request.agent)):
            yield from _addresses(text)


def _forced(request: Request) -> bool:
    """Whether the command is to touch what other runs have done: that is never automatic."""
    parameters = request.command.more.get(PROPERTY)
    return isinstance(parameters, dict) and str(parameters.get("force", "")).lower() not in ("", "false", "0")


def _written(party: Party | None) -> Iterator[str]:
    if party is not None:
        for addresses in party.address.values():
            yield from addresses


def _addresses(text: str) -> Iterator[str]:
    """IP addresses and networks among the words of a text; of a network its first and last address."""
    for word in text.replace("=", " ").split():
        try:
            network = ipaddress.ip_network(word.strip("[](),;"), strict=False)
        except ValueError:
            continue
        yield str(network[0])
        if network.num_addresses > 1:
            yield str(network[-1])
