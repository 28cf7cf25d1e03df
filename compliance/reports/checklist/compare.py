"""What a check-list would change, and what is wrong with it. Pure: nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from compliance.assessment.record import MAX_EVIDENCE, MAX_REASON
from compliance.reports.checklist.columns import mark, plain
from compliance.reports.checklist.read import Row, Sheet
from compliance.reports.material import Material
from compliance.reports.pairs import Pair
from compliance.verdicts import read_verdict
from operations.errors import Invalid

Kind = Literal["unreadable", "unknown", "twice", "verdict", "reason", "decided", "emptied", "changed_since"]


class Change(msgspec.Struct, frozen=True):
    """A row that says something else than what is recorded now."""

    line: int
    item: str
    object_id: int
    object: str
    before: str
    after: str
    reason: str
    evidence: str


class Trouble(msgspec.Struct, frozen=True):
    """A row that cannot be taken in; ``message`` in English, ``kind`` for other words."""

    line: int
    item: str
    object_id: int
    kind: Kind
    message: str


class Plan(msgspec.Struct, frozen=True):
    """``untouched``: rows that nobody filled in; ``same``: filled in with what is recorded already."""

    changes: tuple[Change, ...]
    troubles: tuple[Trouble, ...]
    untouched: int = 0
    same: int = 0


class _Refused(Exception):
    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


def compare(sheet: Sheet, material: Material) -> Plan:
    """Row by row against what is recorded. Raises Invalid for the check-list of another system."""
    if sheet.system != material.key:
        raise Invalid("this check-list was made for another system", f"the one it is taken in for is {material.system.name[:60]!r}")
    known = {(one.item, one.object_id): one for one in material.pairs}
    changes, troubles, seen = [], [], set[tuple[str, int]]()
    untouched = same = 0
    for row in sheet.rows:
        key = (row.item, row.object_id)
        try:
            if key in seen:
                raise _Refused("twice", "the pair of item and object stands in the sheet twice")
            seen.add(key)
            found = _change(row, known)
        except _Refused as error:
            troubles.append(Trouble(row.line, row.item, row.object_id, error.kind, error.message))
            continue
        if isinstance(found, Change):
            changes.append(found)
        else:
            untouched, same = untouched + (found == "untouched"), same + (found == "same")
    return Plan(tuple(changes), tuple(troubles), untouched, same)


def _change(row: Row, known: Mapping[tuple[str, int], Pair]) -> Change | Literal["untouched", "same"]:
    if row.trouble:
        raise _Refused("unreadable", row.trouble)
    pair = known.get((row.item, row.object_id))
    if pair is None:
        raise _Refused("unknown", f"{row.item[:24]!r} on object {row.object_id} is not assessed in this system")
    try:
        verdict = read_verdict(row.verdict).value if row.verdict else ""
    except ValueError as error:
        raise _Refused("verdict", str(error)) from error
    if row.mark == mark(row.item, row.object_id, verdict, row.reason, row.evidence, row.version):
        return "untouched"
    if (verdict, row.reason, row.evidence) == (pair.verdict, plain(pair.reason), plain(pair.evidence)):
        return "same"
    if pair.decided:
        raise _Refused("decided", "a person decided that the item does not apply here: withdraw that decision first")
    if not verdict:
        raise _Refused(
            "emptied", "a verdict is taken back in the console, with a reason" if pair.verdict else "the verdict is missing"
        )
    if row.version != pair.version:
        raise _Refused("changed_since", f"{pair.by or 'somebody'} changed it since the check-list was exported")
    if not row.reason or len(row.reason) > MAX_REASON or len(row.evidence) > MAX_EVIDENCE:
        raise _Refused("reason", f"a reason of at most {MAX_REASON} characters is needed, evidence has at most {MAX_EVIDENCE}")
    return Change(row.line, row.item, row.object_id, pair.object_name, pair.verdict, verdict, row.reason, row.evidence)
