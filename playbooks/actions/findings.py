"""What was found, as values for out_args: for commands that only look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playbooks.actions.contract import ActionError, Request
from playbooks.actions.json_values import BeyondEnd, pointed, value_of
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
            pointer = request.options.outputs[name]
            try:
                gave[name] = value_of(pointed(content, pointer))
            except BeyondEnd:
                continue
            except LookupError as error:
                raise ActionError(f"there is nothing at {pointer!r} for {name}", code="OUTPUT_MISSING") from error
        elif name.strip("_") in found:
            gave[name] = value_of(found[name.strip("_")])
        elif len(request.out_args) == 1:
            gave[name] = value_of(next(iter(found.values())))
    return gave
