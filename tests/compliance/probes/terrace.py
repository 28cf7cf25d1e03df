"""Many hosts of one house: its sshd answers at many loopback addresses, each with its line in known_hosts, and counts its sessions.

Each address is a connection, a login and a session of its own. What the house writes down of them tells how many there were at a
time, as the hosts saw it.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from compliance.probes.reading.host import There
from compliance.probes.target import LinuxHost
from kernel.programs.ssh import Login
from kernel.programs.ssh_host import SshHost
from tests.compliance.probes.house import House
from tests.playbooks.actions.street import Street, street

NOBODY, SILENT = 2022, 2023
"""Ports where nobody listens, and where connections are taken and nothing is ever said."""
_COUNTED = """#!/bin/sh
echo "begin $(date +%s%N) ${SSH_CONNECTION}" >>/var/log/sessions
sh -c "$SSH_ORIGINAL_COMMAND"
code=$?
echo "end $(date +%s%N) ${SSH_CONNECTION}" >>/var/log/sessions
exit $code
"""
_SSHD = """HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized
PidFile none
LogLevel ERROR
UsePAM no
StrictModes no
MaxStartups 500
PermitRootLogin prohibit-password
ForceCommand /etc/ssh/counted
"""
_FILES: Mapping[str, str | None] = {"etc/ssh/sshd_config": _SSHD, "etc/ssh/counted": _COUNTED}
_MODES = {"etc/ssh/counted": 0o755, "etc/ssh/ssh_host_ed25519_key": 0o600}


class Sessions(msgspec.Struct, frozen=True):
    """What the house wrote down: sessions, addresses that were reached, and how many sessions there were at a time at most."""

    number: int
    addresses: int
    most: int


class Terrace:
    """Up when made. ``inside``: the thread that probes has to be where the addresses are."""

    def __init__(self, made: Street, folder: Path, number: int) -> None:
        self._street, self._house = made, House(made, "server", folder, _FILES, _MODES)
        self._login = self._house.login(self._house.host)
        self.names = [f"127.1.{one // 250}.{one % 250 + 1}" for one in range(number)]
        _, kind, key = self._house.known_hosts.read_text().split()
        self._known = folder / "terrace"
        self._known.write_text("".join(f"{name},[{name}]:{NOBODY},[{name}]:{SILENT} {kind} {key}\n" for name in self.names))

    def target(self, name: str, port: int = 22) -> LinuxHost:
        """A host of the terrace; with one of the ports above a host that is not well."""
        host = SshHost(name, port)
        return LinuxHost(host.shown(), There(host, self._enter, self._known))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """This thread and those that it starts are where the addresses are; so is who says nothing."""
        with self._street.inside("server"), socket.create_server(("", SILENT), backlog=64):
            yield

    def sessions(self, after: int = 0) -> Sessions:
        """Since it is up, the first ``after`` of them left aside; all of them have to have ended."""
        log = self._house.inside / "var/log/sessions"
        lines = [line.split() for line in (log.read_text() if log.exists() else "").splitlines()[2 * after :]]
        steps = sorted((int(at), 1 if what == "begin" else -1) for what, at, *_ in lines)
        begun = [line for line in lines if line[0] == "begin"]
        most = max(itertools.accumulate(step for _, step in steps), default=0)
        return Sessions(len(begun), len({line[4] for line in begun}), most)

    def _enter(self, host: SshHost) -> Login:
        return self._login


@contextmanager
def terrace(folder: Path, number: int) -> Iterator[Terrace]:
    """``number`` hosts for the length of a with block. Needs root, iproute2 and openssh-server."""
    with street() as made:
        yield Terrace(made, folder, number)
