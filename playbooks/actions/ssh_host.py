"""Where a command goes by SSH: a host that the administrator knows, never one that only a playbook names.

``[playbooks] known_hosts`` is at once the keys that hosts must show and the list of hosts that may be reached at all: for a host
that does not stand there no connection is opened, so a playbook cannot be used to feel its way around the network.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec

from playbooks.actions import process
from playbooks.actions.contract import ActionError, Context
from playbooks.actions.protected import Address
from playbooks.model import Party

_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*", re.ASCII)
_CONNECT = 10.0


class SshHost(msgspec.Struct, frozen=True):
    """A host that answers. ``near``: our address as the connection has it, ``far``: the host's own."""

    name: str
    port: int
    near: Address
    far: Address

    def shown(self) -> str:
        """For people."""
        return self.name if self.port == 22 else f"{self.name} port {self.port}"


def named(party: Party | None) -> list[tuple[str, int]]:
    """Host and port of each address of a target, in the order in which they are tried. Raises ActionError(COMMAND_WRONG)."""
    if party is None or not party.address:
        raise ActionError(
            "the command has no target with an address", "give the step a target of the type ssh", code="COMMAND_WRONG"
        )
    port = _port(party.port)
    found = [(host, port) for host in _hosts(party)]
    if not found:
        raise ActionError(
            "the target has no address that SSH can go to", "give it one under dname, ipv4 or ipv6", code="COMMAND_WRONG"
        )
    return found


def reached(party: Party | None, known_hosts: Path | None, context: Context) -> SshHost:
    """The first address of a target that is known and answers.

    Raises ActionError: HOST_UNKNOWN where no address has a key among ``known_hosts``, UNREACHABLE (worth another attempt).
    """
    wanted = named(party)
    if known_hosts is None or not known_hosts.is_file():
        raise ActionError("no host may be reached by SSH", "name a file in [playbooks] known_hosts", code="HOST_UNKNOWN")
    known = [one for one in wanted if _is_known(*one, known_hosts, context)]
    if not known:
        shown = ", ".join(host for host, _ in wanted)[:200]
        raise ActionError(
            f"there is no host key of {shown} (port {wanted[0][1]})", f"add it to {known_hosts}, from a source you trust",
            code="HOST_UNKNOWN",
        )  # fmt: skip
    problem = ""
    for host, port in known:
        try:
            with socket.create_connection((host, port), min(_CONNECT, context.left())) as probe:
                near, far = probe.getsockname()[0], probe.getpeername()[0]
            return SshHost(host, port, _address(near), _address(far))
        except OSError as error:
            problem = f"{host} port {port}: {error}"
    context.left()  # says so where the time is over
    raise ActionError(f"cannot be connected to, {problem}", code="UNREACHABLE", again=True)


def _hosts(party: Party) -> Iterator[str]:
    for kind in ("dname", "ipv6", "ipv4"):
        for host in party.address.get(kind, ()):
            if kind == "dname":
                if len(host) > 253 or not _NAME.fullmatch(host):
                    raise ActionError(f"{host[:80]!r} is no name of a host", code="COMMAND_WRONG")
                yield host
                continue
            try:
                found = ipaddress.ip_address(host)
            except ValueError as error:
                raise ActionError(f"{host[:80]!r} is no address", code="COMMAND_WRONG") from error
            if "%" in host:
                raise ActionError("an address with a zone means something on one host only", code="COMMAND_WRONG")
            yield str(found)


def _port(text: str) -> int:
    if not text:
        return 22
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 65535):
        raise ActionError(f"{text[:40]!r} is no port", code="COMMAND_WRONG")
    return int(text)


def _is_known(host: str, port: int, known_hosts: Path, context: Context) -> bool:
    """ssh-keygen(1) looks: it knows patterns and hashed names."""
    entry = host if port == 22 else f"[{host}]:{port}"
    return process.run(["ssh-keygen", "-F", entry, "-f", str(known_hosts)], context).code == 0


def _address(text: str) -> Address:
    found = ipaddress.ip_address(text.partition("%")[0])
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
