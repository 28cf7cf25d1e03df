"""A real platform for system tests: ``liandun serve`` as its own process group of roles, on free ports and a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kernel.health import RoleHealth, read_health
from kernel.layout import Layout

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A TCP port that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Fails where it does not become true. ``seconds`` is what it may take on a quiet machine: a busy one has three times that, for
    these waits find what never comes, not what is slow."""
    deadline = time.monotonic() + 3 * seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {3 * seconds:.0f} s: {what}"
        time.sleep(0.1)


def _parent(pid: int) -> int | None:
    """Of a process (``proc(5)``, status), or ``None`` if there is no such process any more."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return None
    return int(status.partition("PPid:")[2].split()[0])


class Platform:
    """Start, look at, kill and stop one platform. ``prefix`` is put before its command line (``ip netns exec NAME``)."""

    def __init__(self, data: Path, *arguments: str, config: str = "", prefix: Sequence[str] = ()) -> None:
        self.layout = Layout(data).create()
        self.console_port, self.syslog_port = free_port(), free_port()
        if config:
            (data / "liandun.toml").write_text(config, "utf-8")
        self._arguments = arguments
        self._prefix = list(prefix)
        self.output = data / "serve.out"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 90) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LIANDUN_DATA": str(self.layout.root),
            "LIANDUN_CONSOLE_PORT": str(self.console_port),
            "LIANDUN_INGEST_SYSLOG_TCP_PORT": str(self.syslog_port),
            "LIANDUN_INGEST_SYSLOG_UDP_PORT": str(self.syslog_port),
        }
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*self._prefix, sys.executable, "-m", "cli", "serve", *self._arguments],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
            )
        self.wait_for_roles(seconds)

    def wait_for_roles(self, seconds: float = 60) -> None:
        started = time.time()

        def all_alive() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.logs()
            health = self.health()
            return all(role in health and health[role].alive and health[role].updated > started for role in ("ingest", "worker"))

        try:
            wait_until(all_alive, seconds, "ingest and worker run")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.tracebacks()}") from None

    def health(self) -> dict[str, RoleHealth]:
        return read_health(self.layout.health)

    def kill(self, role: str) -> int:
        """kill -9 one role (``supervisor`` included); returns the pid."""
        assert self.process is not None
        pid = self.process.pid if role == "supervisor" else self._pid_of(role)
        os.kill(pid, signal.SIGKILL)
        if role == "supervisor":
            self.process.wait()
        return pid

    def _pid_of(self, role: str) -> int:
        """Of the process that runs now: the role's file may still tell of one that was killed a moment ago."""
        supervisor, found = self.process, [0]
        assert supervisor is not None

        def runs() -> bool:
            told = self.health().get(role)
            found[0] = told.pid if told is not None else 0
            return _parent(found[0]) == supervisor.pid

        wait_until(runs, 60, f"{role} runs")
        return found[0]

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def tracebacks(self) -> str:
        """Logs after every role has been asked where its threads stand."""
        for health in self.health().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(health.pid, signal.SIGUSR1)
        time.sleep(1)
        return self.logs()

    def logs(self) -> str:
        """The end of every role's log, for failure messages."""
        parts = [self.output, *sorted(self.layout.logs.glob("*.log"))]
        return "\n".join(f"--- {path.name}\n{path.read_text('utf-8', 'replace')[-3000:]}" for path in parts if path.exists())
