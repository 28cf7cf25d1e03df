"""Values out of JSON, as variables hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from playbooks.variables import Value

_LONGEST_INDEX = 9


class BeyondEnd(LookupError):
    """The list is there, and shorter."""


def pointed(content: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901). Raises LookupError where there is none, BeyondEnd where a list ends before it."""
    for part in pointer.split("/")[1:] if pointer else ():
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(content, Mapping) and key in content:
            content = content[key]
        elif isinstance(content, list) and key.isascii() and key.isdecimal():
            if len(key) > _LONGEST_INDEX or int(key) >= len(content):
                raise BeyondEnd(pointer)
            content = content[int(key)]
        else:
            raise LookupError(pointer)
    return content


def value_of(found: Any) -> Value:
    """Text or an object; what is neither is its JSON text."""
    if found is None or isinstance(found, (str, dict)):
        return found
    return msgspec.json.encode(found).decode()
