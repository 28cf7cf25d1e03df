"""The ingest role without its process: what one collector's failure does to the others and to itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.roles import ingest
from collectors.sockets import listen_tcp
from collectors.syslog import TcpSyslog
from kernel.errors import StoreError
from kernel.layout import Layout
from kernel.record import RawRecord


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 10 s"
        time.sleep(0.02)


class SickSink:
    """A disk that fails once in the middle and then works again."""

    def __init__(self) -> None:
        self.failures = 1
        self.messages: list[bytes] = []

    def put(self, records: Sequence[RawRecord]) -> None:
        if self.messages and self.failures:
            self.failures -= 1
            raise StoreError("cannot write the spool: Input/output error")
        self.messages += [record.raw for record in records]


def test_failed_collector_starts_again_with_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "RESTART_SECONDS", 0.05)
    sink, listener = SickSink(), listen_tcp("127.0.0.1", 0)
    made: list[TcpSyslog] = []

    def make(failed: Any) -> TcpSyslog:
        made.append(TcpSyslog(listener, sink, adopted=failed.connections() if failed else ()))
        return made[-1]

    source = ingest.Source("syslog-tcp", "syslog TCP", make)
    source.start()
    with socket.create_connection(listener.getsockname()) as sender:
        sender.sendall(b"<1>one\n")
        wait_for(lambda: sink.messages == [b"<1>one"])
        sender.sendall(b"<1>two\n")
        wait_for(lambda: len(made) == 2)
        sender.sendall(b"<1>three\n")
        wait_for(lambda: sink.messages == [b"<1>one", b"<1>two", b"<1>three"])
    assert source.report()["error"] == ""
    source.stop()
    source.join(5)
    assert not source.is_alive()


def test_collector_that_cannot_be_made_says_why_and_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(failed: Any) -> TcpSyslog:
        raise PermissionError(13, "Permission denied", "/srv/captures")

    source = ingest.Source("captures", "pcap folder", make)
    source.start()
    wait_for(lambda: "Permission denied: '/srv/captures'" in source.report()["error"])
    source.stop()
    source.join(5)
    assert not source.is_alive()


def test_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="cannot be used: File exists"):
        Layout(tmp_path / "taken").create()
