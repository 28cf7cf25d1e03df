"""The hub with real sockets and a real database: who is told what, who is dropped, who may come in."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kernel.db import Database
from kernel.detection import Detection, detection_id
from kernel.errors import StateUnavailable
from operations.accounts.schema import Principal
from operations.alerts import service as alerts
from operations.changes import feed
from operations.changes.feed import Change, Mark, parse_mark
from operations.clock import now
from soc_ui.live import hub as hub_module
from soc_ui.live.hub import MOST_STREAMS_OF_ONE, Full, Hub, Recheck
from tests.soc_ui.seed import fill
from tests.system.platform import wait_until

ANALYST = Principal(1, "lin", "", "analyst")
SCOPED = Principal(2, "water", "", "analyst", zones=frozenset({"water-ot"}))
KEEPER = Principal(3, "root", "", "sysadmin")
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = fill(tmp_path, events=0).database
    yield opened
    opened.close()


@pytest.fixture
def hub(database: Database) -> Iterator[Hub]:
    made = Hub(database)
    yield made
    made.stop()


class Client:
    """The other end of a stream."""

    def __init__(self, hub: Hub, who: Principal, *, mark: Mark | None = None, recheck: Recheck | None = None) -> None:
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(5)
        hub.reserve(who)
        hub.add(theirs, HEAD, who, recheck or (lambda: who), mark)
        self.text = ""

    def events(self, *, until: str, seconds: float = 5) -> list[tuple[str, dict[str, Any]]]:
        """All events received, up to the first one called ``until``."""
        deadline = time.monotonic() + seconds
        while f"event: {until}\n" not in self.text or not self.text.endswith("\n\n"):
            assert time.monotonic() < deadline, self.text
            data = self.sock.recv(65536)
            assert data, f"ended: {self.text}"
            self.text += data.decode()
        blocks = [block.split("\n") for block in self.text.split("\n\n") if "event: " in block]
        return [(lines[0].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))) for lines in blocks]

    def ended(self) -> bool:
        try:
            return not self.sock.recv(65536)
        except TimeoutError:
            return False


def alert(database: Database, rule: str, zone: str = "office") -> None:
    at = now()
    event = {"@timestamp": at, "event.id": f"{rule}-{at}", "host.name": rule, "host.zone": zone}
    with database.write() as session:
        id_ = detection_id(rule, [event["event.id"]])
        alerts.record_detections(session, [Detection(id_, rule, rule, "high", "sigma", at, [event["event.id"]], event)])


def test_everybody_is_told_what_they_may_know(database: Database, hub: Hub) -> None:
    all_, scoped, keeper = Client(hub, ANALYST), Client(hub, SCOPED), Client(hub, KEEPER)
    for client in (all_, scoped, keeper):
        client.events(until="hello")
    alert(database, "office-rule")
    assert all_.events(until="alert")[-1][1]["act"] == "alert.new"
    alert(database, "water-rule", "water-ot")
    told = [body for kind, body in scoped.events(until="alert") if kind == "alert"]
    assert [body["count"] for body in told] == [1]
    wait_until(
        lambda: len([one for one in all_.events(until="alert") if one[0] == "alert"]) == 2 or bool(all_.sock.recv(1)), 5, "both"
    )
    keeper.sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        keeper.sock.recv(100)


def test_what_was_missed_comes_first(database: Database, hub: Hub) -> None:
    first = Client(hub, ANALYST)
    first.events(until="hello")
    alert(database, "one")
    first.events(until="alert")
    late = Client(hub, ANALYST, mark=Mark(0, 0))
    told = late.events(until="alert")
    assert [kind for kind, _body in told if kind == "alert"] == ["alert"]
    assert "id: " in late.text


def test_a_mark_that_is_too_old_is_answered_with_reset(database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.changes.feed.MOST", 3)
    for number in range(5):
        alert(database, f"r{number}")
    Client(hub, ANALYST, mark=Mark(0, 0)).events(until="reset")


def test_who_is_logged_out_loses_the_stream(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RECHECK_SECONDS", 0.2)
    who: list[Principal | None] = [ANALYST]
    client = Client(hub, ANALYST, recheck=lambda: who[0])
    client.events(until="hello")
    who[0] = None
    client.events(until="over")
    assert client.ended()
    wait_until(lambda: not hub._reserved, 5, "its place was given back")
    for _ in range(MOST_STREAMS_OF_ONE):
        hub.reserve(ANALYST)


def test_a_narrowed_scope_holds_within_seconds(database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RECHECK_SECONDS", 0.2)
    client = Client(hub, ANALYST, recheck=lambda: SCOPED)
    client.events(until="hello")
    time.sleep(1.0)
    alert(database, "office-rule")
    alert(database, "water-rule", "water-ot")
    told = [body["id"] for kind, body in client.events(until="alert") if kind == "alert"]
    assert told == [2]


def test_a_client_that_does_not_read_is_dropped_and_nobody_waits_for_it(
    database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MOST_WAITING_BYTES", 200)
    deaf, good = Client(hub, ANALYST), Client(hub, KEEPER)
    good.events(until="hello")
    wait_until(lambda: len(hub) == 2, 5, "both are in")
    deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    stream = next(one for one in hub._streams if one.who is ANALYST)
    stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for number in range(200):
        alert(database, f"r{number}")
        if hub.dropped:
            break
        time.sleep(0.02)
    wait_until(lambda: hub.dropped == 1, 10, "dropped")
    assert len(hub) == 1


def test_a_client_that_goes_frees_its_place(hub: Hub) -> None:
    client = Client(hub, ANALYST)
    client.events(until="hello")
    client.sock.close()
    wait_until(lambda: len(hub) == 0, 5, "gone")


def test_who_cannot_be_told_is_cut_off_and_misses_nothing(database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The feed has gone on when asking for a scope fails: the stream must not go on with a gap."""
    client = Client(hub, SCOPED)
    client.events(until="hello")
    mark = parse_mark(client.text.partition("id: ")[2].partition("\n")[0])
    broken = [True]

    def visible(*given: Any, **named: Any) -> list[Change]:
        if broken[0]:
            raise StateUnavailable("away")
        return feed.visible(*given, **named)

    monkeypatch.setattr(hub_module, "visible", visible)
    alert(database, "water-rule", "water-ot")
    assert client.ended()
    refused = Client(hub, SCOPED, mark=mark)
    assert refused.ended()
    wait_until(lambda: not hub._reserved, 5, "the places were given back")
    broken[0] = False
    again = Client(hub, SCOPED, mark=mark)
    assert again.events(until="alert")[0][1] == {"id": 1, "act": "alert.new", "level": "high", "status": "new", "count": 1}


def test_a_mark_of_another_database_is_answered_with_reset(hub: Hub) -> None:
    Client(hub, ANALYST, mark=Mark(10**9, 0)).events(until="reset")


def test_hundreds_of_streams_are_looked_up_again_in_time(database: Database, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MOST_STREAMS_OF_ONE", 300)
    asked: dict[int, float] = {}

    def recheck(number: int) -> Principal:
        asked[number] = time.monotonic()
        time.sleep(0.0005)
        return ANALYST

    clients = [Client(hub, ANALYST, recheck=partial(recheck, number)) for number in range(300)]
    clients[-1].events(until="hello")
    begun = time.monotonic()
    wait_until(lambda: len(asked) == 300, 10, "all were looked up")
    assert max(asked.values()) - begun < 5
    start = time.monotonic()
    alert(database, "in the middle")
    clients[0].events(until="alert")
    assert time.monotonic() - start < 2


def test_many_changes_are_told_as_one(database: Database, hub: Hub) -> None:
    client = Client(hub, ANALYST)
    client.events(until="hello")
    at = now()
    with database.write() as session:
        found = []
        for number in range(40):
            event = {"@timestamp": at, "event.id": f"m{number}", "host.name": f"h{number}"}
            found.append(Detection(detection_id("m", [f"m{number}"]), "m", "m", "low", "sigma", at, [f"m{number}"], event))
        alerts.record_detections(session, found)
    told = [body for kind, body in client.events(until="alert") if kind == "alert"]
    assert told == [{"id": 0, "act": "alert.new", "level": "", "status": "", "count": 40}]


def test_one_account_has_so_many_streams_and_no_more(hub: Hub) -> None:
    for _ in range(MOST_STREAMS_OF_ONE):
        hub.reserve(ANALYST)
    with pytest.raises(Full) as full:
        hub.reserve(ANALYST)
    assert full.value.own
    hub.reserve(SCOPED)


def test_the_console_has_so_many_streams_and_no_more(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MOST_STREAMS", 1)
    hub.reserve(ANALYST)
    with pytest.raises(Full) as full:
        hub.reserve(SCOPED)
    assert not full.value.own
