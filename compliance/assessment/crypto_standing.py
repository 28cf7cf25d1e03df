"""How a system stands by GB/T 39786: layers, units and objects with their scores, the total, and high risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy.orm import Session

from compliance.assessment.crypto_reading import CryptoRow, crypto_assessed, crypto_object, crypto_rows
from compliance.assessment.deciding import Decision, decisions
from compliance.catalogue.load import crypto_requirements
from compliance.catalogue.model import CryptoLayer, CryptoUnit
from compliance.scoring import crypto
from compliance.scoring.assessed import AssessedError
from compliance.scoring.outcome import Outcome, rounded
from compliance.systems import rows
from compliance.systems.schema import SystemRecord
from compliance.verdicts import Verdict
from operations.errors import Invalid, NotFound


class UnitStanding(msgspec.Struct, frozen=True):
    """A unit. ``score`` "" = none; ``verdict`` "" = not yet assessed.

    high_risk  "" = it is none, found, lowered (``lowered``: who decided that, and why)
    """

    unit: CryptoUnit
    layer: CryptoLayer
    rows: tuple[CryptoRow, ...] = ()
    score: str = ""
    verdict: str = ""
    high_risk: str = ""
    lowered: Decision | None = None

    @property
    def technical(self) -> bool:
        """Assessed by D, A and K on objects."""
        return self.layer.group == "technical"


class CryptoStanding(msgspec.Struct, frozen=True):
    """All of it, as of now. ``outcome`` None: no total yet, ``why`` says why not; ``scores``: unit and object → what it has."""

    system: SystemRecord
    units: tuple[UnitStanding, ...]
    scores: Mapping[tuple[str, int], str]
    outcome: Outcome | None
    why: str
    risks: tuple[Decision, ...]

    def of_layer(self, layer: str) -> list[UnitStanding]:
        """The units of a layer."""
        return [one for one in self.units if one.layer.id == layer]

    @property
    def assessed(self) -> int:
        """Units with a verdict."""
        return sum(bool(one.verdict) for one in self.units)


def crypto_standing(session: Session, system_id: int) -> CryptoStanding:
    """Raises NotFound."""
    system = rows.system_record(rows.find_system(session, system_id))
    decided, found = decisions(session, system_id), crypto_rows(session, system_id)
    risks = tuple(one for one in decided if one.kind == "crypto_risk")
    by_unit: dict[str, list[CryptoRow]] = {}
    for row in found:
        by_unit.setdefault(row.unit, []).append(row)
    scores: dict[str, crypto.UnitScore] = {}
    objects: dict[tuple[str, int], str] = {}
    total, why = None, ""
    try:
        assessed = crypto_assessed(found, decided, system.name)
        scores, objects = crypto.unit_scores(crypto_requirements(), assessed), _objects(found, assessed)
        total = crypto.outcome(crypto_requirements(), assessed)
    except (AssessedError, Invalid) as error:
        why = error.message
    lowered = {one.subject: one for one in decided if one.kind == "crypto_lowered"}
    units = [
        _unit(layer, unit, by_unit.get(unit.id, ()), scores.get(unit.id), lowered.get(unit.id))
        for layer, unit in crypto_requirements().units()
    ]
    return CryptoStanding(system, tuple(units), objects, total, why, risks)


def unit_standing(session: Session, system_id: int, unit: str) -> tuple[CryptoStanding, UnitStanding]:
    """One unit of it, and all. Raises NotFound."""
    whole = crypto_standing(session, system_id)
    found = next((one for one in whole.units if one.unit.id == unit), None)
    if found is None:
        raise NotFound(f"there is no unit {unit[:24]!r}")
    return whole, found


def _objects(found: Sequence[CryptoRow], assessed: crypto.CryptoAssessed) -> dict[tuple[str, int], str]:
    technical = {unit.id for layer, unit in crypto_requirements().units() if layer.group == "technical"}
    return {
        (row.unit, row.object_id): f"{rounded(crypto.compensated(crypto_object(row), assessed), 4)}"
        for row in found
        if row.unit in technical and row.verdict != Verdict.NOT_APPLICABLE
    }


def _unit(
    layer: CryptoLayer, unit: CryptoUnit, found: Sequence[CryptoRow], score: crypto.UnitScore | None, lowered: Decision | None
) -> UnitStanding:
    if score is None:
        return UnitStanding(unit, layer, tuple(found))
    verdict = Verdict.NOT_APPLICABLE if score.score is None else crypto.verdict_of(score.score)
    failed = ("lowered" if lowered else "found") if score.failed_at_high_risk else ""
    told = "" if score.score is None else f"{rounded(score.score, 4)}"
    return UnitStanding(unit, layer, tuple(found), told, verdict.value, failed, lowered)
