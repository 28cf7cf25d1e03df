"""Playbooks at speed: ten-action playbooks a second with the journal on, and how long a playbook of 200 steps takes to load.

    python -m benchmarks.playbooks [--runs 1000] [--workers 8] [--rounds 3]

The target is an HTTP server of its own process on the loopback address; every action is one POST to it. Runs are triggered as
fast as they are taken; the clock stops when the last one has ended, and the server must have counted every action exactly once.
Where a binary ``soarca`` is on the PATH it runs the same playbook against the same server with 1 and 2 triggers at a time (more
make it crash).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from benchmarks.playbook_server import serving
from kernel.db import open_database, upgrade
from playbooks.actions.destination import Reach
from playbooks.actions.registry import standard
from playbooks.reading import read
from playbooks.run.executor import Executor, Settings
from playbooks.run.journal import Wanted

AGENT = "http-api--8e1b1c60-3c1f-4c0e-9a43-9d0c1b6f5a01"


def identifier(kind: str, name: str) -> str:
    """The same identifier for the same name."""
    made = str(uuid5(NAMESPACE_URL, f"{kind}/{name}"))
    return f"{kind}--{made}"


def chain(actions: int, port: int) -> dict[str, Any]:
    """A playbook of ``actions`` HTTP actions one after another."""
    steps = [identifier("action", str(place)) for place in range(actions)]
    end, start = identifier("end", "end"), identifier("start", "start")
    workflow: dict[str, Any] = {start: {"type": "start", "on_completion": steps[0]}, end: {"type": "end"}}
    for place, step in enumerate(steps):
        workflow[step] = {
            "type": "action",
            "name": f"action {place}",
            "commands": [{"type": "http-api", "command": f"POST /hit/{place} HTTP/1.1", "content": '{"n": "__n__:value"}'}],
            "agent": AGENT,
            "targets": [AGENT],
            "on_completion": steps[place + 1] if place + 1 < actions else end,
        }
    party = {"type": "http-api", "name": "target", "address": {"ipv4": ["127.0.0.1"]}, "port": str(port)}
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": identifier("playbook", f"chain of {actions}"),
        "name": f"{actions} actions",
        "created_by": "identity--96abab60-238a-44ff-8962-5806aa60cbce",
        "created": "2026-11-27T00:00:00.000Z",
        "modified": "2026-11-27T00:00:00.000Z",
        "playbook_variables": {"__n__": {"type": "integer", "value": "7", "external": True}},
        "workflow_start": start,
        "workflow": workflow,
        "agent_definitions": {AGENT: party},
        "target_definitions": {AGENT: party},
    }


def embedded(document: bytes, runs: int, workers: int, folder: Path) -> tuple[float, int]:
    """Seconds for ``runs`` runs, and how many of them did not finish."""
    database = open_database(f"sqlite:///{folder}/state.db")
    upgrade(database)
    settings = Settings(workers=workers)
    with Executor(database, standard(Reach.anywhere()), settings) as executor:
        begun = time.perf_counter()
        futures = [executor.submit_soon(Wanted(body=document, by="benchmark")) for _ in range(runs)]
        states = [executor.wait(future.result(), 600) for future in futures]
        taken = time.perf_counter() - begun
    database.close()
    return taken, sum(state != "finished" for state in states)


def load_time(steps: int) -> float:
    """Milliseconds to read a playbook of ``steps`` steps, the median of 21."""
    document = json.dumps(chain(steps - 2, 80)).encode()
    times = []
    for _ in range(21):
        begun = time.perf_counter()
        read(document)
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def soarca(binary: str, document: bytes, runs: int, at_once: int, counted: Callable[[], int]) -> str:
    """Playbooks a second of the peer, or what went wrong. Environment as its own documentation gives it; no database, no login."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "GIN_MODE": "release", "LOG_GLOBAL_LEVEL": "error", "DATABASE": "false"}
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [binary], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            base = f"http://127.0.0.1:{port}"
            _until(lambda: _ask(f"{base}/status/ping") is not None, 30)
            before, begun = counted(), time.perf_counter()
            shares = [runs // at_once] * at_once
            threads = [threading.Thread(target=_trigger, args=(f"{base}/trigger/playbook", document, share)) for share in shares]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            wanted = sum(shares) * 10
            done = _until(lambda: counted() - before >= wanted or process.poll() is not None, 60)
            taken = time.perf_counter() - begun
            if process.poll() is not None:
                return f"died after {(counted() - before) // 10} playbooks"
            if not done or counted() - before < wanted:
                return f"{counted() - before} of {wanted} actions arrived"
            return f"{sum(shares) / taken:,.0f} playbooks/s"
        finally:
            process.kill()
            process.wait()


def _ask(url: str, body: bytes | None = None) -> bytes | None:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError):
        return None


def _trigger(url: str, document: bytes, times: int) -> None:
    for _ in range(times):
        _ask(url, document)


def _until(test: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


@contextlib.contextmanager
def _server() -> Iterator[tuple[int, Callable[[], int]]]:
    """Port and counter of a target in a process of its own."""
    context = multiprocessing.get_context("spawn")
    counter, port = context.Value("q", 0, lock=False), context.Value("i", 0, lock=False)
    process = context.Process(target=serving, args=(port, counter), daemon=True)
    process.start()
    _until(lambda: port.value > 0, 30)
    try:
        yield port.value, lambda: int(counter.value)
    finally:
        process.kill()
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print(f"a playbook of 200 steps is read in {load_time(200):.1f} ms")
    with _server() as (port, counted):
        document = json.dumps(chain(10, port)).encode()
        for number in range(chosen.rounds):
            with tempfile.TemporaryDirectory() as folder:
                before = counted()
                taken, failed = embedded(document, chosen.runs, chosen.workers, Path(folder))
                arrived = counted() - before
            print(
                f"round {number + 1}: {chosen.runs / taken:,.0f} playbooks/s with {chosen.workers} workers, {failed} failed, "
                f"{arrived:,} of {chosen.runs * 10:,} actions arrived"
            )
        peer = shutil.which("soarca")
        if peer is None:
            print("soarca is not on the PATH")
            return
        for at_once in (1, 2):
            print(f"SOARCA, {at_once} at a time: {soarca(peer, document, chosen.runs, at_once, counted)}")


if __name__ == "__main__":
    main()
