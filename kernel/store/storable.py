"""The form of an event that every store keeps exactly: text that is valid Unicode, 64-bit numbers, flat fields, no nulls.

What does not fit is kept as text, never dropped: larger integers and non-finite floats as their text, bytes and lone surrogates
with ``\\xNN`` / ``\\udcNN`` escapes, nested objects flattened to dotted names, objects inside lists as JSON text. Nulls mean
"no such field".
"""

from __future__ import annotations

import json
import math
from typing import Any

from kernel.event import Event

_DEEPEST = 24


def storable(event: Event) -> Event:
    """A copy of the event as a store will return it."""
    result: Event = {}
    for field, value in event.items():
        _put(result, event, _text(str(field)), value, 0)
    return result


def _put(result: Event, event: Event, field: str, value: Any, depth: int) -> None:
    if isinstance(value, dict) and depth < _DEEPEST:
        for name, inner in value.items():
            dotted = f"{field}.{_text(str(name))}"
            if dotted in event and event[dotted] is not inner:
                dotted = "labels." + dotted  # the flat field wins: {"event": {"id": …}} must not replace event.id
            _put(result, event, dotted, inner, depth + 1)
        return
    if isinstance(value, (list, tuple, set, frozenset)):
        result[field] = _flat(value, 0)
    elif value is not None:
        result[field] = storable_scalar(value)


def _flat(values: Any, depth: int) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        if isinstance(value, (list, tuple, set, frozenset)) and depth < _DEEPEST:
            flat += _flat(value, depth + 1)
        elif value is not None:
            flat.append(storable_scalar(value))
    return flat


def storable_scalar(value: Any) -> str | int | float | bool:
    """One element in the form described above."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -(1 << 63) <= value < 1 << 64 else _digits(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(float(value))]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, (dict, list)):
        try:
            return _text(json.dumps(value, ensure_ascii=False, default=str))
        except (ValueError, TypeError, RecursionError):
            return f"({type(value).__name__} nested too deeply)"
    return _text(str(value))


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # more than sys.get_int_max_str_digits() digits
        return hex(value)


def _text(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
