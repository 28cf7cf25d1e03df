"""System fields of a line (provider, computer, level …) for the few rules that ask for them, as
:func:`kernel.windows_event.windows_fields` writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from detectors.sigma.line_shapes import Shape, SystemProbe, Winlog
from kernel.windows_event import provider_of


class _WinlogProbe(msgspec.Struct, gc=False):
    winlog: Winlog


class _FlatSystem(msgspec.Struct, gc=False):
    Provider_Name: Any = UNSET
    SourceName: Any = UNSET
    Computer: Any = UNSET
    Hostname: Any = UNSET
    EventRecordID: Any = UNSET
    RecordNumber: Any = UNSET
    Level: Any = UNSET
    level: Any = UNSET
    Task: Any = UNSET
    task: Any = UNSET


_tree = msgspec.json.Decoder(SystemProbe).decode
_winlog = msgspec.json.Decoder(_WinlogProbe).decode
_flat = msgspec.json.Decoder(_FlatSystem).decode


def _text(value: Any) -> Any:
    return value if isinstance(value, str) and value else UNSET


def _scalar(*values: Any) -> Any:
    chosen = next((value for value in values if value is not UNSET), UNSET)
    return str(chosen) if isinstance(chosen, (str, int)) else UNSET


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return UNSET
    if isinstance(value, int):
        return value if value >= 0 else UNSET
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        return int(value)
    return UNSET


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not UNSET and value), UNSET)


def _tree_provider(line: bytes) -> Any:
    system = _tree(line).Event.System
    element = {}
    if system.Provider is not UNSET:
        element["Provider"] = system.Provider
    if system.Provider_attributes is not UNSET:
        element["Provider_attributes"] = system.Provider_attributes
    return _text(provider_of(element))


def _tree_scalar(line: bytes, name: str) -> Any:
    system = _tree(line).Event.System
    return _scalar(getattr(system, name), getattr(system, name.lower()))


def _flat_provider(line: bytes) -> Any:
    fields = _flat(line)
    return _text(_first(fields.Provider_Name, fields.SourceName))


def _flat_computer(line: bytes) -> Any:
    fields = _flat(line)
    return _text(_first(fields.Computer, fields.Hostname))


def _flat_record(line: bytes) -> Any:
    fields = _flat(line)
    return _number(fields.RecordNumber if fields.EventRecordID is UNSET else fields.EventRecordID)


def _flat_scalar(line: bytes, name: str) -> Any:
    fields = _flat(line)
    return _scalar(getattr(fields, name), getattr(fields, name.lower()))


SYSTEM_READERS: dict[Shape, dict[str, Callable[[bytes], Any]]] = {
    Shape.TREE: {
        "winlog.provider_name": _tree_provider,
        "winlog.computer_name": lambda line: _text(_tree(line).Event.System.Computer),
        "winlog.record_id": lambda line: _number(_tree(line).Event.System.EventRecordID),
        "winlog.level": lambda line: _tree_scalar(line, "Level"),
        "winlog.task": lambda line: _tree_scalar(line, "Task"),
    },
    Shape.WINLOG: {
        "winlog.provider_name": lambda line: _text(_winlog(line).winlog.provider_name),
        "winlog.computer_name": lambda line: _text(_winlog(line).winlog.computer_name),
        "winlog.record_id": lambda line: _number(_winlog(line).winlog.record_id),
    },
    Shape.FLAT: {
        "winlog.provider_name": _flat_provider,
        "winlog.computer_name": _flat_computer,
        "winlog.record_id": _flat_record,
        "winlog.level": lambda line: _flat_scalar(line, "Level"),
        "winlog.task": lambda line: _flat_scalar(line, "Task"),
    },
}
