"""CSV with a head line: ``value``, and where wanted ``kind``, ``confidence``, ``tlp``, ``note``, ``reference``, ``valid_until``,
``revoked`` (1, true, yes)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from operations.errors import Invalid
from operations.indicators.schema import Candidate, Refused

COLUMNS: tuple[str, ...] = ("value", "kind", "confidence", "tlp", "note", "reference", "valid_until", "revoked")
_YES = frozenset({"1", "true", "yes"})


def read(file: BinaryIO) -> Iterator[Candidate | Refused]:
    """Raises Invalid where the head line does not name ``value``, or names columns that are none."""
    rows = csv.DictReader(io.TextIOWrapper(file, "utf-8-sig", "replace", newline=""))
    try:
        names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    except csv.Error as error:
        raise Invalid(f"the table cannot be read: {error}") from error
    if "value" not in names or set(names) - set(COLUMNS) or len(set(names)) < len(names):
        raise Invalid("the first line must name the columns, among them value", f"known are {', '.join(COLUMNS)}")
    rows.fieldnames = names
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Refused(f"line {rows.line_num}", "", f"the line cannot be read: {error}")
            continue
        if row is None:
            return
        place = f"line {rows.line_num}"
        if None in row:
            yield Refused(place, row.get("value") or "", "the line has more fields than the first line names")
            continue
        words = {name: (value or "").strip() for name, value in row.items()}
        confidence = words.pop("confidence", "")
        if confidence and not (confidence.isascii() and confidence.isdecimal() and len(confidence) < 4):
            yield Refused(place, words["value"], f"confidence {confidence[:20]!r} is no number from 0 to 100")
            continue
        revoked = words.pop("revoked", "").lower() in _YES
        yield Candidate(**words, place=place, confidence=int(confidence) if confidence else None, revoked=revoked)
