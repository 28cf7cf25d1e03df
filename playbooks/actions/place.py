"""Where a fixed program is run for a command: on the target by SSH, or on this machine where the command has no target.

Programs and their arguments are our own; what a playbook says is validated before, and reaches a program as one argument or on its
standard input. The shell of the other host reads every argument quoted.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from playbooks.actions import process, ssh_client, ssh_host
from playbooks.actions.contract import ActionError, Context, Request
from playbooks.actions.process import Finished
from playbooks.actions.protected import Network, networks
from playbooks.actions.settings import Settings
from playbooks.vocabulary import EXECUTORS

NOT_FOUND = 127
"""Exit code of a shell that finds no such program."""


class Place(Protocol):
    """A machine on which programs can be run. ``ours``: addresses without which we would lose it."""

    ours: tuple[Network, ...]

    def run(self, arguments: Sequence[str], *, stdin: bytes = b"", most: int = process.MOST_OUTPUT) -> Finished:
        """Run a program to its end, whatever its exit code. Raises ActionError, also where there is no such program."""
        ...


class _Here:
    def __init__(self, settings: Settings, context: Context) -> None:
        self.ours: tuple[Network, ...] = ()
        self._prefix = () if os.geteuid() == 0 else settings.privilege
        self._context = context

    def run(self, arguments: Sequence[str], *, stdin: bytes = b"", most: int = process.MOST_OUTPUT) -> Finished:
        return process.run([*self._prefix, *arguments], self._context, stdin=stdin, most=most)


class There:
    """A host by SSH. ``near``: our addresses as connections to it have them, ``far``: its own."""

    def __init__(self, request: Request, known_hosts: Path, privilege: tuple[str, ...], context: Context) -> None:
        """Nothing is sent yet. Raises ActionError where the host is not known, or the login is not there."""
        self._hosts = ssh_host.known(request.target, known_hosts, context)
        self._login = ssh_client.login_of(request.authentication, self._hosts, context)
        self._prefix = () if self._login.user == "root" else privilege
        self._known_hosts = known_hosts
        self._context = context
        ends = [both for both in map(ssh_host.ends, self._hosts) if both]
        self.near = networks(str(near) for near, _ in ends)
        self.far = networks(str(far) for _, far in ends)
        self.ours: tuple[Network, ...] = (*self.near, *self.far)

    def run(self, arguments: Sequence[str], *, stdin: bytes = b"", most: int = process.MOST_OUTPUT) -> Finished:
        line = shlex.join([*self._prefix, *arguments])
        finished = ssh_client.execute(self._hosts, self._login, self._known_hosts, line, self._context, stdin=stdin, most=most)
        if finished.code == NOT_FOUND:
            raise ActionError(f"{self._hosts[0].shown()} has no {arguments[0]}: {finished.said()}", code="PROGRAM_MISSING")
        return finished


def is_here(request: Request) -> bool:
    """Whether a command is for this machine: the agent is the platform itself, and there is no target."""
    return request.target is None or (not request.target_id and request.target.type in EXECUTORS)


def place_name(request: Request) -> str:
    """The machine, for people. Raises ActionError where the target has no address."""
    return "this machine" if is_here(request) else ssh_host.named(request.target)[0].shown()


def there_of(request: Request, settings: Settings, context: Context) -> There:
    """The target. Raises ActionError where it may not be reached."""
    if settings.known_hosts is None:
        raise ActionError("no host may be reached by SSH", "name a file in [playbooks] known_hosts", code="HOST_UNKNOWN")
    return There(request, settings.known_hosts, settings.privilege, context)


def place_of(request: Request, settings: Settings, context: Context) -> Place:
    """The target, or this machine where there is none. Raises ActionError where that is not allowed."""
    if not is_here(request):
        return there_of(request, settings, context)
    if not settings.local_firewall:
        hint = "give the step a target of the type ssh, or set [playbooks] local_firewall"
        raise ActionError("the packet filter of this machine is not for playbooks", hint, code="NOT_ALLOWED")
    return _Here(settings, context)
