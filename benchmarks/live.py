"""Live updates with many screens: how soon an alert is seen, and what the streams cost the pages.

    .venv/bin/python -m benchmarks.live [--clients 200] [--seconds 30] [--rate 5]

Starts a console of its own over a small database, opens the streams, records alerts from another process than the console as the
detection road does, and asks for the queue all the while. Prints milliseconds from the commit of an alert to its event at each
client, and of the queue with and without streams, both while alerts are recorded; goal: seen within 500 ms at the 95th percentile
(issue 6).
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import selectors
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import select

from benchmarks.console import console
from kernel.db import Database, open_database
from kernel.detection import Detection, detection_id
from kernel.layout import Layout
from operations.accounts import sessions
from operations.accounts.models import User
from operations.accounts.service import create_user
from operations.alerts import service as alerts
from operations.audit.schema import SYSTEM
from operations.clock import now
from soc_ui.live.hub import MOST_STREAMS_OF_ONE
from tests.soc_ui.seed import PASSWORD, fill

GOAL_MS = 500


def screens(port: int, tokens: list[str], pipe: Connection) -> None:
    """All streams, in a process of their own so that reading them does not slow the questions down.

    Says ``True`` when all stand, ends when told anything, and gives (alert, moment) of every event and how many streams ended.
    """
    selector = selectors.DefaultSelector()
    for token in tokens:
        sock = socket.create_connection(("127.0.0.1", port), timeout=20)
        sock.sendall(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {sessions.SESSION_COOKIE}={token}\r\n\r\n".encode())
        head = b""
        while b"event: hello" not in head:
            data = sock.recv(65536)
            assert data, head
            head += data
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ, bytearray())
    pipe.send(True)
    seen: list[tuple[int, float]] = []
    ended = 0
    while not pipe.poll():
        for key, _ in selector.select(0.2):
            assert isinstance(key.fileobj, socket.socket)
            data, moment = key.fileobj.recv(65536), time.time()
            if not data:
                ended += 1
                selector.unregister(key.fileobj)
                continue
            seen += [(alert, moment) for alert in _alerts(key.data, data)]
    pipe.send((seen, ended))


def _alerts(buffer: bytearray, data: bytes) -> Iterator[int]:
    """Ids in the whole events of ``buffer`` and ``data``; the rest stays in the buffer."""
    buffer += data
    while (end := buffer.find(b"\n\n")) >= 0:
        block = bytes(buffer[:end]).decode()
        del buffer[: end + 2]
        if block.startswith("event: alert\n"):
            yield json.loads(block.rpartition("data: ")[2])["id"]


def record(database: Database, host: str) -> tuple[int, float]:
    """One new alert, as long as the host is new; its id and when it was committed."""
    at = now()
    event = {"@timestamp": at, "event.id": f"live-{host}-{at}", "host.name": host}
    with database.write() as session:
        id_ = detection_id("live", [event["event.id"]])
        alerts.record_detections(session, [Detection(id_, "live", "Live", "high", "sigma", at, [event["event.id"]], event)])
    committed = time.time()
    with database.read() as session:
        return alerts.latest_id(session), committed


def ask(port: int, token: str) -> float:
    """Milliseconds of the queue."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/alerts?view=all", headers={"Cookie": f"{sessions.SESSION_COOKIE}={token}"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    connection.close()
    return (time.perf_counter() - start) * 1000


def row(name: str, values: list[float]) -> str:
    ordered = sorted(values)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"{name:<34} {statistics.median(ordered):8.1f} {p95:8.1f} {ordered[-1]:8.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rate", type=float, default=5.0, help="alerts a second")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="liandun-live-") as folder:
        layout = Layout(Path(folder)).create()
        fill(layout.root, events=400).database.close()
        database = open_database(layout.state_url)
        tokens = _tokens(database, asked.clients)
        with console(layout.root) as port:
            for _ in range(5):
                ask(port, tokens[0])
            before = _watch(database, port, tokens[0], asked.rate, asked.seconds, "before")[1]
            ours, theirs = multiprocessing.Pipe()
            watching = multiprocessing.get_context("spawn").Process(target=screens, args=(port, tokens, theirs), daemon=True)
            watching.start()
            assert ours.poll(60), "the streams do not stand"
            ours.recv()
            made, during = _watch(database, port, tokens[0], asked.rate, asked.seconds, "during")
            time.sleep(1.0)
            ours.send("end")
            assert ours.poll(30), "no word of the streams"
            seen, ended = ours.recv()
    late = [(moment - made[alert]) * 1000 for alert, moment in seen if alert in made]
    print(f"{asked.clients} streams, {len(made)} alerts in {asked.seconds} s\n")
    print(f"{'milliseconds':<34} {'median':>8} {'p95':>8} {'max':>8}")
    print(row("alert committed → seen", late))
    print(row("queue, no stream", before))
    print(row(f"queue, {asked.clients} streams", during))
    lost = len(made) * asked.clients - len(late)
    print(f"\nevents seen {len(late)} of {len(made) * asked.clients}, streams that ended {ended}; goal {GOAL_MS} ms")
    return 1 if lost or ended else 0


def _tokens(database: Database, clients: int) -> list[str]:
    """A session for each client, as many accounts as that needs."""
    tokens = []
    for number in range(-(-clients // MOST_STREAMS_OF_ONE)):
        name = f"screen{number}"
        create_user(database, SYSTEM, name, PASSWORD, "analyst")
        with database.write() as session:
            user = session.execute(select(User).where(User.name == name)).scalar_one()
            for _ in range(min(MOST_STREAMS_OF_ONE, clients - len(tokens))):
                tokens.append(sessions.create_session(session, user.id, sessions.Asking("127.0.0.1", "live"), factor="totp"))
    return tokens


def _watch(database: Database, port: int, token: str, rate: float, seconds: int, name: str) -> tuple[dict[int, float], list[float]]:
    """Record alerts at ``rate`` and ask for the queue between them."""
    made: dict[int, float] = {}
    during: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        due = time.monotonic() + 1 / rate
        alert, committed = record(database, f"{name}{len(made)}")
        made[alert] = committed
        during.append(ask(port, token))
        time.sleep(max(0.0, due - time.monotonic()))
    return made, during


if __name__ == "__main__":
    raise SystemExit(main())
