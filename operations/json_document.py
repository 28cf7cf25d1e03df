"""JSON that people and other systems send, bounded."""

from __future__ import annotations

from typing import Any

import orjson

from operations.errors import Invalid


def read_json(octets: bytes, most: int, field: str = "file") -> Any:
    """The document, of ``most`` bytes at most. orjson refuses nesting beyond 1,024 and numbers that are none. Raises Invalid."""
    if len(octets) > most:
        raise Invalid(f"the file is larger than {most >> 20} MiB (limit)", "split it", field=field)
    try:
        return orjson.loads(octets.removeprefix(b"\xef\xbb\xbf"))
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise Invalid(f"this is no JSON: {str(error)[:200]}", field=field) from error
