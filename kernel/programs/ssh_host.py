"""Where a command goes by ssh: only to a host whose key stands in a known_hosts file of the administrator's."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import msgspec

from kernel.programs import process
from kernel.programs.error import ProgramError
from kernel.programs.time_left import TimeLeft

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


def read_host(text: str) -> SshHost:
    """``name``, ``name:port`` (name: also an IPv4 address), an IPv6 address, ``[address]:port``.

    Raises ProgramError(COMMAND_WRONG).
    """
    if text.startswith("["):
        address, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise ProgramError(f"{text[:80]!r} is no host", "[2001:db8::1]:22", code="COMMAND_WRONG")
        return SshHost(read_address(address), _written_port(port) if port else 22)
    if text.count(":") > 1:
        return SshHost(read_address(text), 22)
    name, colon, port = text.partition(":")
    return SshHost(read_name_or_address(name), _written_port(colon + port) if colon else 22)


def read_name_or_address(text: str) -> str:
    """A name, an IPv4 address or an IPv6 one without brackets. Raises ProgramError(COMMAND_WRONG)."""
    return read_address(text) if ":" in text or re.fullmatch(r"[0-9.]+", text) else read_name(text)


def _written_port(text: str) -> int:
    if text == ":":
        raise ProgramError("there is no port after the colon", code="COMMAND_WRONG")
    return read_port(text[1:])


def read_name(text: str) -> str:
    """A name of a host (or an IPv4 address), as ssh may be given it. Raises ProgramError(COMMAND_WRONG)."""
    if len(text) > 253 or not _NAME.fullmatch(text):
        raise ProgramError(f"{text[:80]!r} is no name of a host", code="COMMAND_WRONG")
    return text


def read_address(text: str) -> str:
    """An IPv4 or IPv6 address. Raises ProgramError(COMMAND_WRONG)."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError as error:
        raise ProgramError(f"{text[:80]!r} is no address", code="COMMAND_WRONG") from error
    if "%" in text:
        raise ProgramError("an address with a zone means something on one host only", code="COMMAND_WRONG")
    return str(found)


def read_port(text: str) -> int:
    """A port, 22 where there is none. Raises ProgramError(COMMAND_WRONG)."""
    if not text:
        return 22
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= 65535):
        raise ProgramError(f"{text[:40]!r} is no port", code="COMMAND_WRONG")
    return int(text)


def is_known(host: SshHost, known_hosts: Path, time_left: TimeLeft) -> bool:
    """Whether there is a key of the host in the file. ssh-keygen(1) looks: it knows patterns and hashed names."""
    return process.run(["ssh-keygen", "-F", host.entry(), "-f", str(known_hosts)], time_left).code == 0
