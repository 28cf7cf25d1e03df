"""collectors.syslog and collectors.sockets over real sockets; the kill test kills a real process, the next takes its sockets."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from collectors.sockets import bytes_taken, listen_tcp, listen_udp, origin_of
from collectors.syslog import TcpSyslog, UdpSyslog
from kernel.record import RawRecord, decode_record, encode_record


class MemorySink:
    """Keeps what it gets; blocks while ``gate`` is closed."""

    def __init__(self) -> None:
        self.records: list[RawRecord] = []
        self.gate = threading.Event()
        self.gate.set()

    def put(self, records: Sequence[RawRecord]) -> None:
        self.gate.wait(30)
        self.records += records


def _wait(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


@contextlib.contextmanager
def _running(server: TcpSyslog | UdpSyslog) -> Iterator[None]:
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("target", ["127.0.0.1", "::1"])
def test_udp_takes_both_address_families_on_one_socket(target: str) -> None:
    sink = MemorySink()
    bound = listen_udp("::", 0)
    server = UdpSyslog(bound, sink)
    with _running(server), socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(2500):
            sender.sendto(b"<13>number %d\n" % number, (target, bound.getsockname()[1]))
        sender.sendto(b"\r\n", (target, bound.getsockname()[1]))
        _wait(lambda: len(sink.records) == 2500 and server.counters["empty"] == 1)
        port = sender.getsockname()[1]
    assert [r.raw for r in sink.records] == [b"<13>number %d" % number for number in range(2500)]
    assert sink.records[0].origin == (f"[::1]:{port}" if ":" in target else f"127.0.0.1:{port}")
    assert server.counters["received"] == 2500
    assert server.counters["dropped"] == 0
    bound.close()


def test_udp_counts_what_the_kernel_dropped() -> None:
    sink = MemorySink()
    bound = listen_udp("127.0.0.1", 0, receive_buffer=8192)
    server = UdpSyslog(bound, sink)
    sink.gate.clear()
    with _running(server), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(5000):
            sender.sendto(b"<13>%d" % number + b"x" * 500, bound.getsockname())
        sink.gate.set()
        _wait(lambda: server.counters["dropped"] > 0 and server.counters["received"] + server.counters["dropped"] == 5000)
    bound.close()


def test_tcp_many_connections_mixed_framing_ipv6() -> None:
    sink = MemorySink()
    listener = listen_tcp("::", 0)
    closed: list[str] = []
    server = TcpSyslog(listener, sink, on_close=closed.append)
    with _running(server):
        senders = [socket.create_connection(("127.0.0.1" if n % 2 else "::1", listener.getsockname()[1])) for n in range(50)]
        for round_number in range(20):
            for number, sender in enumerate(senders):
                body = b"<13>%d-%d" % (number, round_number)
                sender.sendall(b"%d %s" % (len(body), body) if round_number % 2 else body + b"\r\n")
        senders[0].sendall(b"<13>no line feed at the end")
        for sender in senders:
            sender.close()
        _wait(lambda: len(closed) == 50)
    assert server.counters["connections"] == 0
    assert server.counters["received"] == len(sink.records) == 50 * 20 + 1
    assert len({r.stream for r in sink.records}) == 50
    by_stream: dict[str, list[RawRecord]] = {}
    for record in sink.records:
        by_stream.setdefault(record.stream, []).append(record)
    for records in by_stream.values():
        assert [r.raw.split(b"-")[1] for r in records if b"-" in r.raw] == [b"%d" % n for n in range(20)]
        assert all(a.offset < b.offset for a, b in itertools.pairwise(records))
    assert b"<13>no line feed at the end" in {r.raw for r in sink.records}
    listener.close()


def test_tcp_a_long_message_in_small_pieces_does_not_spin() -> None:
    sink = MemorySink()
    listener = listen_tcp("127.0.0.1", 0)
    server = TcpSyslog(listener, sink)
    body = b"<13>" + b"z" * 60_000
    with _running(server), socket.create_connection(listener.getsockname()) as sender:
        sender.sendall(b"%d " % len(body))
        before = time.process_time()
        for start in range(0, len(body), 1000):
            sender.sendall(body[start : start + 1000])
            time.sleep(0.02)
        _wait(lambda: len(sink.records) == 1)
        assert time.process_time() - before < 0.8
    assert sink.records[0].raw == body
    assert sink.records[0].offset == len(body) + 6
    listener.close()


def test_tcp_cuts_a_message_above_the_limit_and_goes_on() -> None:
    sink = MemorySink()
    listener = listen_tcp("127.0.0.1", 0)
    server = TcpSyslog(listener, sink, max_message=1000)
    with _running(server), socket.create_connection(listener.getsockname()) as sender:
        sender.sendall(b"<13>" + b"q" * 3_000_000 + b"\n<13>after\n")
        _wait(lambda: len(sink.records) == 2)
    assert [len(sink.records[0].raw), sink.records[1].raw] == [1000, b"<13>after"]
    assert server.counters["truncated"] == 1
    listener.close()


def test_tcp_stops_reading_while_the_sink_blocks() -> None:
    sink = MemorySink()
    sink.gate.clear()
    listener = listen_tcp("127.0.0.1", 0)
    server = TcpSyslog(listener, sink)
    with _running(server), socket.create_connection(listener.getsockname()) as sender:
        sender.settimeout(1.0)
        line, sent = b"<13>" + b"f" * 995 + b"\n", 0
        with contextlib.suppress(TimeoutError):
            while sent < 200 << 20:
                sent += sender.send(line[sent % 1000 :])
        assert sent < 200 << 20, "the sender was made to wait"
        assert sink.records == []
        sink.gate.set()
        whole = sent // 1000
        _wait(lambda: len(sink.records) >= whole, 60)
    listener.close()


def test_tcp_refuses_above_the_limit_and_closes_idle_senders() -> None:
    sink = MemorySink()
    listener = listen_tcp("127.0.0.1", 0)
    server = TcpSyslog(listener, sink, max_connections=2, idle=1.5)
    with _running(server):
        senders = [socket.create_connection(listener.getsockname()) for _ in range(3)]
        _wait(lambda: server.counters["refused"] == 1)
        senders[0].sendall(b"<13>half")
        _wait(lambda: server.counters["closed_idle"] == 2)
        assert [r.raw for r in sink.records] == [b"<13>half"]
        for sender in senders:
            sender.close()
    listener.close()


def test_tcp_a_reset_loses_nothing_that_had_arrived() -> None:
    sink = MemorySink()
    sink.gate.clear()
    listener = listen_tcp("127.0.0.1", 0)
    server = TcpSyslog(listener, sink)
    with _running(server):
        sender = socket.create_connection(listener.getsockname())
        sender.sendall(b"<13>a\n<13>b\n")
        time.sleep(0.1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sender.close()
        sink.gate.set()
        _wait(lambda: len(sink.records) == 2 and server.counters["connections"] == 0)
    listener.close()


def test_bytes_taken_counts_what_left_the_kernel_also_after_fin() -> None:
    listener = listen_tcp("127.0.0.1", 0)
    with socket.create_connection(listener.getsockname()) as sender, listener.accept()[0] as receiver:
        sender.sendall(b"x" * 1000)
        _wait(lambda: len(receiver.recv(2000, socket.MSG_PEEK)) == 1000)
        assert bytes_taken(receiver) == 0
        receiver.recv(300)
        assert bytes_taken(receiver) == 300
        sender.shutdown(socket.SHUT_WR)
        time.sleep(0.05)
        assert bytes_taken(receiver) == 300
        receiver.recv(700)
        assert bytes_taken(receiver) == 1000
    listener.close()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (("::ffff:192.0.2.7", 514, 0, 0), "192.0.2.7:514"),
        (("2001:db8::7", 514, 0, 0), "[2001:db8::7]:514"),
        (("192.0.2.7", 1), "192.0.2.7:1"),
    ],
)
def test_origin(address: tuple[object, ...], shown: str) -> None:
    assert origin_of(address) == shown


class _FileSink:
    """Appends records to a file that outlives the process, each with its length before it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def put(self, records: Sequence[RawRecord]) -> None:
        for record in records:
            data = encode_record(record)
            self._file.write(struct.pack("=I", len(data)) + data)
        self._file.flush()


def _stored(path: Path) -> list[RawRecord]:
    data, records, position = path.read_bytes(), [], 0
    while position + 4 <= len(data):
        (length,) = struct.unpack_from("=I", data, position)
        if position + 4 + length > len(data):
            break
        with contextlib.suppress(msgspec.DecodeError):
            records.append(decode_record(data[position + 4 : position + 4 + length]))
        position += 4 + length
    return records


@pytest.mark.parametrize("kills", [6])
def test_kill_minus_nine_neither_loses_nor_doubles(tmp_path: Path, kills: int) -> None:
    """The parent (this test) accepts and keeps the sockets; children are killed at random moments in the middle of the stream."""
    connections, per_connection = 4, 10_000
    listener = listen_tcp("127.0.0.1", 0)
    senders = [socket.create_connection(listener.getsockname()) for _ in range(connections)]
    held = [(f"c{number}", listener.accept()[0]) for number in range(connections)]

    def send(number: int) -> None:
        for message in range(per_connection):
            body = b"<13>%d-%d" % (number, message)
            senders[number].sendall(b"%d %s" % (len(body), body) if message % 3 else body + b"\n")
            if message % 500 == 0:
                time.sleep(0.03)
        senders[number].close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for life in range(kills + 1):
        path = tmp_path / f"life-{life}"
        child = os.fork()
        if child == 0:
            try:
                TcpSyslog(None, _FileSink(path), adopted=[(name, s.dup()) for name, s in held]).run()
            finally:
                os._exit(1)
        if life < kills:
            time.sleep(0.05 + 0.07 * life)
        else:
            for thread in threads:
                thread.join()
            _wait(
                lambda: len({(r.stream, r.offset) for p in tmp_path.iterdir() for r in _stored(p)}) >= connections * per_connection,
                30,
            )
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    # what the pipeline does: per stream, drop every offset that is not above the highest one seen
    highest: dict[str, int] = {}
    kept: dict[str, list[bytes]] = {}
    for life in range(kills + 1):
        for record in _stored(tmp_path / f"life-{life}"):
            if record.offset > highest.get(record.stream, -1):
                highest[record.stream] = record.offset
                kept.setdefault(record.stream, []).append(record.raw)
    for number in range(connections):
        assert kept[f"tcp:c{number}"] == [b"<13>%d-%d" % (number, message) for message in range(per_connection)]
    for _, connected in held:
        connected.close()
    listener.close()
