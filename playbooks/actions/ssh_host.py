"""Where a command goes by SSH: a host that the administrator knows, never one that only a playbook names.

``[playbooks] known_hosts`` is at once the keys that hosts must show and the list of hosts that may be reached at all: for a host
that does not stand there no connection is opened, so a playbook cannot be used to feel its way around the network.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from kernel.programs.ssh_host import SshHost, is_known, read_address, read_host, read_name, read_name_or_address, read_port
from playbooks.actions.contract import ActionError, Context
from playbooks.actions.program_errors import as_actions
from playbooks.actions.protected import Address
from playbooks.model import Party

__all__ = ["SshHost", "ends", "known", "named", "written"]


def written(text: str) -> SshHost:
    """The host a person writes: ``gw``, ``gw:2222``, ``10.9.0.1``, ``2001:db8::7``, ``[2001:db8::7]:22``; raises ActionError."""
    with as_actions():
        return read_host(text.strip())


def named(party: Party | None) -> list[SshHost]:
    """The hosts that a target names, in the order in which they are tried. Raises ActionError(COMMAND_WRONG)."""
    if party is None or not party.address:
        hint = "give the step a target of the type ssh"
        raise ActionError("the command has no target with an address", hint, code="COMMAND_WRONG")
    with as_actions():
        port = read_port(party.port)
        found = [*(_of_url(url, port) for url in party.address.get("url", ())), *(SshHost(name, port) for name in _names(party))]
    if not found:
        hint = "give it one under dname, ipv4, ipv6 or url (ssh://HOST)"
        raise ActionError("the target has no address that SSH can go to", hint, code="COMMAND_WRONG")
    return found


def known(party: Party | None, known_hosts: Path | None, context: Context) -> list[SshHost]:
    """Those hosts of a target that have a key among ``known_hosts``. Raises ActionError(HOST_UNKNOWN) where there is none."""
    wanted = named(party)
    if known_hosts is None or not known_hosts.is_file():
        raise ActionError("no host may be reached by SSH", "name a file in [playbooks] known_hosts", code="HOST_UNKNOWN")
    with as_actions():
        found = [one for one in wanted if is_known(one, known_hosts, context)]
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


def _of_url(url: str, port: int) -> SshHost:
    """``ssh://HOST`` or ``ssh://HOST:PORT`` and nothing more: the login is the target's. Raises ActionError(COMMAND_WRONG)."""
    try:
        parts = urlsplit(url)
        host, given = parts.hostname or "", parts.port
    except ValueError as error:
        raise ActionError(f"the address {url[:80]!r} cannot be read: {error}", "ssh://HOST", code="COMMAND_WRONG") from error
    if parts.scheme != "ssh" or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment or given == 0:
        raise ActionError(f"the address {url[:80]!r} is none of the form ssh://HOST", "ssh://HOST", code="COMMAND_WRONG")
    return SshHost(read_name_or_address(host), given or port)


def _names(party: Party) -> Iterator[str]:
    for kind in ("dname", "ipv6", "ipv4"):
        for name in party.address.get(kind, ()):
            yield read_name(name) if kind == "dname" else read_address(name)


def _address(text: str) -> Address:
    found = ipaddress.ip_address(text.partition("%")[0])
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found
