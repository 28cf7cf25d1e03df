"""Values of variables that a person typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec
from werkzeug.datastructures import MultiDict

from operations.errors import Invalid
from playbooks.variables import Value

PREFIX = "value."
"""Of the names of inputs: variables may be called as anything else in a form is."""


def values(form: MultiDict[str, str], types: Mapping[str, str], told: Collection[str] = ()) -> dict[str, Value]:
    """What was typed for the variables of ``types``; an empty input leaves a variable as it is. Raises Invalid.

    told  whose inputs were filled in: who empties one says that it is not known
    """
    found: dict[str, Value] = {}
    for name, kind in types.items():
        text = form.get(PREFIX + name, "").strip()
        if text:
            found[name] = _object(name, text) if kind == "dictionary" else text
        elif name in told and PREFIX + name in form:
            found[name] = None
    return found


def _object(name: str, text: str) -> Value:
    try:
        return msgspec.json.decode(text, type=dict)
    except msgspec.DecodeError as error:
        raise Invalid(f"this is no JSON: {error}", field=name[:250]) from error
