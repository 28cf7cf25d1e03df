"""One command on another host, by the system's own ``ssh``: the domestic systems ship one that knows SM2 and SM4.

Whatever ssh could do beyond that is switched off: no configuration of the account, no agent, no forwarding, no terminal, no
proxy, no new host keys. Key or password are handed over in memory (memory_file), never as an argument, in the environment, or on a
disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kernel.programs import process
from kernel.programs.error import ProgramError
from kernel.programs.memory_file import memory_file, memory_log
from kernel.programs.process import Finished
from kernel.programs.ssh_host import SshHost
from kernel.programs.time_left import TimeLeft

_ASKPASS = Path(__file__).with_name("askpass.sh")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@\\-]{0,127}", re.ASCII)
_LONGEST = 100_000
"""Bytes of a command: a single argument of a program has at most 128 KiB (execve(2))."""
_FAILED = 255
"""Exit code of ssh where ssh itself failed."""
_NOT_CONNECTED = (b"ssh: connect to host ", b"ssh: Could not resolve hostname ")
"""How its message begins where no command can have been sent yet."""
_OFF = (
    "CanonicalizeHostname=no", "CheckHostIP=no", "ClearAllForwardings=yes", "ControlMaster=no", "ControlPath=none",
    "EscapeChar=none", "ForwardAgent=no", "ForwardX11=no", "GSSAPIAuthentication=no", "GlobalKnownHostsFile=/dev/null",
    "HostbasedAuthentication=no", "IdentitiesOnly=yes", "IdentityAgent=none", "LogLevel=ERROR", "NumberOfPasswordPrompts=1",
    "PermitLocalCommand=no", "ProxyCommand=none", "RequestTTY=no", "ServerAliveCountMax=3", "ServerAliveInterval=5",
    "StrictHostKeyChecking=yes", "Tunnel=no", "UpdateHostKeys=no", "VerifyHostKeyDNS=no",
)  # fmt: skip


def is_user_name(text: str) -> bool:
    """Whether this may be handed to ssh as the name of a user."""
    return _USER.fullmatch(text) is not None


class Login(msgspec.Struct, frozen=True):
    """A user name, and its private key or its password."""

    user: str
    secret: str

    def __repr__(self) -> str:
        """Without the secret: it is in no message and no log."""
        return f"Login({self.user!r})"

    @property
    def is_key(self) -> bool:
        """Whether the secret is a private key."""
        return self.secret.lstrip().startswith("-----BEGIN ")


def execute(
    hosts: Sequence[SshHost],
    login: Login,
    known_hosts: Path,
    command: str,
    time_left: TimeLeft,
    *,
    stdin: bytes = b"",
    most: int = process.MOST_OUTPUT,
) -> Finished:
    """Run ``command``, which the user's shell over there reads, on the first of ``hosts`` that answers; wait for its end.

    Raises ProgramError: UNREACHABLE where none answers (worth another attempt); SSH_FAILED where one does and ssh could not go on
    (login refused, another host key, connection lost); and what process.run raises. After TIMEOUT or a lost connection
    nobody knows how far the command came.
    """
    if not command.strip() or command.lstrip().startswith("-") or "\0" in command or len(command.encode()) > _LONGEST:
        hint = "not empty, not first a -, at most 100,000 bytes"
        raise ProgramError("this cannot be sent as a command", hint, code="COMMAND_WRONG")
    problem = ""
    with _handed_over(login) as (options, environment):
        for host in hosts:
            with memory_log() as (log, logged):
                arguments = ["ssh", "-F", "none", "-E", log, *_options(host, login, known_hosts, options), "--", host.name, command]
                finished = process.run(arguments, time_left, stdin=stdin, environment=environment, most=most)
                if finished.code != _FAILED:
                    return finished
                own = logged()  # what ssh itself says: what the host says stands in errors, and may say anything
            problem = msgspec.structs.replace(finished, errors=own or finished.errors).said() or "no reason given"
            if not own.startswith(_NOT_CONNECTED):
                raise ProgramError(f"ssh to {host.shown()} failed: {problem}", code="SSH_FAILED")
    raise ProgramError(problem, code="UNREACHABLE", again=True)


def _options(host: SshHost, login: Login, known_hosts: Path, more: list[str]) -> Iterator[str]:
    keys = str(known_hosts).replace("%", "%%")
    for option in (*_OFF, f'UserKnownHostsFile="{keys}"', "ConnectTimeout=10", *more):
        yield from ("-o", option)
    yield from ("-p", str(host.port), "-l", login.user)


@contextmanager
def _handed_over(login: Login) -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """Options and environment with which ssh finds the secret."""
    text = login.secret.strip("\r\n") + "\n"
    with memory_file(text.encode()) as path:
        if login.is_key:
            yield ["BatchMode=yes", "PreferredAuthentications=publickey", f"IdentityFile={path}"], process.ENVIRONMENT
            return
        if not os.access(_ASKPASS, os.X_OK):
            raise ProgramError(f"{_ASKPASS.name} cannot be executed", "chmod +x", code="PROGRAM_MISSING")
        asking = {"SSH_ASKPASS": str(_ASKPASS), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0", "LIANDUN_PASSWORD_FILE": path}
        by_password = ["BatchMode=no", "PubkeyAuthentication=no", "PreferredAuthentications=password,keyboard-interactive"]
        yield by_password, {**process.ENVIRONMENT, **asking}
