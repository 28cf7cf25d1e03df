"""What applies: by rule from levels, extensions and kinds of objects, or because a person decided so, with name and reason.

Rules: an item holds for a system by its S, A and G level and its extensions (compliance.catalogue.applicable); it is assessed on
objects of the kinds that GB/T 28448 names for it, and on the system as a whole where it has none of these. A person may take an
item from a system or an object, and add an object to an item. Nothing falls away without one of these reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.catalogue.applicable import Applicable, Levels, applicable
from compliance.catalogue.load import requirements
from compliance.systems import rows
from compliance.systems.kinds import KINDS
from compliance.systems.levels import IN_CATALOGUE, SystemLevel
from compliance.systems.models import ApplicabilityRow
from compliance.systems.schema import SystemRecord
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Invalid, NotFound
from operations.written import text

MAX_REASON = 4_000
WHOLE = 0
"""The object id that stands for the system as a whole."""

Rule = Literal["level", "extension", "kind", "other_kind", "person"]


class Decision(msgspec.Struct, frozen=True):
    """A person's word. ``object_id`` WHOLE: about the whole system."""

    item: str
    object_id: int
    applies: bool
    reason: str
    by: str
    at: str
    version: int


class Bearing(msgspec.Struct, frozen=True):
    """Whether an item applies, and why, in both languages; ``decision`` where a person said so."""

    item: str
    applies: bool
    rule: Rule
    zh: str
    en: str
    decision: Decision | None = None


class Scope(msgspec.Struct, frozen=True):
    """The items that hold for a system, and what people decided about them."""

    items: Mapping[str, Applicable]
    decisions: Mapping[tuple[str, int], Decision]

    def kinds(self, item: str) -> tuple[str, ...]:
        """The kinds of objects that an item is assessed on."""
        return self.items[item].placed.item.objects

    def taken_away(self, item: str) -> Decision | None:
        """The decision that the item does not apply to the system, where there is one."""
        found = self.decisions.get((item, WHOLE))
        return None if found is None or found.applies else found

    def on(self, item: str, object_id: int, kind: str) -> Bearing:
        """Does an item of this system apply to an object of it?"""
        decision = self.taken_away(item) or self.decisions.get((item, object_id))
        if decision is not None:
            return Bearing(item, decision.applies, "person", decision.reason, decision.reason, decision)
        names = KINDS.get(kind, (kind, kind))
        if kind in self.kinds(item):
            return Bearing(item, True, "kind", f"该项测评对象含{names[0]}", f"it is assessed on objects of the kind {names[1]}")
        return Bearing(
            item, False, "other_kind", f"该项测评对象不含{names[0]}", f"it is not assessed on objects of the kind {names[1]}"
        )


def scope_of(session: Session, system: SystemRecord) -> Scope:
    """Of a system of level 3. Raises Invalid for another level, whose requirements the catalogue does not hold."""
    if system.level.overall != IN_CATALOGUE:
        raise Invalid(
            f"the catalogue holds the requirements of level {IN_CATALOGUE} only, the system is of level {system.level.overall}"
        )
    query = select(ApplicabilityRow).where(ApplicabilityRow.system_id == system.id)
    decisions = {(row.item, row.object_id): _record(row) for row in session.execute(query).scalars()}
    return Scope(_holding(system.level, system.extensions, requirements().digest), decisions)


def of_system(session: Session, system: SystemRecord) -> list[Bearing]:
    """Every item of the catalogue, in its order: does it apply to this system, and why? Raises Invalid."""
    scope, found = scope_of(session, system), []
    for placed in requirements().placed():
        item, level = placed.item.id, system.level
        held = scope.items.get(item)
        taken = scope.taken_away(item)
        if held is not None and taken is not None:
            found.append(Bearing(item, False, "person", taken.reason, taken.reason, taken))
        elif held is not None and placed.extension:
            found.append(
                Bearing(item, True, "extension", f"系统采用扩展 {placed.extension}", f"the system needs {placed.extension}")
            )
        elif held is not None:
            found.append(Bearing(item, True, "level", f"{level}：{held.holds}", f"{level}: {held.holds}"))
        elif placed.extension and placed.extension not in system.extensions:
            zh, en = f"系统未采用扩展 {placed.extension}", f"the system does not need {placed.extension}"
            found.append(Bearing(item, False, "extension", zh, en))
        else:
            sort = placed.control_point.attribute
            zh, en = f"{level}：{sort} 类要求低于三级，该项三级新增", f"{level}: {sort} is below level 3, where this item is new"
            found.append(Bearing(item, False, "level", zh, en))
    return found


def decide(
    session: Session, who: Principal, system_id: int, item: str, applies: bool, reason: str, *,
    object_id: int = WHOLE, expected_version: int | None = None,
) -> Decision:  # fmt: skip
    """A person says that an item applies to an object or not, or not to the whole system; said again, the last word counts.

    expected_version  of the decision there is, 0 = none yet, None = in any case. Raises NotFound, Invalid, Stale.
    """
    system = rows.system_record(rows.find_system(session, system_id, for_update=True))
    if item not in scope_of(session, system).items:
        raise Invalid(f"the item {item[:24]!r} does not hold for this system", "its level and extensions decide that", field="item")
    if object_id == WHOLE and applies:
        raise Invalid("an item holds for a system by level and extension", "withdraw the decision against it", field="applies")
    if object_id != WHOLE:
        rows.find_object(session, system_id, object_id)
    words = text(reason, "reason", MAX_REASON, needed=True)
    row = session.get(ApplicabilityRow, (system_id, item, object_id), with_for_update=True)
    rows.check_version(row.version if row else 0, expected_version)
    if row is None:
        row = ApplicabilityRow(system_id=system_id, item=item, object_id=object_id, version=0)
        session.add(row)
    row.applies, row.reason, row.decided_by, row.decided_at = applies, words, who.name, clock.now()
    row.version += 1
    session.flush()
    detail = {"item": item, "object": object_id, "applies": applies, "reason": words}
    audit.append(session, who.actor, "applicability.decide", "mlps_system", system_id, detail=detail)
    return _record(row)


def get_decision(session: Session, system_id: int, item: str, object_id: int) -> Decision:
    """One decision. Raises NotFound."""
    rows.find_system(session, system_id)
    row = session.get(ApplicabilityRow, (system_id, item[:24], object_id))
    if row is None:
        raise NotFound("there is no such decision")
    return _record(row)


def withdraw(
    session: Session, who: Principal, system_id: int, item: str, reason: str, *,
    object_id: int = WHOLE, expected_version: int | None = None,
) -> None:  # fmt: skip
    """The rule holds again; an object of another kind that was added stays named, as one to which the item does not apply.

    Raises NotFound, Invalid, Stale.
    """
    system = rows.system_record(rows.find_system(session, system_id, for_update=True))
    row = session.get(ApplicabilityRow, (system_id, item[:24], object_id), with_for_update=True)
    if row is None:
        raise NotFound("there is no such decision")
    rows.check_version(row.version, expected_version)
    words = text(reason, "reason", MAX_REASON, needed=True)
    there = rows.find_object(session, system_id, object_id) if object_id != WHOLE else None
    if row.applies and there is not None and there.kind not in scope_of(session, system).kinds(item):
        row.applies, row.reason, row.decided_by, row.decided_at = False, words, who.name, clock.now()
        row.version += 1
    else:
        session.delete(row)
    session.flush()
    detail = {"item": item, "object": object_id, "reason": words}
    audit.append(session, who.actor, "applicability.withdraw", "mlps_system", system_id, detail=detail)


@lru_cache(maxsize=64)
def _holding(level: SystemLevel, extensions: tuple[str, ...], _catalogue: str) -> Mapping[str, Applicable]:
    found = applicable(requirements(), Levels(level.S, level.A), extensions)
    return {one.placed.item.id: one for one in found}


def _record(row: ApplicabilityRow) -> Decision:
    return Decision(row.item, row.object_id, row.applies, row.reason, row.decided_by, row.decided_at, row.version)
