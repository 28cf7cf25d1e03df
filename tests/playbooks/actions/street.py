"""Namespaces for tests of response: an attacker and a server on both sides of a gateway, the platform at its third side.

::

    attacker ── gateway ── server       attacker 203.0.113.7  2001:db8:bad::7
                   │                    server   10.60.0.10   2001:db8:60::10
                 platform               platform 10.9.0.2     2001:db8:9::2

Real kernels, real packets; nothing leaves the namespaces. Needs root and iproute2.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

ATTACKER = ("203.0.113.7", "2001:db8:bad::7")
SERVER = ("10.60.0.10", "2001:db8:60::10")
GATEWAY = ("10.9.0.1", "2001:db8:9::1")
PLATFORM = ("10.9.0.2", "2001:db8:9::2")
Sides: TypeAlias = dict[str, tuple[tuple[str, str], tuple[str, str]]]
"""Namespace → its addresses (IPv4 /24, IPv6 /64), and those of the gateway's leg to it."""
_SIDES: Sides = {
    "attacker": (ATTACKER, ("203.0.113.1", "2001:db8:bad::1")),
    "server": (SERVER, ("10.60.0.1", "2001:db8:60::1")),
    "platform": (PLATFORM, GATEWAY),
}
_NEWNET = 0x40000000
_ECHO = """
import socket, threading

def echo(connection):
    while octets := connection.recv(4096):
        connection.sendall(octets)

one = socket.create_server(("", 80), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    threading.Thread(target=echo, args=one.accept()[:1], daemon=True).start()
"""


def available(*programs: str) -> bool:
    """Whether namespaces can be made here, and the programs are there."""
    return os.geteuid() == 0 and all(shutil.which(one) or Path("/usr/sbin", one).exists() for one in ("ip", *programs))


class Street:
    """The namespaces. A thread that is ``inside`` one opens sockets and starts programs there."""

    def __init__(self, sides: Sides = _SIDES) -> None:
        mark = secrets.token_hex(3)
        self._sides = sides
        self.names = {one: f"lnr-{mark}-{one}" for one in ("gateway", *sides)}
        self._processes: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        for name in self.names.values():
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        for side, (ours, theirs) in self._sides.items():
            there, gateway = self.names[side], self.names["gateway"]
            _ip("link", "add", "eth0", "netns", there, "type", "veth", "peer", "name", side, "netns", gateway)
            for name, link, addresses in ((there, "eth0", ours), (gateway, side, theirs)):
                _ip("-n", name, "link", "set", link, "up")
                _ip("-n", name, "addr", "add", f"{addresses[0]}/24", "dev", link)
                _ip("-n", name, "addr", "add", f"{addresses[1]}/64", "dev", link, "nodad")
            for gateway_address in theirs:
                _ip("-n", there, "route", "add", "default", "via", gateway_address)
        self.run("gateway", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")

    def run(self, side: str, *command: str) -> str:
        """Run a command inside to its end; returns what it said."""
        line = ["ip", "netns", "exec", self.names[side], *command]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def start(self, side: str, *command: str, output: int | None = None) -> subprocess.Popen[bytes]:
        """Start a program inside that goes on until the end."""
        process = subprocess.Popen(["ip", "netns", "exec", self.names[side], *command], stdout=output)
        self._processes.append(process)
        return process

    def listen(self, side: str) -> None:
        """Echo on port 80 from now on."""
        process = self.start(side, sys.executable, "-u", "-c", _ECHO, output=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline(), "the server did not start"

    @contextlib.contextmanager
    def inside(self, side: str) -> Iterator[None]:
        """This thread, and threads and programs that it starts, are in the namespace (setns(2))."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.names[side]}", os.O_RDONLY)
        try:
            _setns(there)
            yield
        finally:
            _setns(before)
            os.close(before)
            os.close(there)

    def reaches(self, side: str, address: str, port: int = 80, seconds: float = 0.5) -> bool:
        """Whether a connection from there comes about."""
        with self.inside(side):
            try:
                socket.create_connection((address, port), seconds).close()
            except OSError:
                return False
            return True

    def becomes(self, side: str, address: str, reachable: bool, seconds: float, port: int = 80) -> bool:
        """Wait until ``reaches`` says so; False where it does not within ``seconds``."""
        end = time.monotonic() + seconds
        while self.reaches(side, address, port) != reachable:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


@contextlib.contextmanager
def street(sides: Sides = _SIDES) -> Iterator[Street]:
    """The namespaces for the length of a with block."""
    made = Street(sides)
    try:
        made.open()
        yield made
    finally:
        made.close()


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
