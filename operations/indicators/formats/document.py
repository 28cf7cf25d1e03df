"""JSON files that hold a list of objects."""

from __future__ import annotations

from typing import Any, BinaryIO

import orjson

from operations.errors import Invalid

MOST_BYTES = 64 << 20


def objects_of(file: BinaryIO, member: str, what: str) -> list[Any]:
    """The list under ``member``, or the file itself where it is a list; a single object counts as a list of one. Raises Invalid."""
    octets = file.read(MOST_BYTES + 1)
    if len(octets) > MOST_BYTES:
        raise Invalid(f"the file is larger than {MOST_BYTES >> 20} MiB (limit)", "split it")
    try:
        found = orjson.loads(octets.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise Invalid(f"the file is no JSON: {error}") from error
    if isinstance(found, dict):
        inner = found.get(member, [found] if member != "objects" else None)
        found = [inner] if isinstance(inner, dict) else inner
    if not isinstance(found, list):
        raise Invalid(f"the file is not {what}")
    return found
