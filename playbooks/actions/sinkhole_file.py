"""The file that diverts one name on a DNS server, and putting it there or away (``sinkhole.sh``, which runs on that server).

dnsmasq: ``address=`` answers, ``local=`` keeps every other question for the name from going on to servers outside.
unbound: a zone of the type ``redirect`` answers for all names below; without addresses ``always_nxdomain``.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

from playbooks.actions.contract import ActionError
from playbooks.actions.place import Place
from playbooks.actions.settings import DnsServer

_SCRIPT = Path(__file__).with_name("sinkhole.sh").read_bytes()
_PROBLEMS = {
    3: "the file cannot be written",
    4: "the configuration of the server was broken before",
    5: "the server does not take it, it is as before",
    6: "the server could not be told, it is as before",
    7: "the name is diverted already, elsewhere",
}
_CODES = {7: "CONFLICT"}


class Diversion(msgspec.Struct, frozen=True):
    """A name (divertible) and the addresses that it gets, on a server of this kind."""

    domain: str
    addresses: tuple[str, ...]
    kind: str
    server: DnsServer

    def content(self) -> str:
        """The lines of the file."""
        return "\n".join(_dnsmasq(self) if self.kind == "dnsmasq" else _unbound(self))

    def file(self) -> str:
        """Its path: one file for each name, so that two runs cannot take each other's away."""
        return f"{self.server.folder.rstrip('/')}/liandun-{self.domain}.conf"


def put(place: Place, diversion: Diversion, run: str) -> str:
    """Divert the name; ``new``, or ``already``. Raises ActionError; then the server is as it was before."""
    return _script(place, diversion, "add", run, force=False)


def take_away(place: Place, diversion: Diversion, run: str, *, force: bool) -> str:
    """Answer as before: ``removed``, ``none``, or ``others`` where another run diverted it. Raises ActionError."""
    return _script(place, diversion, "remove", run, force=force)


def _script(place: Place, diversion: Diversion, act: str, run: str, *, force: bool) -> str:
    server = diversion.server
    commands = (shlex.join(server.check), shlex.join(server.reload))
    arguments = (act, diversion.file(), run, diversion.content(), *commands, "yes" if force else "no")
    finished = place.run(["sh", "-s", "--", *arguments], stdin=_SCRIPT)
    if finished.code != 0:
        what = _PROBLEMS.get(finished.code, f"exit code {finished.code}")
        raise ActionError(f"{what}: {finished.said()}", code=_CODES.get(finished.code, "SINKHOLE_FAILED"))
    return finished.output.decode("ascii", "replace").strip().rpartition("\n")[2]


def _dnsmasq(diversion: Diversion) -> Iterator[str]:
    yield f"local=/{diversion.domain}/"
    for address in diversion.addresses:
        yield f"address=/{diversion.domain}/{address}"


def _unbound(diversion: Diversion) -> Iterator[str]:
    kind = "redirect" if diversion.addresses else "always_nxdomain"
    yield "server:"
    yield f'  local-zone: "{diversion.domain}." {kind}'
    for address in diversion.addresses:
        record = "A" if ipaddress.ip_address(address).version == 4 else "AAAA"
        yield f'  local-data: "{diversion.domain}. 60 IN {record} {address}"'
