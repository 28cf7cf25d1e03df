"""A snapshot of a Linux host in one round trip: the script that is sent (``look.sh``), and reading what comes back.

What comes back is a host's word, taken within limits: only frames that were asked for count, each once, and an answer that does not
come to its end counts for nothing.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from compliance.probes.facts import Part
from compliance.probes.formats.hidden import hidden
from compliance.probes.reading.linux_parts import MOST, NOT_THERE, PARTS, PRELUDE
from kernel.programs import process, ssh
from kernel.programs.error import ProgramError
from kernel.programs.process import Finished
from kernel.programs.ssh import Login
from kernel.programs.ssh_host import SshHost, is_known
from kernel.programs.time_left import TimeLeft

_SCRIPT = Path(__file__).with_name("look.sh").read_text("utf-8")
_MOST_SAID = 24 * 1024 * 1024
_TIMED_OUT = 124


class Shell(Protocol):
    """Where a script can be handed to sh(1)."""

    def run(self, script: bytes, most: int, time_left: TimeLeft) -> Finished:
        """Run it to its end. Raises ProgramError."""
        ...


class Here(msgspec.Struct, frozen=True):
    """This machine."""

    def run(self, script: bytes, most: int, time_left: TimeLeft) -> Finished:
        return process.run(["sh", "-s"], time_left, stdin=script, most=most)


class There(msgspec.Struct, frozen=True):
    """A host by ssh. ``login`` is asked for when the host is known and about to be connected to, and forgotten afterwards.

    privilege  what commands begin with where the login is not root, for example sudo -n
    """

    host: SshHost
    login: Callable[[SshHost], Login]
    known_hosts: Path
    privilege: tuple[str, ...] = ()

    def run(self, script: bytes, most: int, time_left: TimeLeft) -> Finished:
        if not self.known_hosts.is_file() or not is_known(self.host, self.known_hosts, time_left):
            hint = f"add it to {self.known_hosts}, from a source you trust"
            raise ProgramError(f"there is no host key of {self.host.shown()}", hint, code="HOST_UNKNOWN")
        login = self.login(self.host)
        prefix = () if login.user == "root" else self.privilege
        line = shlex.join([*prefix, "sh", "-s"])
        return ssh.execute([self.host], login, self.known_hosts, line, time_left, stdin=script, most=most)


def look(shell: Shell, parts: Collection[str], time_left: TimeLeft) -> dict[str, Part]:
    """Ask a host for ``parts`` (names in linux_parts). Nothing is written there.

    Raises ProgramError: LOOK_BROKEN where the answer does not come to its end, and what the way there raises.
    """
    wanted = [name for name in PARTS if name in parts]
    mark = secrets.token_hex(16)
    finished = shell.run(script(mark, wanted).encode(), _MOST_SAID, time_left)
    if finished.code != 0 or f"\n{mark} done\n".encode() not in finished.output[-200:]:
        raise ProgramError(f"the host did not say all of it: exit code {finished.code}, {finished.said()}", code="LOOK_BROKEN")
    said = _frames(mark, finished.output)
    return {name: said.get(name, Part("", "the host did not say it", PARTS[name].how)) for name in wanted}


def script(mark: str, wanted: Sequence[str]) -> str:
    """All of it in one function: a script that arrives only in part does nothing."""
    lines = [f"mark={mark}", "look() {", _SCRIPT]
    for name in wanted:
        ask = PARTS[name]
        lines.append(shlex.join(["part", name, str(MOST + 1), str(ask.seconds), PRELUDE + ask.command]))
    return "\n".join([*lines, "printf '\\n%s done\\n' \"$mark\"", "}", "look", "exit 0", ""])


def _frames(mark: str, output: bytes) -> dict[str, Part]:
    sign = mark.encode()
    pattern = rb"\n%s begin ([a-z0-9-]{1,40})\n(.*?)\n%s complained ([^\n]*)\n%s end ([0-9]{1,3})\n" % (sign, sign, sign)
    found: dict[str, Part] = {}
    for name, body, complained, code in re.findall(pattern, output, re.DOTALL):
        text = name.decode()
        if text in found or text not in PARTS:
            raise ProgramError(f"the host said {text} in a way that was not asked for", code="LOOK_BROKEN")
        found[text] = Part(hidden(body.decode("utf-8", "replace")), _problem(body, int(code), complained), PARTS[text].how)
    return found


def _problem(body: bytes, code: int, complained: bytes) -> str:
    if len(body) > MOST:
        return f"longer than {MOST:,} octets"
    if code == _TIMED_OUT:
        return "it took too long"
    if code == NOT_THERE:
        return "the host does not have it"
    if code:
        told = complained.decode("utf-8", "replace")
        return f"exit code {code} {' '.join(''.join(c if c.isprintable() else ' ' for c in told).split())[:200]}".rstrip()
    return ""
