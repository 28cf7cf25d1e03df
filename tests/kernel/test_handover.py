from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kernel.handover import SocketKeeper, SocketOffice, inherited_sockets, office_process


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 5 s"
        time.sleep(0.01)


def test_keeper_holds_what_the_office_has_and_gives_it_back(tmp_path: Path) -> None:
    office = SocketOffice(tmp_path / "ingest.sock")
    ours, theirs = socket.socketpair()
    office.hold("conn:tcp:1", ours)
    keeper = SocketKeeper()
    assert keeper.connect(tmp_path / "ingest.sock")
    wait_for(lambda: keeper.names() == ["conn:tcp:1"])
    late, _ = socket.socketpair()
    office.hold("conn:tcp:2", late)
    wait_for(lambda: len(keeper.names()) == 2)
    office.drop("conn:tcp:2")
    wait_for(lambda: keeper.names() == ["conn:tcp:1"])
    theirs.sendall(b"sent while nobody reads")
    ours.close()  # as if the reading process had been killed
    environment, descriptors = keeper.inheritance()
    assert len(descriptors) == 1
    adopted = inherited_sockets(environment)
    assert environment == {}
    assert adopted["conn:tcp:1"].recv(100) == b"sent while nobody reads"
    office.close()


def test_office_notices_a_lost_keeper_and_greets_the_next(tmp_path: Path) -> None:
    office = SocketOffice(tmp_path / "ingest.sock")
    ours, _ = socket.socketpair()
    office.hold("listen:tcp", ours)
    first = SocketKeeper()
    first.connect(tmp_path / "ingest.sock")
    wait_for(lambda: first.names() == ["listen:tcp"])
    assert first._connection is not None
    first._connection.shutdown(socket.SHUT_RDWR)
    wait_for(office.keeper_lost.is_set)
    second = SocketKeeper()
    assert second.connect(tmp_path / "ingest.sock")
    wait_for(lambda: second.names() == ["listen:tcp"])
    assert not office.keeper_lost.is_set()
    office.close()


def test_no_office_no_connection(tmp_path: Path) -> None:
    assert not SocketKeeper().connect(tmp_path / "none.sock")


def test_a_data_directory_with_a_long_path_works(tmp_path: Path) -> None:
    """A socket address has room for 107 bytes only (unix(7))."""
    folder = tmp_path / ("d" * 80) / ("e" * 80)
    folder.mkdir(parents=True)
    office = SocketOffice(folder / "ingest.sock")
    ours, _ = socket.socketpair()
    office.hold("conn:tcp:1", ours)
    keeper = SocketKeeper()
    assert keeper.connect(folder / "ingest.sock")
    wait_for(lambda: keeper.names() == ["conn:tcp:1"])
    assert office_process(folder / "ingest.sock") == os.getpid()
    office.close()
    assert not (folder / "ingest.sock").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_keeper_knows_where_a_socket_listens_and_lets_go_of_it(host: str) -> None:
    keeper = SocketKeeper()
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        port = listener.getsockname()[1]
        keeper.hold("listen:tcp", listener)
    assert keeper.address("listen:tcp") == (host, port)
    keeper.drop("listen:tcp")
    assert keeper.address("listen:tcp") is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), 1)
