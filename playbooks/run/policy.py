"""When people have to agree to a command: the platform's own rule, whatever the playbook says.

- What changes a system beyond the platform needs one person, unless its kind was declared automatic in the configuration.
- In a zone with industrial control systems it needs two, always: nothing acts by itself there (GB/T 22239-2019, 8.5.3). Nor does
  anything log in there by itself, were it to read only; by HTTP that is whatever carries a login.
- A playbook may ask for more (``approval`` of our extension), never for less.

Such a zone is known by what the command touches: its targets, what its plan names, every address in what it sends, and every name
in a body of JSON (OpenC2 names the device that it contains there). The run's own ``__ot__`` can only make it more: it counts unless
every playbook of the run that declares it says false, and values of single steps do not count. Where no playbook declares it, all
that is touched has to be known to lie elsewhere.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from playbooks.actions.contract import ActionError, ActionKind, Plan, Request
from playbooks.actions.danger import logs_in
from playbooks.actions.parameters import PROPERTY
from playbooks.model import Command, Party
from playbooks.run.gate import Need
from playbooks.run.state import Call, Frame

OT_VARIABLE = "__ot__"
_ADDRESS = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f:]*(?:[:.][0-9A-Fa-f:.]*)+(?:/[0-9]{1,3})?", re.ASCII)
"""What may be an IPv4 or IPv6 address or network in a text."""
_LONGEST_NAME = 253


class ApprovalPolicy:
    """A gate (``playbooks.run.gate``)."""

    def __init__(
        self,
        kinds: Mapping[str, ActionKind],
        changes: Callable[[Request], bool],
        in_control_zone: Callable[[str], bool | None],
        *,
        automatic: frozenset[str] = frozenset(),
        minutes: int = 60,
    ) -> None:
        """
        kinds            say what a command would touch
        changes          whether a request changes a system beyond the platform
        in_control_zone  whether an address, a network or a name lies in a zone with industrial control systems; None = not known
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
        control = (changes or logs_in(call.request)) and self._concerns_control(call)
        control = control or (call.request.authentication is not None and self._lies_there(call.request))
        alone = changes and not control and call.request.command.type in self._automatic and not _forced(call.request)
        least = 2 if control else 1 if changes and not alone else 0
        number = max(least, wish.number if wish else 0)
        if number == 0:
            return None
        why = [*(["step"] if wish else []), *(["system"] if changes else []), *(["control"] if control else [])]
        seconds = wish.minutes * 60.0 if wish else self._seconds
        return Need(number=number, seconds=seconds, roles=wish.roles if wish else (), why=tuple(why))

    def _concerns_control(self, call: Call) -> bool:
        told = _told(call)
        if told:
            return True
        places = [self._in_control_zone(place) for place in self._touched(call.request)]
        sent = call.request.command
        if True in places or any(self._in_control_zone(one) for one in (*_sent(sent), *_named(sent))):
            return True
        return told is None and (not places or None in places)

    def _lies_there(self, request: Request) -> bool:
        """Whether it is known to go to such a zone: with a login even a GET logs in there."""
        return any(self._in_control_zone(place) for place in self._touched(request))

    def _touched(self, request: Request) -> Iterator[str]:
        """Every address, network and name that the command goes to or says that it touches."""
        kind = self._kinds.get(request.command.type)
        try:
            touches = kind.plan(request).touches if kind is not None else Plan("").touches
        except ActionError:
            touches = ()  # it fails when it is begun
        for text in touches:
            yield from list(_addresses(text)) or [_host(text) if "://" in text else text]
        for party in (request.target, request.agent):
            if party is not None:
                yield from _hosts(party)


def _told(call: Call) -> bool | None:
    """The worst that a playbook of the run says of itself; None where none says anything."""
    found: bool | None = None
    frame: Frame | None = call.visit.branch.frame
    while frame is not None:
        variable = frame.scope.get(OT_VARIABLE)
        if variable is not None:
            found = bool(found) or str(variable.value).lower() != "false"
        frame = frame.opened_by.branch.frame if frame.opened_by is not None else None
    return found


def _hosts(party: Party) -> Iterator[str]:
    for kind, values in party.address.items():
        for value in values:
            yield _host(value) if kind == "url" else value


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def _sent(command: Command) -> Iterator[str]:
    """Addresses and networks in what is sent: the command, its content, its parameters."""
    texts = [msgspec.json.encode(command.more).decode()]
    for read in (command.text, lambda: command.body().decode("utf-8", "replace")):
        try:
            texts.append(read())
        except ValueError:
            continue  # no base64: it fails when it is begun
    for text in texts:
        yield from _addresses(text)


def _named(command: Command) -> list[str]:
    """What may name a host in a body of JSON: its texts."""
    try:
        waiting: list[Any] = [msgspec.json.decode(command.body())]
    except (ValueError, msgspec.DecodeError):
        return []
    found = []
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and 0 < len(one) <= _LONGEST_NAME:
            found.append(one.strip())
        elif isinstance(one, dict | list):
            waiting += one.values() if isinstance(one, dict) else one
    return found


def _addresses(text: str) -> Iterator[str]:
    for match in _ADDRESS.finditer(text):
        for written in (match[0], match[0].rstrip(".:"), match[0].rpartition(":")[0]):  # the end of a sentence, a port
            try:
                network = ipaddress.ip_network(written, strict=False)
            except ValueError:
                continue
            yield str(network) if network.num_addresses > 1 else str(network.network_address)
            break


def _forced(request: Request) -> bool:
    """Whether the command is to touch what other runs have done: that is never automatic."""
    parameters = request.command.more.get(PROPERTY)
    return isinstance(parameters, dict) and str(parameters.get("force", "")).lower() not in ("", "false", "0")
