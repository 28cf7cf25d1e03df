"""A real Elasticsearch for tests: started once, on a free port, ended by its own process id.

``LIANDUN_TEST_ELASTICSEARCH=http://127.0.0.1:9200`` takes a running one instead (for example a full distribution).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

START = Path(__file__).resolve().parents[2] / "shared" / "services" / "elasticsearch" / "start.sh"


def free_port() -> int:
    """A port whose neighbour 100 above (the transport port) is free too."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if port + 100 > 65535:
                continue
            try:
                second.bind(("127.0.0.1", port + 100))
            except OSError:
                continue
            return port
    raise RuntimeError("no two free ports")


class Node:
    """One server process and its folder."""

    def __init__(self, folder: Path, options: Sequence[str], heap: str) -> None:
        self.data = folder / "node"
        self.port = free_port()
        self._options = [*options, "--heap", heap]

    def start(self) -> None:
        command = [str(START), "--data", str(self.data), "--port", str(self.port), *self._options]
        with (self.data.parent / "start.log").open("a+") as log:  # the server inherits it: a pipe would never end
            started = subprocess.run(command, stdout=log, stderr=log, timeout=600, check=False)
            log.seek(0)
            assert started.returncode == 0, f"Elasticsearch does not start: {log.read()[-2000:]}"

    def stop(self) -> None:
        if (self.data / "pid").exists():
            subprocess.run([str(START.with_name("stop.sh")), "--data", str(self.data)], check=False, timeout=120)

    def kill_nine(self) -> None:
        """The launcher and the server that it started."""
        processes = [int((self.data / "pid").read_text())]
        for pid in processes:
            for thread in Path(f"/proc/{pid}/task").iterdir():  # any thread of the launcher may have started the server
                processes += [int(child) for child in (thread / "children").read_text().split()]
        for pid in reversed(processes):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and any(_alive(pid) for pid in processes):
            time.sleep(0.1)


def _alive(pid: int) -> bool:
    """Zombies are dead."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@contextmanager
def running_node(*options: str, heap: str = "512m") -> Iterator[Node]:
    """A node that runs; skips where Java, Maven or the start script are missing."""
    for program in ("java", "javac", "mvn", "curl", "setpriv"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} to start Elasticsearch")
    if not START.is_file():
        pytest.skip("needs ../shared/services/elasticsearch/start.sh")
    folder = Path(tempfile.mkdtemp(prefix="liandun-elasticsearch-"))
    folder.chmod(0o755)
    node = Node(folder, options, heap)
    try:
        node.start()
        yield node
    finally:
        node.stop()
        shutil.rmtree(folder, ignore_errors=True)


def server_url() -> str:
    return os.environ.get("LIANDUN_TEST_ELASTICSEARCH", "")
