"""The canonical form of an entry: the bytes that its leaf of the Merkle tree commits to.

JSON of the columns below with sorted keys, without spaces, not escaped to ASCII, in UTF-8; ``detail`` is the stored text itself (so
JSON within JSON). ``id`` is a number, everything else text. Example:

    {"action":"alert.change","actor":"eve","address":"203.0.113.9","detail":"{}","id":7,"object_id":"1","object_type":"alert",…}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crypto.merkle import leaf_hash
from crypto.sm3 import sm3

COLUMNS = ("id", "time", "actor", "address", "action", "object_type", "object_id", "result", "detail")
CHAIN_START = "0" * 64
"""What the first entry of the chain before the tree calls its predecessor."""

_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def canonical(fields: Mapping[str, Any]) -> str:
    """Canonical JSON of any mapping; what JSON cannot say becomes its text."""
    return _encoder.encode(fields)


def to_bytes(text: str) -> bytes:
    """UTF-8; a lone surrogate (a name that was no UTF-8) keeps its place instead of being refused."""
    return text.encode("utf-8", "surrogatepass")


def leaf_of(fields: Mapping[str, Any]) -> bytes:
    """The leaf hash of an entry with the COLUMNS."""
    return leaf_hash(to_bytes(canonical(fields)))


def chain_digest(previous: str, fields: Mapping[str, Any]) -> str:
    """What entries from before the tree carry as digest: SM3(previous digest + canonical JSON), hex."""
    return sm3(to_bytes(previous + canonical(fields))).hex()
