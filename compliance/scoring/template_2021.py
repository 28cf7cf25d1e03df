"""The score of the 2021 report template, for reports with a cover date before 2025-03-20 (公网安〔2025〕1846号, question 21).

M = Vt + Vm, neither below 0, with Vt = 100·y − Σ f(w)·(1 − x)·S over technical items, Vm = 100·(1 − y) − the same sum over
management items, S = 100 ÷ number of items that apply, x = mean over objects (1, 0.5, 0), f(w) = 1, 2 or 3 for an ordinary,
important or key item. The formula, the grades and which item is how important are from memory and have to be confirmed;
importance is the user's to fill in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from compliance.catalogue.model import Requirements
from compliance.scoring.assessed import Assessed, AssessedError, JudgedItem, judged, share
from compliance.scoring.counting import by_class, counts, notes, weak
from compliance.scoring.outcome import CONCLUSIONS, Outcome, rounded

NAME = "2021"
FORMULA = "M = Vt + Vm; Vt = 100y − Σ f(w)(1 − x)S, Vm = 100(1 − y) − Σ f(w)(1 − x)S, S = 100/n"


def outcome(whole: Requirements, assessed: Assessed) -> Outcome:
    """The score and its grade. Raises AssessedError, LevelError."""
    found = judged(whole, assessed)
    counted, technical = found.counted, assessed.settings.technical
    if not counted:
        raise AssessedError("no item that applies has a verdict", "nothing can be scored")
    y, unit = share(technical, "settings.technical"), Fraction(100, len(counted))
    groups = {
        group: [one for one in counted if one.which.placed.security_class.group == group] for group in ("technical", "management")
    }
    score = _points(100 * y, groups["technical"], unit) + _points(100 * (1 - y), groups["management"], unit)
    conclusion = _grade(score, {risk.grade for risk in assessed.risks})
    chinese, english = CONCLUSIONS[conclusion]
    said = notes(found, assessed)
    if not assessed.importance:
        said.append("no item has an importance: all count as ordinary ones")
    graded = {risk.item for risk in assessed.risks}
    if open_risks := sum(one.which.placed.item.id not in graded for one in weak(found)):
        said.append(f"{open_risks} items with problems have no risk grade: the grade of the system is provisional")
    return Outcome(
        template=NAME, value=str(rounded(score)), conclusion=english, conclusion_zh=chinese, formula=FORMULA,
        settings={"technical": str(technical), "may": assessed.settings.may},
        counts=counts(found), classes=by_class(found, _mean), missing=found.missing, notes=tuple(said),
        to_be_confirmed=("formula", "importance", "grades"), catalogue=whole.digest,
    )  # fmt: skip


def _points(share: Fraction, items: Iterable[JudgedItem], unit: Fraction) -> Fraction:
    return max(Fraction(0), share - sum((one.importance * (1 - one.x) * unit for one in items), Fraction(0)))


def _grade(score: Fraction, risks: set[str]) -> str:
    if "high" in risks or score < 70:
        return "poor"
    if score >= 90 and "medium" not in risks:
        return "excellent"
    return "good" if score >= 80 else "fair"


def _mean(items: Sequence[JudgedItem]) -> Fraction:
    return 100 * sum((one.x for one in items), Fraction(0)) / len(items)
