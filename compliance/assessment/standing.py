"""How a system stands: items with their results, classes, gaps, 重大风险隐患. What the page of an assessment shows."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from compliance.assessment.deciding import Decision, decisions
from compliance.assessment.hazards import HazardState, hazards
from compliance.assessment.rollup import tallies
from compliance.assessment.schema import WEAK, Tally
from compliance.catalogue.applicable import Applicable
from compliance.systems import rows
from compliance.systems.applicability import scope_of
from compliance.systems.schema import SystemRecord


class StandingItem(msgspec.Struct, frozen=True):
    """An item with its result. ``high_risk``: a case of the guide of 2025 that its failure may be."""

    item: str
    zh: str
    en: str
    security_class: str
    unit: str
    holds: str
    tally: Tally
    verdict: str
    high_risk: bool
    hazard: bool

    @property
    def gap(self) -> bool:
        """Something is to be done: a problem, or no verdict yet."""
        return self.verdict in WEAK or not self.verdict or self.tally.unassessed > 0


class StandingClass(msgspec.Struct, frozen=True):
    """A class with the numbers of its items by result; ``none``: without any verdict."""

    id: str
    extension: str
    zh: str
    en: str
    met: int = 0
    partly: int = 0
    not_met: int = 0
    not_applicable: int = 0
    none: int = 0


class Standing(msgspec.Struct, frozen=True):
    """All of it, as of now."""

    system: SystemRecord
    items: list[StandingItem]
    classes: list[StandingClass]
    hazards: list[HazardState]
    decisions: list[Decision]

    @property
    def gaps(self) -> list[StandingItem]:
        """Items that leave something to do, in the order of the standard."""
        return [one for one in self.items if one.gap]


def standing(session: Session, system_id: int) -> Standing:
    """Raises NotFound; Invalid for a level that the catalogue does not hold."""
    system = rows.system_record(rows.find_system(session, system_id))
    scope = scope_of(session, system)
    found = tallies(session, system_id, scope)
    items = [_item(one, found[item]) for item, one in scope.items.items()]
    classes: dict[str, StandingClass] = {}
    for applicable, item in zip(scope.items.values(), items, strict=True):
        where, name = applicable.placed.security_class, item.verdict or "none"
        before = classes.get(where.id) or StandingClass(where.id, applicable.placed.extension, where.zh, where.en)
        classes[where.id] = msgspec.structs.replace(before, **{name: getattr(before, name) + 1})
    decided = decisions(session, system_id)
    return Standing(system, items, list(classes.values()), hazards(found, decided), decided)


def _item(applicable: Applicable, tally: Tally) -> StandingItem:
    item = applicable.placed.item
    verdict = tally.verdict
    return StandingItem(
        item.id, item.zh, item.en, applicable.placed.security_class.id, item.assessment_unit, applicable.holds, tally,
        verdict.value if verdict else "", bool(item.high_risk_2025), bool(item.major_hazard_2025),
    )  # fmt: skip
