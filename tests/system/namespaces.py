"""A small city of network namespaces: two zones, the router between them, and a mirror port that sees what crosses.

::

    office ──┐                          office  10.80.0.10  2001:db8:80::10
             ├─ hub ── router ── water  water   10.60.0.101 2001:db8:60::101
    sensor ──┘

The hub is a bridge that never learns, so every frame leaves at every port: what a SPAN port or a tap gives. The sensor's interface
``mirror`` has no address. Real kernel stacks send real packets; nothing leaves the namespaces. Needs root and iproute2.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

OFFICE = ("10.80.0.10", "2001:db8:80::10")
WATER = ("10.60.0.101", "2001:db8:60::101")
_MTU = "9000"  # frames of a large segment must fit whole through every pair


def available() -> bool:
    """Whether namespaces can be made here."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


class City:
    """The namespaces; :meth:`close` removes them."""

    def __init__(self) -> None:
        mark = secrets.token_hex(3)
        self.office, self.router, self.water, self.sensor, self.hub = (
            f"lnd-{mark}-{name}" for name in ("office", "router", "water", "sensor", "hub")
        )
        self._all = (self.office, self.router, self.water, self.sensor, self.hub)
        self._processes: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        for name in self._all:
            _ip("netns", "add", name)
            self._inside(name, "link", "set", "lo", "up")
        self._pair(self.office, "eth0", self.hub, "to-office")
        self._pair(self.router, "office", self.hub, "to-router")
        self._pair(self.sensor, "mirror", self.hub, "to-sensor")
        self._pair(self.water, "eth0", self.router, "water")
        self._inside(self.hub, "link", "add", "hub", "mtu", _MTU, "type", "bridge", "ageing_time", "0", "mcast_snooping", "0")
        for port in ("to-office", "to-router", "to-sensor"):
            self._inside(self.hub, "link", "set", port, "master", "hub")
        self._inside(self.hub, "link", "set", "hub", "up")
        for port in ("to-office", "to-router", "to-sensor"):
            self._inside(self.hub, "link", "set", port, "type", "bridge_slave", "learning", "off", "flood", "on")
        self._addresses(self.router, "office", "10.80.0.1/24", "2001:db8:80::1/64")
        self._addresses(self.router, "water", "10.60.0.1/16", "2001:db8:60::1/64")
        self._addresses(self.office, "eth0", f"{OFFICE[0]}/24", f"{OFFICE[1]}/64")
        self._addresses(self.water, "eth0", f"{WATER[0]}/16", f"{WATER[1]}/64")
        forward = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
        self.run(self.router, "sh", "-c", forward)
        for host, gateways in ((self.office, ("10.80.0.1", "2001:db8:80::1")), (self.water, ("10.60.0.1", "2001:db8:60::1"))):
            for gateway in gateways:
                self._inside(host, "route", "add", "default", "via", gateway)

    def run(self, name: str, *command: str, seconds: float = 60) -> str:
        """Run a command inside to its end; returns what it said."""
        done = subprocess.run(["ip", "netns", "exec", name, *command], capture_output=True, text=True, timeout=seconds, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def python(self, name: str, code: str, *arguments: str, seconds: float = 60) -> str:
        """Run Python code inside to its end."""
        return self.run(name, sys.executable, "-c", code, *arguments, seconds=seconds)

    def serve(self, name: str, code: str, *arguments: str) -> None:
        """Start Python code inside that goes on until :meth:`close`; returns when it has said a line."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-u", "-c", code, *arguments], stdout=subprocess.PIPE
        )
        self._processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline(), "the server did not start"

    def prefix(self, name: str) -> Sequence[str]:
        """What a command line must begin with to run inside."""
        return ("ip", "netns", "exec", name)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        for name in self._all:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def _pair(self, one: str, interface: str, other: str, end: str) -> None:
        _ip("link", "add", interface, "netns", one, "mtu", _MTU, "type", "veth", "peer", "name", end, "netns", other, "mtu", _MTU)
        for name, link in ((one, interface), (other, end)):
            self._inside(name, "link", "set", link, "up")

    def _addresses(self, name: str, interface: str, *addresses: str) -> None:
        for address in addresses:
            # no duplicate address detection: the address must work at once
            self._inside(name, "addr", "add", address, "dev", interface, *(("nodad",) if ":" in address else ()))

    @staticmethod
    def _inside(name: str, *arguments: str) -> None:
        _ip("-n", name, *arguments)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


@contextlib.contextmanager
def city() -> Iterator[City]:
    """A city for the length of a with block."""
    made = City()
    try:
        made.open()
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the account Suricata runs as may enter (pytest's own are closed to others)."""
    folder = Path("/tmp") / f"liandun-test-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
