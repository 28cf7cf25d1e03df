"""The processes around an alert: where its process came from and what it started, read from the event store.

A process is known by ``process.entity_id`` (Sysmon's ProcessGuid, EDR ids). Without one by its host and number, and numbers are
used again: then a parent is the newest start of that number before the child's, and a child must have begun before the number
was given to somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kernel.event import Event
from kernel.query import Query
from kernel.query.tree import And, Equals, Match, Node, Or
from kernel.store.contract import EventStore, TimeRange
from operations.clock import shift

ANCESTORS = 3
GENERATIONS = 3
MOST_CHILDREN = 15  # shown of one process
MOST_PROCESSES = 60
LOOK_BACK_SECONDS = 7 * 86_400
LOOK_AHEAD_SECONDS = 86_400
MAX_TEXT = 2_000

_FIELDS = (
    "@timestamp", "event.id", "host.name", "user.name", "process.entity_id", "process.pid", "process.name", "process.executable",
    "process.command_line", "process.parent.entity_id", "process.parent.pid", "process.parent.name", "process.parent.executable",
    "process.parent.command_line",
)  # fmt: skip
_STARTS = (Match("event.category", Equals("process")), Match("event.type", Equals("start")))


class Process(msgspec.Struct):
    """One process. Texts are "" where no event tells.

    key       ``entity_id``, or ``host/number/start`` where there is none; unique in the tree
    parent    key of the process that started it, "" for the oldest one shown
    role      ancestor | self | child
    event_id  the event of its start, "" where only its child's event names it
    started   ``@timestamp`` of its start
    more      children that exist but are not shown
    """

    key: str
    parent: str
    role: str
    name: str
    executable: str = ""
    command_line: str = ""
    user: str = ""
    pid: int | None = None
    started: str = ""
    event_id: str = ""
    more: int = 0


class ProcessTree(msgspec.Struct, frozen=True):
    """``processes``: the oldest ancestor first, each one before what it started. ``by_number``: linked by process numbers."""

    host: str
    processes: list[Process]
    by_number: bool


class _Identity(msgspec.Struct, frozen=True):
    """What finds a process again."""

    host: str
    entity_id: str
    pid: int | None
    at: str  # a moment at which it lived


def process_tree(store: EventStore, event: Event) -> ProcessTree | None:
    """The tree around the process of ``event``; None where the event names no process of a host. Raises StoreError, QueryError."""
    host = _text(event, "host.name")
    own = _Identity(host, _text(event, "process.entity_id"), _number(event, "process.pid"), _text(event, "@timestamp"))
    if not host or not own.at or (not own.entity_id and own.pid is None):
        return None
    start = _start_of(store, own) or event
    itself = _process(start, "self")
    itself.name = itself.name or _text(event, "process.name")
    if start is event and not _is_start(event):
        itself.event_id, itself.started = "", ""
    above = _ancestors(store, start, itself)
    below = _descendants(store, host, itself, {one.key for one in above})
    return ProcessTree(host, [*above, itself, *below], by_number=not own.entity_id)


def _ancestors(store: EventStore, start: Event, child: Process) -> list[Process]:
    """Up to ANCESTORS, the oldest first. An ancestor whose start was not seen is told by its child's event, and ends the line."""
    found: list[Process] = []
    event = start
    for _ in range(ANCESTORS):
        identity = _Identity(
            _text(event, "host.name"), _text(event, "process.parent.entity_id"), _number(event, "process.parent.pid"),
            _text(event, "@timestamp"),
        )  # fmt: skip
        began = _start_of(store, identity)
        parent = _process(began, "ancestor") if began else _told_by_child(event, identity)
        if parent is None or parent.key in {child.key, *(one.key for one in found)}:
            break
        (found[-1] if found else child).parent = parent.key
        found.append(parent)
        if began is None:
            break
        event = began
    return found[::-1]


def _descendants(store: EventStore, host: str, root: Process, above: set[str]) -> list[Process]:
    """What the process started, breadth first, up to GENERATIONS deep and MOST_PROCESSES in all."""
    found: list[Process] = []
    seen = {root.key, *above}
    generation = [root]
    for _ in range(GENERATIONS):
        room = MOST_PROCESSES - len(found)
        if not generation or room <= 0:
            break
        younger: list[Process] = []
        for parent, child in _children(store, host, generation, room * 2):
            if child.key in seen:
                continue
            if sum(one.parent == parent.key for one in younger) >= MOST_CHILDREN or len(younger) >= room:
                parent.more += 1
                continue
            child.parent = parent.key
            seen.add(child.key)
            younger.append(child)
        found += younger
        generation = younger
    return found


def _children(store: EventStore, host: str, parents: Sequence[Process], limit: int) -> list[tuple[Process, Process]]:
    """Starts whose parent is one of ``parents``, oldest first; one question for a whole generation."""
    by_key = {one.key: one for one in parents if not _made_up(one)}
    by_pid = {one.pid: one for one in parents if _made_up(one) and one.pid is not None and one.started}
    either: list[Node] = [Match("process.parent.entity_id", Equals(key)) for key in by_key]
    either += [Match("process.parent.pid", Equals(str(pid), pid)) for pid in by_pid]
    moments = [one.started for one in parents if one.started]
    if not either or not moments:
        return []
    when = TimeRange(min(moments), shift(max(moments), LOOK_AHEAD_SECONDS))
    events = _starts(store, host, Or(tuple(either)), when, limit)
    pairs: list[tuple[Process, Process]] = []
    for event in reversed(events):
        parent = by_key.get(_text(event, "process.parent.entity_id"))
        if parent is None and not _text(event, "process.parent.entity_id"):
            parent = by_pid.get(_number(event, "process.parent.pid") or 0)
            if parent is not None and _used_again(store, host, parent, _text(event, "@timestamp")):
                parent = None
        if parent is not None:
            pairs.append((parent, _process(event, "child")))
    return pairs


def _start_of(store: EventStore, who: _Identity) -> Event | None:
    """The start of a process: the newest one of that identity that is not later than the moment at which it lived."""
    if not who.host or not who.at:
        return None
    when = TimeRange(shift(who.at, -LOOK_BACK_SECONDS), shift(who.at, 1))
    if who.entity_id:
        found = _starts(store, who.host, Match("process.entity_id", Equals(who.entity_id)), when, 1)
        return found[0] if found else None
    if who.pid is None:
        return None
    found = _starts(store, who.host, Match("process.pid", Equals(str(who.pid), who.pid)), when, 2)
    return next((event for event in found if _text(event, "@timestamp") <= who.at), None)


def _used_again(store: EventStore, host: str, process: Process, until: str) -> bool:
    """Whether the number of ``process`` was given to another one before ``until``."""
    later = TimeRange(shift(process.started, 0.001), until)
    return bool(_starts(store, host, Match("process.pid", Equals(str(process.pid), process.pid)), later, 1))


def _starts(store: EventStore, host: str, who: Node, when: TimeRange, limit: int) -> list[Event]:
    query = Query("", And((Match("host.name", Equals(host)), *_STARTS, who)))
    return store.search(query, when, limit=limit, fields=_FIELDS).events


def _process(event: Event, role: str) -> Process:
    host, pid, started = _text(event, "host.name"), _number(event, "process.pid"), _text(event, "@timestamp")
    executable = _text(event, "process.executable")
    return Process(
        key=_text(event, "process.entity_id") or f"{host}/{pid}/{started}",
        parent="",
        role=role,
        name=_text(event, "process.name") or _file_name(executable),
        executable=executable,
        command_line=_text(event, "process.command_line"),
        user=_text(event, "user.name"),
        pid=pid,
        started=started,
        event_id=_text(event, "event.id"),
    )


def _told_by_child(event: Event, who: _Identity) -> Process | None:
    """A parent of which only its child's event speaks."""
    executable = _text(event, "process.parent.executable")
    name = _text(event, "process.parent.name") or _file_name(executable)
    if not name:
        return None
    return Process(
        key=who.entity_id or f"{who.host}/{who.pid}/", parent="", role="ancestor", name=name, executable=executable,
        command_line=_text(event, "process.parent.command_line"), pid=who.pid,
    )  # fmt: skip


def _made_up(process: Process) -> bool:
    """Whether the key was made of host and number for want of an ``entity_id``, which may have slashes, too (base64)."""
    return process.key.endswith(f"/{process.pid}/{process.started}")


def _is_start(event: Event) -> bool:
    kinds = event.get("event.type", [])
    return "start" in (kinds if isinstance(kinds, list) else [kinds])


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _text(event: Event, field: str) -> str:
    value = event.get(field)
    if isinstance(value, list):
        value = value[0] if value else None
    return "" if value is None else str(value)[:MAX_TEXT]


def _number(event: Event, field: str) -> int | None:
    value = event.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
