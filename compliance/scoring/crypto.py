"""The score of a cryptography assessment: GB/T 39786-2021 level 3 by the rules of 2023 (商用密码应用安全性评估量化评估规则).

An object of a technical unit: D cryptography used effectively, A algorithm and technique compliant, K keys managed securely:
D, A and K 1; not A 0.5·Ra; not K 0.5·Rk; neither 0.25·Ra·Rk; not D 0. Ra by the strength of the algorithm in bits: 112 and more 1,
80 and more 0.5, below 0.2. Rk 1, or 1.2 where the module is of security level 1 and meets all else. A management unit: met 1,
partly 0.5, not met 0. Units are means of objects, layers weighted means of units, the total 70 for the technical and 30 for the
management layers. Every step is rounded half up: four decimals, the total two. Pass line and conclusion are from memory and have
to be confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

import msgspec

from compliance.catalogue.model import CryptoLayer, CryptoRequirements, CryptoUnit
from compliance.scoring.assessed import AssessedError, X, decoded
from compliance.scoring.outcome import CONCLUSIONS, Outcome, Share, rounded
from compliance.verdicts import Verdict, read_verdict

NAME = "39786"
PASS = 60
FORMULA = "70 × weighted mean of the technical layers + 30 × weighted mean of the management layers (rules of 2023)"
_HALF = Fraction(1, 2)


class ObjectRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object of a unit."""

    unit: str
    object: str


class CryptoObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One object of a technical unit.

    bits             strength of the algorithm that is used; counts where A does not hold
    module_level_1   the module is of security level 1 and meets all else asked of keys (Rk 1.2); counts where K does not hold
    made_up_by       another object that makes up for this one: this one then has half of that one's score at least
    """

    object: str
    D: bool = False
    A: bool = False
    K: bool = False
    bits: int = 0
    module_level_1: bool = False
    made_up_by: ObjectRef | None = None
    not_applicable: bool = False
    reason: str = ""


class CryptoFinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit: objects of a technical one, or the verdict of a management one; a technical one may have ``not_applicable`` alone."""

    objects: tuple[CryptoObject, ...] = ()
    verdict: str = ""
    reason: str = ""


class LoweredRisk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person says why a failed unit is no high risk here."""

    unit: str
    by: str
    reason: str


class CryptoAssessed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. ``high_risks``: what people found beside the units that failed, one line each."""

    units: dict[str, CryptoFinding]
    system: str = ""
    high_risks: tuple[str, ...] = ()
    lowered: tuple[LoweredRisk, ...] = ()


class UnitScore(msgspec.Struct, frozen=True):
    """A unit with its score; None: not applicable."""

    unit: CryptoUnit
    score: Fraction | None

    @property
    def failed_at_high_risk(self) -> bool:
        """It failed altogether, where the guide calls that a high risk at level 3."""
        return self.score == 0 and self.unit.high_risk is not None and self.unit.high_risk.min_level <= 3


def read(octets: bytes) -> CryptoAssessed:
    """From JSON. Raises AssessedError with the path of what is wrong."""
    return decoded(octets, CryptoAssessed)


def object_score(one: CryptoObject) -> Fraction:
    """What an object has by itself."""
    if not one.D:
        return Fraction(0)
    ra = Fraction(1) if one.bits >= 112 else _HALF if one.bits >= 80 else Fraction(1, 5)
    rk = Fraction(6, 5) if one.module_level_1 else Fraction(1)
    return (Fraction(1) if one.A else _HALF * ra) * (Fraction(1) if one.K else _HALF * rk)


def verdict_of(score: Fraction) -> Verdict:
    """What an object of a technical unit comes to by its score."""
    return Verdict.MET if score >= 1 else Verdict.PARTLY if score else Verdict.NOT_MET


def unit_scores(whole: CryptoRequirements, assessed: CryptoAssessed) -> dict[str, UnitScore]:
    """Each unit that has a finding. Raises AssessedError."""
    known = {unit.id: (layer, unit) for layer, unit in whole.units()}
    for name in (*assessed.units, *(one.unit for one in assessed.lowered)):
        if name not in known:
            raise AssessedError(f"there is no unit {name[:40]!r} in {whole.standard}", "6.1.1 to 7.4.3")
    return {name: UnitScore(known[name][1], _unit(known[name], found, assessed)) for name, found in assessed.units.items()}


def outcome(whole: CryptoRequirements, assessed: CryptoAssessed) -> Outcome:
    """The total and the conclusion. Raises AssessedError."""
    scores = unit_scores(whole, assessed)
    missing = tuple(unit.id for _, unit in whole.units() if unit.id not in scores)
    layers = [(layer, _layer([scores[unit.id] for unit in layer.units if unit.id in scores])) for layer in whole.layers]
    total = Fraction(rounded(_part(layers, "technical", 70) + _part(layers, "management", 30)))
    risks = _high_risks(scores, assessed)
    chinese, english = CONCLUSIONS["not_met" if total < PASS or risks else "met" if total == 100 else "basically_met"]
    notes = [f"{len(missing)} units have no finding: the result is provisional and leaves them out"] if missing else []
    notes += [f"high risk: {risk}" for risk in risks]
    notes += [f"{one.unit} is no high risk by {one.by}: {one.reason}" for one in assessed.lowered]
    return Outcome(
        template=NAME, value=str(rounded(total)), conclusion=english, conclusion_zh=chinese, formula=FORMULA,
        settings={"pass": str(PASS)}, counts=_counts(scores.values(), missing), missing=missing, notes=tuple(notes),
        classes=tuple(
            Share(layer.id, layer.zh, layer.en, value="" if score is None else f"{rounded(score, 4)}") for layer, score in layers
        ),
        to_be_confirmed=("pass line", "conclusion"), catalogue=whole.digest,
    )  # fmt: skip


def _unit(place: tuple[CryptoLayer, CryptoUnit], found: CryptoFinding, assessed: CryptoAssessed) -> Fraction | None:
    layer, unit = place
    if found.verdict:
        try:
            verdict = read_verdict(found.verdict)
        except ValueError as error:
            raise AssessedError(f"units.{unit.id}: {error}") from error
        if verdict is Verdict.NOT_APPLICABLE:
            return None
        if layer.group == "technical":
            raise AssessedError(f"units.{unit.id} is a technical unit", "it is assessed by objects with D, A and K")
        return X[verdict]
    if layer.group == "management" or not found.objects:
        raise AssessedError(
            f"units.{unit.id} has no {'verdict' if layer.group == 'management' else 'objects'}", "see docs/compliance.md"
        )
    names = [one.object for one in found.objects]
    if len(set(names)) < len(names):
        raise AssessedError(f"units.{unit.id} has an object twice")
    scores = [compensated(one, assessed) for one in found.objects if not one.not_applicable]
    return Fraction(rounded(sum(scores, Fraction(0)) / len(scores), 4)) if scores else None


def compensated(one: CryptoObject, assessed: CryptoAssessed) -> Fraction:
    """What an object has: at least half of what the object has that makes up for it. Raises AssessedError."""
    score = object_score(one)
    if one.made_up_by is None:
        return score
    there = assessed.units.get(one.made_up_by.unit)
    other = next((found for found in there.objects if found.object == one.made_up_by.object), None) if there else None
    if other is None or other is one or other.not_applicable:
        raise AssessedError(
            f"{one.object[:60]!r} is made up by {one.made_up_by.unit} {one.made_up_by.object[:60]!r}, which is not there"
        )
    return Fraction(rounded(max(_HALF * object_score(other), score), 4))


def _layer(units: list[UnitScore]) -> Fraction | None:
    """The weighted mean of the units that apply."""
    counted = [(Fraction(str(one.unit.weight)), one.score) for one in units if one.score is not None]
    if not counted:
        return None
    return Fraction(
        rounded(sum((weight * score for weight, score in counted), Fraction(0)) / sum(weight for weight, _ in counted), 4)
    )


def _part(layers: Iterable[tuple[CryptoLayer, Fraction | None]], group: str, points: int) -> Fraction:
    counted = [(layer.points, score) for layer, score in layers if layer.group == group and score is not None]
    if not counted:
        raise AssessedError(f"no {group} unit that applies has a finding", "both parts make up the total")
    return points * sum((one * score for one, score in counted), Fraction(0)) / sum(one for one, _ in counted)


def _high_risks(scores: Mapping[str, UnitScore], assessed: CryptoAssessed) -> list[str]:
    """What people found, and units that failed altogether where that is a high risk at level 3, unless a person lowered it."""
    lowered = set()
    for place, one in enumerate(assessed.lowered):
        if not one.by.strip() or not one.reason.strip():
            raise AssessedError(f"lowered[{place}]: who decided, and why, is missing", "a machine never lowers a risk")
        lowered.add(one.unit)
    failed = [f"{name} {one.unit.zh}" for name, one in scores.items() if one.failed_at_high_risk and name not in lowered]
    return [*assessed.high_risks, *failed]


def _counts(scores: Iterable[UnitScore], missing: tuple[str, ...]) -> dict[str, int]:
    found = {"met": 0, "partly": 0, "not_met": 0, "not_applicable": 0, "no_verdict": len(missing)}
    for one in scores:
        found["not_applicable" if one.score is None else "met" if one.score >= 1 else "partly" if one.score else "not_met"] += 1
    return found
