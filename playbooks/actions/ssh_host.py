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


class SshHost(msgspec.Struct, frozen=True):
    """A host and the port of its sshd."""

    name: str
    port: int

    def shown(self) -> str:
        """For people."""
        return self.name if self.port == 22 else f"{self.name} port {self.port}"

    def entry(self) -> str:
        """As it stands in a file of host keys (sshd(8)): the name, with another port than 22 in brackets and with it."""
        name = self.name.lower()
        return name if self.port == 22 else f"[{name}]:{self.port}"


def written(text: str) -> SshHost:
    """The host a person writes: ``gw``, ``gw:2222``, ``10.9.0.1``, ``2001:db8::7``, ``[2001:db8::7]:22``; raises ActionError."""
    host, port = text.strip(), "22"
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", host)
    if bracketed:
        host, port = bracketed[1], "22" if bracketed[2] is None else bracketed[2]
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    literal = ":" in host or re.fullmatch(r"[0-9.]+", host)
    return SshHost(_literal(host) if literal else _name(host), _port(port or "none"))


def named(party: Party | None) -> list[SshHost]:
    """The hosts that a target names, in the order in which they are tried. Raises ActionError(COMMAND_WRONG)."""
    if party is None or not party.address:
        hint = "give the step a target of the type ssh"
        raise ActionError("the command has no target with an address", hint, code="COMMAND_WRONG")
    port = _port(party.port)
    found = [SshHost(name, port) for name in _names(party)]
    if not found:
        hint = "give it one under dname, ipv4 or ipv6"
        raise ActionError("the target has no address that SSH can go to", hint, code="COMMAND_WRONG")
    return found


def known(party: Party | None, known_hosts: Path | None, context: Context) -> list[SshHost]:
    """Those hosts of a target that have a key among ``known_hosts``. Raises ActionError(HOST_UNKNOWN) where there is none."""
    wanted = named(party)
    if known_hosts is None or not known_hosts.is_file():
        raise ActionError("no host may be reached by SSH", "name a file in [playbooks] known_hosts", code="HOST_UNKNOWN")
    found = [one for one in wanted if _is_known(one, known_hosts, context)]
    if not found:
        shown = ", ".join(one.shown() for one in wanted)[:200]
        hint = f"add it to {known_hosts}: ./liandun playbook host-keys HOST"
        raise ActionError(f"there is no host key of {shown}", hint, code="HOST_UNKNOWN")
    return found


def ends(host: SshHost) -> tuple[Address, Address] | None:
    """Our address and the host's, as a connection would have them; nothing is sent. None where there is no way to it."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host.name, host.port, type=socket.SOCK_DGRAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.connect(address)
                return _address(probe.getsockname()[0]), _address(probe.getpeername()[0])
    except (OSError, UnicodeError):
        pass  # ssh itself will say so
    return None


def _names(party: Party) -> Iterator[str]:
    for kind in ("dname", "ipv6", "ipv4"):
        for name in party.address.get(kind, ()):
            yield _name(name) if kind == "dname" else _literal(name)


def _name(text: str) -> str:
    if len(text) > 253 or not _NAME.fullmatch(text):
        raise ActionError(f"{text[:80]!r} is no name of a host", code="COMMAND_WRONG")
    return text


def _literal(text: str) -> str:
    try:
        found = ipaddress.ip_address(text)
    except ValueError as error:
        raise ActionError(f"{text[:80]!r} is no address", code="COMMAND_WRONG") from error
    if "%" in text:
        raise ActionError("an address with a zone means something on one host only", code="COMMAND_WRONG")
    return str(found)


def _port(text: str) -> int:
    if not text:
        return 22
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 65535):
        raise ActionError(f"{text[:40]!r} is no port", code="COMMAND_WRONG")
    return int(text)


def _is_known(host: SshHost, known_hosts: Path, context: Context) -> bool:
    """ssh-keygen(1) looks: it knows patterns and hashed names."""
    return process.run(["ssh-keygen", "-F", host.entry(), "-f", str(known_hosts)], context).code == 0


def _address(text: str) -> Address:
    found = ipaddress.ip_address(text.partition("%")[0])
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
