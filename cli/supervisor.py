"""Starts the roles, restarts what dies, and keeps the sockets that must not die with them.

See :mod:`kernel.handover` for the sockets. A role that ends is started again after 1, 2, 4 … 30 seconds (reset once it has run
for a minute). SIGTERM or Ctrl-C ends the roles in the order of the road: senders first, the store's writer last.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from cli.roles.process import SUPERVISOR_VARIABLE
from collectors.sockets import listen_tcp, listen_udp
from crypto.private_file import open_lock
from kernel.config import ROOT, Config
from kernel.errors import LiandunError
from kernel.handover import ENVIRONMENT, SocketKeeper, office_process
from kernel.layout import Layout

STOP_SECONDS = 15.0
LONGEST_PAUSE = 30.0
SETTLED_SECONDS = 60.0


class Child:
    """One role process and its restart clock."""

    def __init__(self, name: str, arguments: list[str], log: Path, sockets: Callable[[], tuple[dict[str, str], list[int]]]) -> None:
        self.name = name
        self.restarts = 0
        self._arguments = arguments
        self._log = log
        self._sockets = sockets
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = 1.0
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        environment, descriptors = self._sockets()
        with self._open_log() as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli", *self._arguments],
                cwd=ROOT,
                env={**os.environ, **environment, **self._own_environment()},
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the supervisor only; it stops the roles in order
            )
        self._started = time.monotonic()

    @staticmethod
    def _own_environment() -> dict[str, str]:
        return {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", SUPERVISOR_VARIABLE: str(os.getpid())}

    def _open_log(self) -> IO[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._log.exists() and self._log.stat().st_size > 20 << 20:
            self._log.replace(self._log.with_suffix(".log.1"))
        return self._log.open("ab")

    def tend(self) -> None:
        """Start it again if it has ended and its pause is over."""
        if self._process is not None:
            if self._process.poll() is None:
                return
            lived = time.monotonic() - self._started
            self._pause = 1.0 if lived > SETTLED_SECONDS else min(self._pause * 2, LONGEST_PAUSE)
            self._not_before = time.monotonic() + self._pause / 2
            self._process = None
            self.restarts += 1
        if time.monotonic() < self._not_before:
            return
        try:
            self.start()
        except OSError as error:  # a full disk or too many processes: the supervisor must outlive it
            self._not_before = time.monotonic() + LONGEST_PAUSE
            print(f"liandun: role {self.name} cannot be started, next try in {LONGEST_PAUSE:.0f} s: {error}", file=sys.stderr)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Supervisor:
    """All roles of one data directory. Use :meth:`open`, then :meth:`run`."""

    def __init__(self, config: Config, extra_roles: dict[str, list[str]] | None = None) -> None:
        self._config = config
        self._data = config.data_dir
        self._keeper = SocketKeeper()
        self._stop = threading.Event()
        self._lock = self._take_lock()
        self._console = _listen(listen_tcp, config.console.host, config.console.port, "console.port", self._patience())
        self._open_ingest_sockets()
        self._links = {
            listener.id: _listen(listen_tcp, listener.host, listener.port, f"links.listener.{listener.id}.port", self._patience())
            for listener in config.links.listener
        }
        base = ["role"]
        self.children = [
            self._child("worker", [*base, "worker"]),
            self._child("ingest", [*base, "ingest"], self._ingest_sockets),
            *([self._child("links", [*base, "links"], self._link_sockets)] if config.links.listener else []),
            self._child("scheduler", [*base, "scheduler"]),
            self._child("playbooks", [*base, "playbooks"]),
            self._child("console", [*base, "console"], self._console_socket),
            *[self._child(name, arguments) for name, arguments in (extra_roles or {}).items()],
        ]

    def _child(
        self, name: str, arguments: list[str], sockets: Callable[[], tuple[dict[str, str], list[int]]] = lambda: ({}, [])
    ) -> Child:
        return Child(name, arguments, self._data / "log" / f"{name}.log", sockets)

    def _patience(self) -> float:
        """Only where a platform has run before can something of it still be ending."""
        return STOP_SECONDS if any(Layout(self._data).health.glob("*.json")) else 0.0

    def _take_lock(self) -> IO[str]:
        run = self._data / "run"
        run.mkdir(parents=True, exist_ok=True)
        lock = os.fdopen(open_lock(run / "supervisor.lock"), "r+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LiandunError(
                f"{self._data}: a platform already runs on this data directory", "stop it first, or choose another with --data"
            ) from None
        return lock

    def _open_ingest_sockets(self) -> None:
        """Take over the sockets of an ingest that survived its supervisor, else open new ones."""
        office = self._data / "run" / "ingest.sock"
        if office.exists() and self._keeper.connect(office):
            self._retire_survivor(office)
        syslog = self._config.ingest.syslog
        wanted_host = {"": "::"}.get(syslog.host, syslog.host)
        for name, listen, port in (("syslog-udp", listen_udp, syslog.udp_port), ("syslog-tcp", listen_tcp, syslog.tcp_port)):
            if self._keeper.address(f"listen:{name}") == (wanted_host, port):
                continue
            self._keeper.drop(f"listen:{name}")  # the survivor's configuration was another one
            if port:
                key = f"ingest.syslog.{name[-3:]}_port"
                with _listen(listen, syslog.host, port, key, self._patience()) as sock:
                    self._keeper.hold(f"listen:{name}", sock)

    def _retire_survivor(self, office: Path) -> None:
        """Wait until its sockets have arrived here, then end the old ingest; the new one goes on with them."""
        pid = office_process(office)
        _settle(lambda: tuple(self._keeper.names()))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _runs(pid) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _ingest_sockets(self) -> tuple[dict[str, str], list[int]]:
        return self._keeper.inheritance()

    def _link_sockets(self) -> tuple[dict[str, str], list[int]]:
        """Listeners only: an open link dies with the keys of its process, an attempt waits in the queue for the next process."""
        held = {f"listen:{name}": listening.fileno() for name, listening in self._links.items()}
        return {ENVIRONMENT: json.dumps(held)}, list(held.values())

    def _console_socket(self) -> tuple[dict[str, str], list[int]]:
        return {"LIANDUN_CONSOLE_FD": str(self._console.fileno())}, [self._console.fileno()]

    def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call ``ready`` once the console answers, tend until told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        threading.Thread(target=self._tell_when_ready, args=(ready,), daemon=True).start()
        office = self._data / "run" / "ingest.sock"
        ingest = next(child for child in self.children if child.name == "ingest")
        attached_to: int | None = None
        while not self._stop.wait(0.2):
            for child in self.children:
                child.tend()
            if ingest.pid != attached_to and self._keeper.connect(office):
                attached_to = ingest.pid
        for child in reversed(self.children):
            child.stop()

    def _tell_when_ready(self, ready: Callable[[], None]) -> None:
        host, port = self._console.getsockname()[:2]
        deadline = time.monotonic() + 120
        while not self._stop.is_set() and time.monotonic() < deadline:
            try:
                with socket.create_connection((_reachable(host), port), 5) as probe:
                    probe.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                    probe.settimeout(30)
                    if probe.recv(12).startswith(b"HTTP/"):
                        ready()
                        return
            except OSError:
                pass
            self._stop.wait(0.3)


def _listen(listen: Callable[[str, int], socket.socket], host: str, port: int, key: str, patience: float = 0.0) -> socket.socket:
    """Open a listener; the error names the setting ``key`` that moves it elsewhere.

    patience  seconds to wait for an address that is in use: the roles of a killed supervisor take a moment to end
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return listen(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            told = "" if key.startswith("links.") else f" (environment LIANDUN_{key.upper().replace('.', '_')})"
            raise LiandunError(f"cannot listen on {host} port {port}: {error.strerror}", f"free it, or set {key}{told}") from error


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 — compared, not bound


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _settle(value: Callable[[], object], quiet_seconds: float = 0.3) -> None:
    """Wait until ``value()`` has not changed for a while."""
    last, since = value(), time.monotonic()
    while time.monotonic() - since < quiet_seconds:
        time.sleep(0.02)
        if (now := value()) != last:
            last, since = now, time.monotonic()
