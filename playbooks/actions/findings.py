"""What was found, as values for out_args: for commands that only look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from playbooks.actions.contract import ActionError, Request
from playbooks.variables import Value


def values(request: Request, found: Mapping[str, Any], whole: Any = None) -> dict[str, Value]:
    """The values that the step wants.

    found  by the names of parameters.LOOKING; the first of them is given where a step wants exactly one value
    whole  what JSON pointers point into, None = ``found``

    A pointer beyond the end of a list gives nothing: the variable stays as it is. Lists are JSON texts. Raises ActionError.
    """
    gave: dict[str, Value] = {}
    content = found if whole is None else whole
    for name in request.out_args:
        if name in request.options.outputs:
            there, value = _pointed(content, request.options.outputs[name], name)
            if there:
                gave[name] = _text(value)
        elif name.strip("_") in found:
            gave[name] = _text(found[name.strip("_")])
        elif len(request.out_args) == 1:
            gave[name] = _text(next(iter(found.values())))
    return gave


def _pointed(content: Any, pointer: str, name: str) -> tuple[bool, Any]:
    for part in pointer.split("/")[1:] if pointer else ():
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(content, Mapping) and key in content:
            content = content[key]
        elif isinstance(content, list) and key.isascii() and key.isdecimal() and len(key) <= 6:
            if int(key) >= len(content):
                return False, None
            content = content[int(key)]
        else:
            raise ActionError(f"there is nothing at {pointer!r} for {name}", code="OUTPUT_MISSING")
    return True, content


def _text(value: Any) -> Value:
    """A JSON value as variables hold it: text, or an object."""
    if value is None or isinstance(value, (str, dict)):
        return value
    return msgspec.json.encode(value).decode()
