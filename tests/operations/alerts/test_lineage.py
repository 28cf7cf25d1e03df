"""The process tree, read from a real lake: by lasting ids, by process numbers, at the edges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.event import Event
from kernel.store.contract import Commit, EventStore
from kernel.store.lake import Lake
from operations.alerts.lineage import MOST_CHILDREN, MOST_PROCESSES, ProcessTree, process_tree
from operations.clock import shift

NOON = "2026-11-23T04:00:00.000000Z"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    lake = Lake.open(tmp_path / "lake", writable=True)
    yield lake
    lake.close()


def start(at: float, pid: int, name: str, parent: int, *, ids: bool = True, host: str = "ws1", **more: Any) -> Event:
    """A process began ``at`` seconds after noon."""
    event: Event = {
        "@timestamp": shift(NOON, at),
        "event.id": f"{host}-{pid}-{at}",
        "event.category": ["process"],
        "event.type": ["start"],
        "event.dataset": "windows.sysmon",
        "host.name": host,
        "user.name": "wang",
        "process.pid": pid,
        "process.name": name,
        "process.executable": f"C:\\Windows\\{name}",
        "process.command_line": f"{name} --go",
        "process.parent.pid": parent,
        "process.parent.name": f"p{parent}.exe",
    }
    if ids:
        event |= {"process.entity_id": f"guid-{host}-{pid}", "process.parent.entity_id": f"guid-{host}-{parent}"}
    return {**event, **more}


def tree_of(store: EventStore, events: list[Event], event: Event) -> ProcessTree:
    store.commit(Commit(events))
    found = process_tree(store, event)
    assert found is not None
    return found


def shape(tree: ProcessTree) -> list[tuple[str, str, str]]:
    names = {one.key: one.name for one in tree.processes}
    return [(one.name, names.get(one.parent, ""), one.role) for one in tree.processes]


@pytest.mark.parametrize("ids", [True, False])
def test_ancestors_and_children_are_found(store: EventStore, ids: bool) -> None:
    line = [
        start(0, 100, "explorer.exe", 50, ids=ids),
        start(10, 200, "winword.exe", 100, ids=ids),
        start(20, 300, "powershell.exe", 200, ids=ids),
        start(30, 400, "whoami.exe", 300, ids=ids),
        start(31, 500, "cmd.exe", 300, ids=ids),
        start(32, 600, "net.exe", 500, ids=ids),
        start(33, 700, "other.exe", 999, ids=ids),
        start(34, 800, "elsewhere.exe", 300, ids=ids, host="ws2"),
    ]
    tree = tree_of(store, line, line[2])
    assert shape(tree) == [
        ("p50.exe", "", "ancestor"),
        ("explorer.exe", "p50.exe", "ancestor"),
        ("winword.exe", "explorer.exe", "ancestor"),
        ("powershell.exe", "winword.exe", "self"),
        ("whoami.exe", "powershell.exe", "child"),
        ("cmd.exe", "powershell.exe", "child"),
        ("net.exe", "cmd.exe", "child"),
    ]
    assert tree.by_number is not ids
    assert [one.event_id for one in tree.processes][:2] == ["", "ws1-100-0"]


def test_the_event_need_not_be_the_start(store: EventStore) -> None:
    began = start(0, 300, "powershell.exe", 200)
    call = {
        "@timestamp": shift(NOON, 60), "event.id": "call", "event.category": ["network"], "event.type": ["connection"],
        "event.dataset": "windows.sysmon", "host.name": "ws1", "process.pid": 300, "process.name": "powershell.exe",
        "process.entity_id": "guid-ws1-300",
    }  # fmt: skip
    tree = tree_of(store, [began, call], call)
    assert [(one.name, one.role, one.event_id) for one in tree.processes] == [
        ("p200.exe", "ancestor", ""),
        ("powershell.exe", "self", "ws1-300-0"),
    ]


def test_lasting_ids_may_have_slashes(store: EventStore) -> None:
    """Elastic Defend writes its ids in base64."""
    own = {"process.entity_id": "MTRl/NW0+Zw==", "process.parent.entity_id": "guid-ws1-4"}
    child = {"process.entity_id": "Y2hp/bGQ=", "process.parent.entity_id": "MTRl/NW0+Zw=="}
    events = [start(0, 20, "word.exe", 4, **own), start(1, 30, "cmd.exe", 20, **child)]
    assert shape(tree_of(store, events, events[0]))[-1] == ("cmd.exe", "word.exe", "child")


def test_a_number_given_again_belongs_to_somebody_else(store: EventStore) -> None:
    events = [
        start(0, 300, "first.exe", 1, ids=False),
        start(5, 301, "child-of-first.exe", 300, ids=False),
        start(10, 300, "second.exe", 2, ids=False),
        start(15, 302, "child-of-second.exe", 300, ids=False),
    ]
    store.commit(Commit(events))
    of_first, of_second = process_tree(store, events[0]), process_tree(store, events[2])
    above = process_tree(store, events[3])
    assert of_first is not None
    assert of_second is not None
    assert above is not None
    assert [one.name for one in of_first.processes if one.role == "child"] == ["child-of-first.exe"]
    assert [one.name for one in of_second.processes if one.role == "child"] == ["child-of-second.exe"]
    assert [one.name for one in above.processes if one.role == "ancestor"] == ["p2.exe", "second.exe"]


def test_many_children_are_counted_not_shown(store: EventStore) -> None:
    events = [start(0, 1, "parent.exe", 0), *(start(1 + n, 100 + n, f"c{n}.exe", 1) for n in range(40))]
    tree = tree_of(store, events, events[0])
    itself = next(one for one in tree.processes if one.role == "self")
    assert sum(one.role == "child" for one in tree.processes) == MOST_CHILDREN
    assert itself.more == 40 - MOST_CHILDREN
    assert len(tree.processes) <= MOST_PROCESSES + 4


def test_a_process_that_names_itself_as_its_parent_ends_the_line(store: EventStore) -> None:
    event = start(0, 7, "loop.exe", 7)
    tree = tree_of(store, [event], event)
    assert shape(tree) == [("loop.exe", "", "self")]


@pytest.mark.parametrize("lacking", ["host.name", "@timestamp"])
def test_without_host_or_time_there_is_no_tree(store: EventStore, lacking: str) -> None:
    event = start(0, 7, "a.exe", 6)
    del event[lacking]
    assert process_tree(store, event) is None


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=7), st.booleans())
def test_every_parent_stands_before_its_children(tmp_path_factory: pytest.TempPathFactory, starts: list[Any], ids: bool) -> None:
    """Whatever is recorded — loops, doubles, numbers used again — the answer is a tree in order, with keys of its own."""
    lake = Lake.open(tmp_path_factory.mktemp("lake"), writable=True)
    events = [start(n, pid, f"{n}.exe", parent, ids=ids) for n, (pid, parent) in enumerate(starts)]
    lake.commit(Commit(events))
    for event in events:
        tree = process_tree(lake, event)
        assert tree is not None
        known: set[str] = set()
        for process in tree.processes:
            assert process.key not in known
            assert process.parent in known or not process.parent
            known.add(process.key)
        assert sum(process.role == "self" for process in tree.processes) == 1
        assert sum(not process.parent for process in tree.processes) == 1
    lake.close()
