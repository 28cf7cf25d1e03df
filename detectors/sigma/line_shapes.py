"""The plain forms of a Windows event line that the fast path reads; see kernel.windows_event for all the forms there are."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

_NULL = b"null"
EMPTY = Raw(b"{}")


class Shape(IntEnum):
    TREE = 1  # {"Event": {"System": …, "EventData": …}}
    WINLOG = 2  # {"winlog": {"channel": …, "event_data": …}}
    FLAT = 3  # {"Channel": …, "EventID": …, fields}


class Qualified(msgspec.Struct, gc=False):
    """``<EventID Qualifiers="16384">18454</EventID>``."""

    text: int | UnsetType = msgspec.field(default=UNSET, name="#text")


class Envelope(msgspec.Struct, gc=False):
    """System element: what tells the class."""

    Channel: str | None = None
    EventID: int | Qualified | UnsetType = UNSET


class System(msgspec.Struct, gc=False):
    """System element: what rules may ask for."""

    Provider: Any = UNSET
    Provider_attributes: Any = UNSET
    Computer: Any = UNSET
    EventRecordID: Any = UNSET
    Level: Any = UNSET
    level: Any = UNSET
    Task: Any = UNSET
    task: Any = UNSET


class _Tree(msgspec.Struct, gc=False):
    System: Envelope
    EventData: Raw | UnsetType = UNSET
    UserData: Raw | UnsetType = UNSET


class Winlog(msgspec.Struct, gc=False):
    channel: str | None = None
    event_id: int | str | UnsetType = UNSET
    provider_name: Any = UNSET
    computer_name: Any = UNSET
    record_id: Any = UNSET
    event_data: Raw | UnsetType = UNSET
    user_data: Raw | UnsetType = UNSET


class _SystemTree(msgspec.Struct, gc=False):
    System: System


class SystemProbe(msgspec.Struct, gc=False):
    """A tree line again, for the rules that look at its System element."""

    Event: _SystemTree


class Probe(msgspec.Struct, gc=False):
    """Envelope of a line, whatever its form."""

    Event: _Tree | UnsetType = UNSET
    winlog: Winlog | UnsetType = UNSET
    Channel: str | UnsetType = UNSET
    EventID: int | UnsetType = UNSET


def shape_of(probe: Probe) -> tuple[Shape, str, int, Raw | None] | None:
    """(shape, channel, number, JSON of the fields; None: the whole line) of a plain form, None for anything else."""
    tree = probe.Event
    if tree is not UNSET:
        return _tree(tree)
    winlog = probe.winlog
    if winlog is not UNSET:
        return _winlog(winlog)
    channel, number = probe.Channel, probe.EventID
    if channel is UNSET or number is UNSET:
        return None
    return Shape.FLAT, channel, number, None


def is_absent(raw: Raw | UnsetType) -> bool:
    """True for an element that is not there or null."""
    return raw is UNSET or bytes(raw) == _NULL


def _tree(tree: _Tree) -> tuple[Shape, str, int, Raw | None] | None:
    system = tree.System
    number = system.EventID
    if isinstance(number, Qualified):
        number = number.text
    if number is UNSET or not is_absent(tree.UserData):
        return None
    data = tree.EventData
    return Shape.TREE, system.Channel or "", number, EMPTY if data is UNSET or is_absent(data) else data


def _winlog(winlog: Winlog) -> tuple[Shape, str, int, Raw | None] | None:
    number = winlog.event_id
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 12:
        number = int(number)
    if not isinstance(number, int) or winlog.user_data is not UNSET:
        return None
    data = winlog.event_data
    return Shape.WINLOG, winlog.channel or "", number, EMPTY if data is UNSET else data
