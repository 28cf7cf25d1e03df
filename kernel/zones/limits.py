"""How long the texts of a plan may be, and which characters they may have: one measure for file, API, forms and commands."""

from __future__ import annotations

import re

LONGEST: dict[str, dict[str, int]] = {
    "zone": {"name": 128, "name_en": 128, "owner": 128, "ranges": 64, "sensors": 128},
    "conduit": {"sources": 64, "targets": 64, "services": 64, "reason": 2000, "since": 64, "until": 64, "approver": 128},
    "asset": {"name": 256, "kind": 64, "bureau": 128, "addresses": 64, "macs": 17},
}
"""Characters of a text, or of each text of a list."""

MOST: dict[str, dict[str, int]] = {
    "zone": {"ranges": 2000, "vlans": 4094, "sensors": 2000},
    "conduit": {"sources": 2000, "targets": 2000, "services": 2000},
    "asset": {"addresses": 64, "macs": 64},
}
"""Entries of a list."""

LONGEST_ASSET_ID = 128
_MOST_SHOWN = 80

_BROKEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
_UNFIT = re.compile(f"[{_BROKEN}\t\n\r]")
_UNFIT_IN_PROSE = re.compile(f"[{_BROKEN}]")


def unfit(text: str, *, prose: bool = False) -> str:
    """``U+202E`` for the first character that no text of a plan may have, "" for none.

    Control characters, halves of surrogate pairs (no database keeps them) and what turns the direction of the line (a name could
    look like another). Only ``prose`` (the reason of a conduit) has line breaks.
    """
    found = (_UNFIT_IN_PROSE if prose else _UNFIT).search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def shown(text: str) -> str:
    """A text from outside as a message quotes it: in quotes, nothing unprintable, at most 80 characters."""
    quoted = repr(text[:_MOST_SHOWN])
    return quoted if len(text) <= _MOST_SHOWN and len(quoted) <= _MOST_SHOWN else f"{quoted[: _MOST_SHOWN - 1]}…"


def named(identifier: str) -> str:
    """An id as messages name it: as it is, but quoted and cut where it could not be printed."""
    return identifier if identifier.isprintable() and len(identifier) <= _MOST_SHOWN else shown(identifier)
