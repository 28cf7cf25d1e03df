"""JSON files that hold a list of objects."""

from __future__ import annotations

from typing import Any, BinaryIO

from operations.errors import Invalid
from operations.json_document import read_json

MOST_BYTES = 64 << 20


def objects_of(file: BinaryIO, member: str, what: str) -> list[Any]:
    """The list under ``member``, or the file itself where it is a list; a single object counts as a list of one. Raises Invalid."""
    found = read_json(file.read(MOST_BYTES + 1), MOST_BYTES)
    if isinstance(found, dict):
        inner = found.get(member, [found] if member != "objects" else None)
        found = [inner] if isinstance(inner, dict) else inner
    if not isinstance(found, list):
        raise Invalid(f"the file is not {what}")
    return found
