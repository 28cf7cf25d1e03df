"""Verdicts read: an item over its objects, the history of one, and the map of classes and objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from compliance.assessment.models import VerdictRow, VerdictStep
from compliance.assessment.places import CRYPTO, MLPS, places
from compliance.assessment.schema import ObjectVerdict, ObjectVerdictPage, Step
from compliance.systems import rows
from compliance.systems.applicability import WHOLE, Decision, Scope, scope_of
from compliance.systems.models import ObjectRow
from compliance.systems.schema import ObjectRecord, SystemRecord
from kernel.db.among import among
from operations.errors import Invalid, NotFound

MAX_PAGE, MAX_STEPS = 500, 200


class Cell(msgspec.Struct, frozen=True):
    """An object in a class: how many items have which verdict."""

    met: int = 0
    partly: int = 0
    not_met: int = 0
    not_applicable: int = 0


def verdicts_of(
    session: Session, system_id: int, item: str, *, verdict: str = "", limit: int = 100, cursor: str = ""
) -> ObjectVerdictPage:
    """The objects that an item is assessed on with what was said, and first the system as a whole where that has a verdict or no
    object is there.

    verdict  only these; "none" = not yet assessed. Raises NotFound, Invalid.
    """
    system = rows.system_record(rows.find_system(session, system_id))
    place = places().get(item)
    if place is None:
        raise NotFound(f"there is no item {item[:24]!r}")
    scope = scope_of(session, system)
    if place.standard == MLPS and item not in scope.items:
        raise NotFound(f"the item {item} does not hold for this system")
    if cursor and (not cursor.isdecimal() or len(cursor) > 18):
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    limit, after = max(1, min(limit, MAX_PAGE)), int(cursor or 0)
    query = (
        select(ObjectRow, VerdictRow)
        .outerjoin(
            VerdictRow,
            (VerdictRow.system_id == ObjectRow.system_id) & (VerdictRow.item == item) & (VerdictRow.object_id == ObjectRow.id),
        )
        .where(ObjectRow.system_id == system_id, ObjectRow.removed_at.is_(None), ObjectRow.id > after)
    )
    query = query.where(_among_objects(scope, item) if place.standard == MLPS else VerdictRow.item.is_not(None))
    if verdict:
        query = query.where(VerdictRow.verdict.is_(None) if verdict == "none" else VerdictRow.verdict == verdict)
    found = session.execute(query.order_by(ObjectRow.id).limit(limit + 1)).all()
    told = [_told(one, row, _decision(scope, item, one.id)) for one, row in found[:limit]]
    if not after:
        whole = session.get(VerdictRow, (system_id, item, WHOLE))
        if (whole is not None and verdict in ("", whole.verdict)) or (not told and verdict in ("", "none")):
            told.insert(0, _told(None, whole, scope.taken_away(item) if place.standard == MLPS else None))
    return ObjectVerdictPage(told, str(found[limit - 1][0].id) if len(found) > limit else "")


def verdicts_of_items(
    session: Session, system_id: int, scope: Scope, items: Sequence[str], most: int
) -> dict[str, tuple[list[ObjectVerdict], bool]]:
    """Of many items of GB/T 22239 that hold for the system: as verdicts_of, the first ``most`` objects, and whether there are more.

    Objects from which a person took the item are left out.
    """
    there = list(
        session.execute(
            select(ObjectRow).where(ObjectRow.system_id == system_id, ObjectRow.removed_at.is_(None)).order_by(ObjectRow.id)
        ).scalars()
    )
    chosen: dict[str, list[ObjectRow]] = {}
    for item in items:
        kinds = scope.kinds(item)
        about = [one for one in there if one.kind in kinds or (item, one.id) in scope.decisions]
        chosen[item] = [one for one in about if (item, one.id) not in scope.decisions or scope.decisions[item, one.id].applies]
    ids = sorted({WHOLE, *(one.id for found in chosen.values() for one in found[:most])})
    known: dict[tuple[str, int], VerdictRow] = {}
    for start in range(0, len(ids), MAX_PAGE):
        part = among(session, VerdictRow.object_id, ids[start : start + MAX_PAGE])
        query = select(VerdictRow).where(VerdictRow.system_id == system_id, VerdictRow.item.in_(items), part)
        known |= {(row.item, row.object_id): row for row in session.execute(query).scalars()}
    told: dict[str, tuple[list[ObjectVerdict], bool]] = {}
    for item, found in chosen.items():
        of_objects = [_told(one, known.get((item, one.id)), None) for one in found[:most]]
        whole = known.get((item, WHOLE))
        first = [_told(None, whole, None)] if whole is not None or not found else []
        told[item] = ([*first, *of_objects], len(found) > most)
    return told


def verdict_of(session: Session, system_id: int, item: str, object_id: int) -> ObjectVerdict:
    """What counts now on one object, with ``verdict`` "" where nothing was said. Raises NotFound."""
    rows.find_system(session, system_id)
    there = rows.find_object(session, system_id, object_id) if object_id != WHOLE else None
    return _told(there, session.get(VerdictRow, (system_id, item[:24], object_id)), None)


def history(session: Session, system_id: int, item: str, object_id: int | None = None, *, limit: int = MAX_STEPS) -> list[Step]:
    """Newest first; ``object_id`` None = on every object. Raises NotFound."""
    rows.find_system(session, system_id)
    query = select(VerdictStep).where(VerdictStep.system_id == system_id, VerdictStep.item == item)
    if object_id is not None:
        query = query.where(VerdictStep.object_id == object_id)
    query = query.order_by(VerdictStep.id.desc()).limit(max(1, min(limit, MAX_STEPS)))
    return [
        Step(
            row.id, row.object_id, row.verdict, row.previous, row.source, row.judged_by, row.reason, row.evidence, row.reproduce,
            row.at, row.counted,
        )
        for row in session.execute(query).scalars()
    ]  # fmt: skip


def heat(session: Session, objects: Sequence[ObjectRecord]) -> dict[int, dict[str, Cell]]:
    """Object → class → its verdicts, for objects of one page that were found before; items of GB/T 22239 only."""
    return _heat(session, VerdictRow.object_id, [one.id for one in objects][:MAX_PAGE])


def heat_of_systems(session: Session, systems: Sequence[SystemRecord]) -> dict[int, dict[str, Cell]]:
    """System → class → its verdicts, of each item and object, for systems that were found before; items of GB/T 22239 only."""
    return _heat(session, VerdictRow.system_id, [one.id for one in systems][:MAX_PAGE])


def _heat(session: Session, by: InstrumentedAttribute[int], ids: list[int]) -> dict[int, dict[str, Cell]]:
    columns = select(by, VerdictRow.security_class, VerdictRow.verdict, func.count())
    grouped = columns.where(among(session, by, ids)).group_by(by, VerdictRow.security_class, VerdictRow.verdict)
    known = {place.security_class for place in places().values() if place.standard != CRYPTO}
    found: dict[int, dict[str, dict[str, int]]] = {}
    for number, security_class, verdict, count in session.execute(grouped):
        if security_class in known:
            found.setdefault(number, {}).setdefault(security_class, {})[verdict] = count
    return {key: {name: Cell(**numbers) for name, numbers in classes.items()} for key, classes in found.items()}


def _among_objects(scope: Scope, item: str) -> ColumnElement[bool]:
    decided = sorted(object_id for (about, object_id) in scope.decisions if about == item and object_id != WHOLE)
    return or_(ObjectRow.kind.in_(scope.kinds(item)), ObjectRow.id.in_(decided[:1000]))


def _decision(scope: Scope, item: str, object_id: int) -> Decision | None:
    found = scope.decisions.get((item, object_id)) if item in scope.items else None
    taken = scope.taken_away(item) if item in scope.items else None
    return taken or (found if found is not None and not found.applies else None)


def _told(there: ObjectRow | None, row: VerdictRow | None, decision: Decision | None) -> ObjectVerdict:
    names: dict[str, Any] = {"object_id": WHOLE, "kind": "", "name": "", "asset": ""}
    if there is not None:
        names = {"object_id": there.id, "kind": there.kind, "name": there.name, "asset": there.asset}
    if decision is not None:
        return ObjectVerdict(
            **names, verdict="not_applicable", source="person", by=decision.by, reason=decision.reason, at=decision.at,
            checked_at=decision.at, version=row.version if row else 0,
        )  # fmt: skip
    if row is None:
        return ObjectVerdict(**names, verdict="")
    return ObjectVerdict(
        **names, verdict=row.verdict, source=row.source, by=row.judged_by, reason=row.reason, evidence=row.evidence,
        reproduce=row.reproduce, at=row.at, checked_at=row.checked_at, probed=row.probed,
        contradicted=bool(row.probed) and row.probed != row.verdict, version=row.version,
    )  # fmt: skip
