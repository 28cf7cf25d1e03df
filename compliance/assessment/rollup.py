"""What the verdicts of an item come to over its objects: the unit of GB/T 28448, by one grouped statement for a whole system.

An item counts the objects of its kinds that are in the system, and the system as a whole where there is none. Objects that a person
took from it count as not applicable. Verdicts of objects that were taken out are subtracted: they are few, the others many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.assessment.models import VerdictRow
from compliance.assessment.places import MLPS
from compliance.assessment.schema import Tally
from compliance.systems.applicability import WHOLE, Scope
from compliance.systems.models import ApplicabilityRow, ObjectRow
from compliance.systems.objects import count_kinds
from compliance.verdicts import Verdict
from kernel.db.among import among

_Counts = dict[str, Counter[str]]
_CHUNK = 500


def tallies(session: Session, system_id: int, scope: Scope) -> dict[str, Tally]:
    """Every item that holds for the system, in the order of the standard."""
    kinds, counts = count_kinds(session, system_id), _counts(session, system_id, scope)
    kind_of = _kinds_of_decided(session, system_id, scope)
    extra, aside = Counter[str](), Counter[str]()
    for (item, object_id), decision in scope.decisions.items():
        kind = kind_of.get(object_id)
        if item not in scope.items or kind is None:
            continue
        if kind not in scope.kinds(item):
            extra[item] += 1
        aside[item] += not decision.applies
    whole = select(VerdictRow.item).where(VerdictRow.object_id == WHOLE, VerdictRow.system_id == system_id)
    for item in session.execute(whole).scalars():
        if item in scope.items and any(kinds.get(kind) for kind in scope.kinds(item)):
            extra[item] += 1  # judged on the system beside its objects
    return {item: _tally(item, scope, kinds, counts.get(item, Counter()), extra[item], aside[item]) for item in scope.items}


def _tally(item: str, scope: Scope, kinds: Mapping[str, int], counts: Counter[str], extra: int, aside: int) -> Tally:
    there = sum(kinds.get(kind, 0) for kind in scope.kinds(item)) + extra
    if scope.taken_away(item) is not None:
        return Tally(item, max(there, 1), not_applicable=max(there, 1))
    objects = max(there, 1)  # the system as a whole where there is none
    judged = sum(counts.values()) + aside
    return Tally(
        item, max(objects, judged), counts[Verdict.MET], counts[Verdict.PARTLY], counts[Verdict.NOT_MET],
        counts[Verdict.NOT_APPLICABLE] + aside, max(0, objects - judged),
    )  # fmt: skip


def _counts(session: Session, system_id: int, scope: Scope) -> _Counts:
    """Item → verdict → number of objects, without those that were taken out or that a person decided about."""
    found: _Counts = {}
    mine = (VerdictRow.system_id == system_id, VerdictRow.standard == MLPS)
    columns = select(VerdictRow.item, VerdictRow.verdict, func.count()).where(*mine).group_by(VerdictRow.item, VerdictRow.verdict)
    for item, verdict, number in session.execute(columns):
        found.setdefault(item, Counter())[verdict] += number
    out = select(ObjectRow.id).where(ObjectRow.system_id == system_id, ObjectRow.removed_at.is_not(None))
    removed = set(session.execute(out).scalars())
    aside = {key for key, decision in scope.decisions.items() if not decision.applies and key[1] != WHOLE}
    for item, object_id, verdict in _rows_of(session, system_id, {*removed, *(key[1] for key in aside)}):
        if object_id in removed or (item, object_id) in aside:
            found[item][verdict] -= 1
    return found


def _rows_of(session: Session, system_id: int, objects: Collection[int]) -> Iterator[tuple[str, int, str]]:
    columns = select(VerdictRow.item, VerdictRow.object_id, VerdictRow.verdict)
    ids = sorted(objects)
    for start in range(0, len(ids), _CHUNK):
        part = among(session, VerdictRow.object_id, ids[start : start + _CHUNK])
        query = columns.where(part, VerdictRow.system_id == system_id, VerdictRow.standard == MLPS)
        yield from ((row[0], row[1], row[2]) for row in session.execute(query))


def _kinds_of_decided(session: Session, system_id: int, scope: Scope) -> dict[int, str]:
    """Kinds of the objects that people decided about, those taken out left aside."""
    if not any(object_id != WHOLE for _, object_id in scope.decisions):
        return {}
    query = select(ObjectRow.id, ObjectRow.kind).join(
        ApplicabilityRow, (ApplicabilityRow.object_id == ObjectRow.id) & (ApplicabilityRow.system_id == ObjectRow.system_id)
    )
    return {
        row[0]: row[1] for row in session.execute(query.where(ObjectRow.system_id == system_id, ObjectRow.removed_at.is_(None)))
    }
