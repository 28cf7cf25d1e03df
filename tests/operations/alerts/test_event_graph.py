"""The graph of events around an alert, over a real lake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.event import Event
from kernel.store.contract import Commit, EventStore
from kernel.store.lake import Lake
from operations.alerts.entities import entities_of
from operations.alerts.event_graph import MOST_EDGES, MOST_NODES, event_graph
from operations.clock import shift

NOON = "2026-11-23T04:00:00.000000Z"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    lake = Lake.open(tmp_path / "lake", writable=True)
    yield lake
    lake.close()


def event(number: int, seconds: float, **fields: object) -> Event:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return {"@timestamp": shift(NOON, seconds), "event.id": f"e{number}", "event.dataset": "test", **named}


def test_relations_of_the_alerts_entities_are_counted(store: EventStore) -> None:
    alerted = event(
        0, 0, host__name="WS1", user__name="Wang", process__executable="C:\\ps.exe", process__parent__executable="C:\\word.exe"
    )
    events = [
        alerted,
        event(1, 30, host__name="ws1", user__name="wang", process__executable="C:\\ps.exe", file__path="C:\\loot.zip"),
        event(2, 60, host__name="ws1", process__executable="C:\\ps.exe", source__ip="10.1.0.5", destination__ip="2001:db8::9"),
        event(3, 61, host__name="ws1", process__executable="C:\\ps.exe", source__ip="10.1.0.5", destination__ip="2001:db8::9"),
        event(4, 62, host__name="ws1", dns__question__name="Evil.Example"),
        event(5, 3600, host__name="ws1", user__name="later"),
        event(6, 10, host__name="other", user__name="somebody"),
    ]
    store.commit(Commit(events))
    graph = event_graph(store, alerted, entities_of(alerted), minutes=15)
    told = {(edge.source, edge.relation, edge.target): edge.events for edge in graph.edges}
    assert told == {
        ("user:wang", "acts_on", "host:ws1"): 2,
        ("host:ws1", "runs", "process:C:\\ps.exe"): 4,
        ("process:C:\\word.exe", "starts", "process:C:\\ps.exe"): 1,
        ("process:C:\\ps.exe", "touches", "file:C:\\loot.zip"): 1,
        ("ip:10.1.0.5", "talks_to", "ip:2001:db8::9"): 2,
        ("process:C:\\ps.exe", "calls", "ip:2001:db8::9"): 2,
        ("host:ws1", "has_address", "ip:10.1.0.5"): 2,
        ("host:ws1", "asks_for", "domain:evil.example"): 1,
    }
    assert {node.value for node in graph.nodes if node.main} >= {"ws1", "wang", "C:\\ps.exe", "C:\\word.exe"}
    address = next(node for node in graph.nodes if node.value == "2001:db8::9")
    assert (address.kind, address.main, address.events) == ("ip", False, 2)
    assert graph.events == 5
    assert not graph.cut


def test_a_flood_is_cut_to_the_rarest_and_says_so(store: EventStore) -> None:
    alerted = event(0, 0, source__ip="10.0.0.1", destination__ip="10.0.0.2")
    flood = [event(n, n / 10, source__ip="10.0.0.1", destination__ip=f"10.9.{n % 200}.1") for n in range(1, 900)]
    rare = event(9999, 5, source__ip="10.0.0.1", destination__ip="203.0.113.9")
    store.commit(Commit([alerted, *flood, rare]))
    graph = event_graph(store, alerted, entities_of(alerted))
    assert graph.cut
    assert len(graph.nodes) <= MOST_NODES
    assert len(graph.edges) <= MOST_EDGES
    assert "ip:203.0.113.9" in {node.id for node in graph.nodes}


def test_an_alert_about_nothing_that_can_be_followed_has_its_own_event_only(store: EventStore) -> None:
    alerted = event(0, 0, process__executable="a", process__parent__executable="b")
    store.commit(Commit([alerted]))
    graph = event_graph(store, alerted, entities_of(alerted))
    assert [(edge.source, edge.target) for edge in graph.edges] == [("process:b", "process:a")]
    assert graph.events == 0


def test_an_account_of_every_machine_brings_in_no_other_machine(store: EventStore) -> None:
    alerted = event(0, 0, host__name="ws1", user__name="SYSTEM")
    store.commit(
        Commit([alerted, event(1, 5, host__name="ws2", user__name="system"), event(2, 6, host__name="ws1", user__name="li")])
    )
    graph = event_graph(store, alerted, entities_of(alerted))
    assert {node.value for node in graph.nodes} == {"ws1", "system", "li"}
