"""The demo's sender against real sockets and files on loopback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from scapy.utils import rdpcap

from cli.demo import command
from demo import delivery
from demo.delivery import Delivery, Targets
from demo.plan import Route
from demo.stream import DemoStream


class SyslogServer:
    """Takes one TCP port and the UDP port of the same number; keeps octet-counted messages and datagrams."""

    def __init__(self) -> None:
        self.tcp: list[bytes] = []
        self.udp: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()[:2]
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._datagrams.bind(self.address)
        self._datagrams.settimeout(0.5)
        self._listener.settimeout(10)
        self._threads = [threading.Thread(target=self._stream, daemon=True), threading.Thread(target=self._packets, daemon=True)]
        self._done = threading.Event()
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        self._threads[0].join(10)
        self._done.set()
        self._threads[1].join(10)
        self._listener.close()
        self._datagrams.close()

    def _stream(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as stream:
            while digits := self._digits(stream):
                self.tcp.append(stream.read(int(digits)))

    @staticmethod
    def _digits(stream) -> bytes:  # type: ignore[no-untyped-def]
        digits = b""
        while (byte := stream.read(1)) not in (b" ", b""):
            digits += byte
        return digits

    def _packets(self) -> None:
        while True:
            try:
                self.udp.append(self._datagrams.recv(65_536))
            except TimeoutError:
                if self._done.is_set():
                    return


@pytest.fixture
def server() -> Iterator[SyslogServer]:
    one = SyslogServer()
    yield one
    one.finish()


def test_a_whole_run_reaches_sockets_file_and_folder(server: SyslogServer, tmp_path: Path) -> None:
    targets = Targets(server.address, tmp_path / "log" / "events.jsonl", tmp_path / "pcap")
    truth = tmp_path / "truth.jsonl"
    sent = DemoStream(7, ("portal", "camera")).run(targets, speed=200.0, once=True, truth=truth)
    server.finish()

    assert len(server.tcp) == sent[Route.TCP]
    assert len(server.udp) == sent[Route.UDP]
    lines = targets.json.read_bytes().splitlines()
    assert len(lines) == sent[Route.JSON]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    pcaps = sorted(targets.pcap_dir.iterdir())
    assert [path.suffix for path in pcaps] == [".pcap", ".pcap"]
    assert len(rdpcap(str(pcaps[0]))) == 28
    steps = [json.loads(line) for line in truth.read_text("utf-8").splitlines()]
    assert {step["chain"] for step in steps} == {"portal", "camera"}
    assert {engine for step in steps for engine in step["engines"]} == {"sigma", "correlation", "zone", "yara", "suricata"}


def test_normal_days_are_sent_at_once_and_nothing_follows(server: SyslogServer, tmp_path: Path) -> None:
    targets = Targets(server.address, tmp_path / "events.jsonl", tmp_path / "pcap")
    truth = tmp_path / "truth.jsonl"
    sent = DemoStream(7).run(targets, once=True, days=1, truth=truth)
    server.finish()
    assert sum(sent.values()) > 40_000
    assert len(server.tcp) == sent[Route.TCP]
    assert truth.read_bytes() == b""


def test_a_restart_sends_only_the_history_since_the_last_run(server: SyslogServer, tmp_path: Path) -> None:
    targets = Targets(server.address, tmp_path / "events.jsonl", tmp_path / "pcap")
    stop = threading.Event()
    told: list[str] = []

    def report(line: str) -> None:
        if line.startswith("history sent"):
            told.append(line)
            stop.set()

    DemoStream(7).run(targets, stop=stop, since=datetime.now(UTC) - timedelta(minutes=10), report=report)
    sent = int(told[-1].split()[2])
    assert 150 < sent < 3_000  # ten minutes, by day or by night


def test_waits_for_a_server_that_is_not_there_yet(tmp_path: Path) -> None:
    probe = socket.create_server(("127.0.0.1", 0))
    address = probe.getsockname()[:2]
    probe.close()
    stop = threading.Event()
    sender = Delivery(Targets(address, tmp_path / "e.jsonl", tmp_path / "p"), stop)
    worker = threading.Thread(target=sender.send, args=(Route.TCP, b"<13>hello"), daemon=True)
    worker.start()
    worker.join(0.3)
    assert worker.is_alive()
    with socket.create_server(address) as listener:
        listener.settimeout(5)
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(100) == b"9 <13>hello"
    worker.join(5)
    sender.close()


def test_stop_ends_the_wait_for_a_server(tmp_path: Path) -> None:
    probe = socket.create_server(("127.0.0.1", 0))
    address = probe.getsockname()[:2]
    probe.close()
    stop = threading.Event()
    sender = Delivery(Targets(address, tmp_path / "e.jsonl", tmp_path / "p"), stop)
    worker = threading.Thread(target=sender.send, args=(Route.TCP, b"<13>hello"), daemon=True)
    worker.start()
    stop.set()
    worker.join(5)
    assert not worker.is_alive()
    sender.close()


def test_the_file_is_rotated_whole_lines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "ROTATE_AT", 100)
    sender = Delivery(Targets(("127.0.0.1", 9), tmp_path / "e.jsonl", tmp_path / "p"), threading.Event())
    for number in range(5):
        sender.send(Route.JSON, b'{"number": "%020d"}' % number)
    sender.close()
    old, new = (tmp_path / "e.jsonl.1").read_bytes(), (tmp_path / "e.jsonl").read_bytes()
    assert [json.loads(line)["number"][-1] for line in (old + new).splitlines()] == list("01234")
    assert old.endswith(b"\n")


def test_the_command_refuses_an_unknown_attack() -> None:
    result = CliRunner().invoke(command, ["score", "--chains", "portal,flood"])
    assert result.exit_code == 2
    assert "flood: no such attack" in result.output


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1:", "127.0.0.1:99999", ":x"])
def test_the_command_refuses_a_wrong_address(address: str, tmp_path: Path) -> None:
    arguments = ["stream", "--syslog", address, "--json", str(tmp_path / "e"), "--pcap-dir", str(tmp_path / "p")]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert "HOST:PORT" in result.output
