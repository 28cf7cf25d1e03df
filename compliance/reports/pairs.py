"""Every pair of an item and an object that a system is assessed on, with what counts now: the rows of check-list and evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.assessment.models import VerdictRow
from compliance.assessment.places import MLPS
from compliance.systems import rows
from compliance.systems.applicability import WHOLE, Decision, Scope
from compliance.systems.models import ObjectRow
from compliance.systems.schema import ObjectRecord
from operations.errors import Invalid

MOST_PAIRS = 300_000
"""A report is no export of a city: what is larger is refused, with its number."""


class Pair(msgspec.Struct, frozen=True):
    """``object`` None = the system as a whole; ``verdict`` "" = not yet assessed.

    decided  a person took the item from the system or the object: the verdict follows from that and is not given here
    version  of the recorded verdict, 0 = there is none
    """

    item: str
    object: ObjectRecord | None
    verdict: str = ""
    source: str = ""
    by: str = ""
    reason: str = ""
    evidence: str = ""
    reproduce: str = ""
    at: str = ""
    checked_at: str = ""
    probed: str = ""
    version: int = 0
    decided: bool = False

    @property
    def object_id(self) -> int:
        """0 for the system as a whole."""
        return self.object.id if self.object is not None else WHOLE

    @property
    def object_name(self) -> str:
        """ "" for the system as a whole."""
        return self.object.name if self.object is not None else ""


def objects_of(session: Session, system_id: int) -> list[ObjectRecord]:
    """All that are in, by number."""
    query = select(ObjectRow).where(ObjectRow.system_id == system_id, ObjectRow.removed_at.is_(None)).order_by(ObjectRow.id)
    return [rows.object_record(row) for row in session.execute(query).scalars()]


def pairs(session: Session, system_id: int, scope: Scope, objects: Sequence[ObjectRecord]) -> list[Pair]:
    """In the order of the standard, then by object. Raises Invalid for more than MOST_PAIRS."""
    by_kind: dict[str, list[ObjectRecord]] = {}
    for one in objects:
        by_kind.setdefault(one.kind, []).append(one)
    number = sum(len(by_kind.get(kind, ())) for item in scope.items for kind in scope.kinds(item))
    if number > MOST_PAIRS:
        raise Invalid(f"the system has {number:,} pairs of an item and an object", f"a report holds at most {MOST_PAIRS:,}")
    there = _verdicts(session, system_id)
    known, beside = {one.id: one for one in objects}, dict[str, set[int]]()
    for item, object_id in scope.decisions:
        beside.setdefault(item, set()).add(object_id)
    return [pair for item in scope.items for pair in _of_item(item, scope, by_kind, known, beside.get(item, set()), there)]


def _of_item(
    item: str, scope: Scope, by_kind: Mapping[str, Sequence[ObjectRecord]], known: Mapping[int, ObjectRecord], beside: set[int],
    there: Mapping[tuple[str, int], VerdictRow],
) -> Iterator[Pair]:  # fmt: skip
    taken = scope.taken_away(item)
    if taken is not None:
        yield _decided(item, None, taken, there.get((item, WHOLE)))
        return
    found = {one.id: one for kind in scope.kinds(item) for one in by_kind.get(kind, ())}
    found |= {number: known[number] for number in beside if number in known}
    if not found or (item, WHOLE) in there:
        yield _told(item, None, there.get((item, WHOLE)))
    for number in sorted(found):
        decision, row = scope.decisions.get((item, number)), there.get((item, number))
        if decision is not None and not decision.applies:
            yield _decided(item, found[number], decision, row)
        else:
            yield _told(item, found[number], row)


def _verdicts(session: Session, system_id: int) -> dict[tuple[str, int], VerdictRow]:
    query = select(VerdictRow).where(VerdictRow.system_id == system_id, VerdictRow.standard == MLPS)
    return {(row.item, row.object_id): row for row in session.execute(query).scalars()}


def _decided(item: str, there: ObjectRecord | None, decision: Decision, row: VerdictRow | None) -> Pair:
    return Pair(
        item, there, "not_applicable", "person", decision.by, decision.reason, at=decision.at, checked_at=decision.at,
        version=row.version if row else 0, decided=True,
    )  # fmt: skip


def _told(item: str, there: ObjectRecord | None, row: VerdictRow | None) -> Pair:
    if row is None:
        return Pair(item, there)
    return Pair(
        item, there, row.verdict, row.source, row.judged_by, row.reason, row.evidence, row.reproduce, row.at, row.checked_at,
        row.probed, row.version,
    )  # fmt: skip
