"""The conclusion of the 2025 report template, for cover dates from 2025-03-20 on (公网安〔2025〕1846号, question 20).

No score: a rate (符合率). Above 90 % without 重大风险隐患: 符合; above 90 % with one: 基本符合; from 60 to 90 %: 基本符合,
whatever the risks; below 60 %: 不符合. What the text leaves open are settings, named in the result: exactly 60 and 90 %,
and whether partly met items count in the rate. Hazards are counted as before remediation (question 22).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from compliance.catalogue.load import high_risk_guide
from compliance.catalogue.model import Requirements
from compliance.scoring.assessed import Assessed, AssessedError, FoundHazard, JudgedItem, Rate, Settings, X, judged
from compliance.scoring.counting import by_class, counts, notes
from compliance.scoring.outcome import CONCLUSIONS, Outcome, rounded
from compliance.verdicts import Verdict

NAME = "2025"
FORMULAS: Mapping[Rate, str] = {
    "items-met": "items met ÷ items that apply",
    "items-partly-half": "(items met + ½ items partly met) ÷ items that apply",
    "objects-mean": "mean over items of the mean over their objects (1, ½, 0), after the whole-system assessment",
}


def outcome(whole: Requirements, assessed: Assessed) -> Outcome:
    """The rate and the conclusion. Raises AssessedError, LevelError."""
    found, settings = judged(whole, assessed), assessed.settings
    counted = found.counted
    if not counted:
        raise AssessedError("no item that applies has a verdict", "nothing can be scored")
    rate = _RATES[settings.rate](counted)
    chinese, english = CONCLUSIONS[_conclusion(rate, bool(assessed.hazards), settings)]
    return Outcome(
        template=NAME, value=str(rounded(rate)), conclusion=english, conclusion_zh=chinese, formula=FORMULAS[settings.rate],
        settings={"rate": settings.rate, "at_90": settings.at_90, "at_60": settings.at_60, "may": settings.may},
        counts=counts(found), classes=by_class(found, _RATES[settings.rate]), hazards=hazards_line(assessed.hazards),
        missing=found.missing, notes=tuple(notes(found, assessed)),
        to_be_confirmed=("whether partly met items count in the rate", "exactly 60 % and 90 %"), catalogue=whole.digest,
    )  # fmt: skip


def hazards_line(hazards: Sequence[FoundHazard]) -> str:
    """``10（5个已整改）``, "0" without any. Raises AssessedError for a trigger that is not in the table."""
    known = {hazard.id for hazard in high_risk_guide(2025).hazards}
    for place, one in enumerate(hazards):
        if one.trigger not in known:
            raise AssessedError(f"hazards[{place}]: there is no trigger {one.trigger[:40]!r}", "A-01 to A-32")
    fixed = sum(one.fixed for one in hazards)
    return f"{len(hazards)}（{fixed}个已整改）" if fixed else str(len(hazards))


def _conclusion(rate: Fraction, hazard: bool, settings: Settings) -> str:
    if rate > 90 or (rate == 90 and settings.at_90 == "met"):
        return "basically_met" if hazard else "met"
    if rate > 60 or (rate == 60 and settings.at_60 == "basically_met"):
        return "basically_met"
    return "not_met"


def _items_met(items: Sequence[JudgedItem]) -> Fraction:
    return Fraction(100 * sum(one.after is Verdict.MET for one in items), len(items))


def _partly_half(items: Sequence[JudgedItem]) -> Fraction:
    return 100 * sum((X[one.after] for one in items), Fraction(0)) / len(items)


def _objects_mean(items: Sequence[JudgedItem]) -> Fraction:
    return 100 * sum((one.x for one in items), Fraction(0)) / len(items)


_RATES: Mapping[Rate, Callable[[Sequence[JudgedItem]], Fraction]] = {
    "items-met": _items_met,
    "items-partly-half": _partly_half,
    "objects-mean": _objects_mean,
}
