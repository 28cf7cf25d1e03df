"""What people and probes have found about one system, as it is handed to a scoring template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeVar

import msgspec

from compliance.catalogue.applicable import Applicable, Levels, applicable
from compliance.catalogue.model import Requirements
from compliance.verdicts import Verdict, read_verdict, together
from kernel.errors import LiandunError

MOST_VERDICTS = 1_000_000
MOST_PLACES = 20
"""Decimal places of a number in a file. Exact arithmetic with 1e-9999999 does not come to an end."""
_T = TypeVar("_T")
X = {Verdict.MET: Fraction(1), Verdict.PARTLY: Fraction(1, 2), Verdict.NOT_MET: Fraction(0)}
"""What a verdict counts (formula of 2021)."""

Rate = Literal["items-met", "items-partly-half", "objects-mean"]


class AssessedError(LiandunError):
    """What was found cannot be scored; the message names the place."""


class Judgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The verdict of one item on one object; ``object`` "": on the system as a whole. "Not applicable" has a reason."""

    item: str
    verdict: str
    object: str = ""
    reason: str = ""


class Compensation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole-system assessment (整体测评): a person decides that other controls make up for a weak item, or weaken it.

    value  what the item counts instead of the mean of its objects, 0 to 1
    """

    item: str
    value: Decimal
    by: str
    reason: str


class Risk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Risk analysis: the grade that a person gave to what is left of a problem."""

    item: str
    grade: Literal["high", "medium", "low"]
    object: str = ""
    by: str = ""
    reason: str = ""


class FoundHazard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A 重大风险隐患 by its trigger; counted as it was before remediation, ``fixed`` or not."""

    trigger: str
    fixed: bool = False
    by: str = ""
    reason: str = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the texts leave open, each named in the result.

    rate           of 2025: items met of those that apply; the same with partly met ones as half; the mean over objects
    at_90, at_60   of 2025: the conclusion where the rate is exactly 90 % or 60 % (the text says above and below)
    may            items that the standard only says may (可): counted as they are, or left out where they are not met
    technical      of 2021: share of the technical items in the 100 points (y)
    """

    rate: Rate = "items-met"
    at_90: Literal["met", "basically_met"] = "basically_met"
    at_60: Literal["basically_met", "not_met"] = "basically_met"
    may: Literal["count", "leave-out"] = "count"
    technical: Decimal = Decimal("0.5")


class Assessed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. ``importance`` of 2021: 1 ordinary, 2 important, 3 key by item; items that are not named are ordinary."""

    verdicts: tuple[Judgement, ...]
    system: str = ""
    levels: str = "S3A3"
    extensions: tuple[str, ...] = ()
    importance: dict[str, Literal[1, 2, 3]] = {}
    compensations: tuple[Compensation, ...] = ()
    risks: tuple[Risk, ...] = ()
    hazards: tuple[FoundHazard, ...] = ()
    settings: Settings = Settings()


class JudgedItem(msgspec.Struct, frozen=True):
    """An item that applies, with what its objects come to.

    verdict      rolled up over its objects, as found
    after        the same after a compensation: met at 1, not met at 0, partly between
    x            0 to 1, the mean over its objects or what the compensation says
    importance   1 to 3
    unreasoned   objects to which it does not apply, without a reason
    """

    which: Applicable
    verdict: Verdict
    after: Verdict
    x: Fraction
    importance: int = 1
    compensated: bool = False
    left_out: bool = False
    unreasoned: int = 0

    @property
    def counts(self) -> bool:
        """Whether it goes into a score."""
        return self.verdict is not Verdict.NOT_APPLICABLE and not self.left_out


class Judged(msgspec.Struct, frozen=True):
    """Items with verdicts, and the ids of those that have none yet."""

    items: tuple[JudgedItem, ...]
    missing: tuple[str, ...]

    @property
    def counted(self) -> list[JudgedItem]:
        """Those that go into a score."""
        return [item for item in self.items if item.counts]


def read(octets: bytes) -> Assessed:
    """From JSON. Raises AssessedError with the path of what is wrong."""
    found = decoded(octets, Assessed)
    if len(found.verdicts) > MOST_VERDICTS:
        raise AssessedError(f"{len(found.verdicts):,} verdicts", f"at most {MOST_VERDICTS:,}")
    return found


def decoded(octets: bytes, kind: type[_T]) -> _T:
    """JSON of this kind. Raises AssessedError with the path of what is wrong."""
    try:
        return msgspec.json.decode(octets, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AssessedError(f"the verdicts cannot be read: {str(error)[:300]}", "docs/compliance.md shows the form") from error


def share(number: Decimal, place: str) -> Fraction:
    """A number from 0 to 1 as it counts exactly. Raises AssessedError with its place."""
    places = number.as_tuple().exponent
    if not isinstance(places, int) or not -MOST_PLACES <= places <= 0 or not 0 <= number <= 1:
        raise AssessedError(f"{place}: {str(number)[:40]} is no number from 0 to 1 with {MOST_PLACES} decimal places at most")
    return Fraction(number)


def judged(whole: Requirements, assessed: Assessed) -> Judged:
    """What the verdicts come to, item by item. Raises AssessedError, LevelError."""
    holding = {one.placed.item.id: one for one in applicable(whole, Levels.read(assessed.levels), assessed.extensions)}
    known = {placed.item.id for placed in whole.placed()}
    by_item: dict[str, dict[str, Judgement]] = {}
    for place, judgement in enumerate(assessed.verdicts):
        _must_hold(judgement.item, holding, known, f"verdicts[{place}]")
        objects = by_item.setdefault(judgement.item, {})
        if judgement.object in objects:
            raise AssessedError(f"verdicts[{place}]: {judgement.item} has two verdicts on {judgement.object or 'the system'!r}")
        objects[judgement.object] = judgement
    for name in ("importance", "compensations", "risks"):
        for item in getattr(assessed, name):
            _must_hold(item if isinstance(item, str) else item.item, holding, known, name)
    for name in ("compensations", "risks"):
        for place, one in enumerate(getattr(assessed, name)):
            if one.item not in by_item:
                raise AssessedError(f"{name}[{place}]: the item {one.item} has no verdict", "what people decide is about a verdict")
    compensations = _once(assessed.compensations)
    items = tuple(
        _judged_item(one, by_item[name], assessed, compensations.get(name)) for name, one in holding.items() if name in by_item
    )
    return Judged(items, tuple(name for name in holding if name not in by_item))


def _must_hold(item: str, holding: Mapping[str, Applicable], known: set[str], place: str) -> None:
    if item in holding:
        return
    if item in known:
        raise AssessedError(f"{place}: the item {item} does not hold for this system", "see its levels and extensions")
    raise AssessedError(f"{place}: there is no item {item[:40]!r}", "clause ids as `compliance catalogue` lists them")


def _once(compensations: tuple[Compensation, ...]) -> dict[str, Compensation]:
    found: dict[str, Compensation] = {}
    for place, one in enumerate(compensations):
        if one.item in found:
            raise AssessedError(f"compensations[{place}]: {one.item} is compensated twice")
        share(one.value, f"compensations[{place}].value")
        if not one.by.strip() or not one.reason.strip():
            raise AssessedError(f"compensations[{place}]: who decided, and why, is missing", "a machine never lowers a risk")
        found[one.item] = one
    return found


def _judged_item(
    which: Applicable, objects: Mapping[str, Judgement], assessed: Assessed, compensation: Compensation | None
) -> JudgedItem:
    item = which.placed.item
    try:
        verdicts = {name: read_verdict(one.verdict) for name, one in objects.items()}
    except ValueError as error:
        raise AssessedError(f"{item.id}: {error}") from error
    verdict = together(verdicts.values())
    assert verdict is not None
    found = Counter(verdicts.values())
    counted = len(verdicts) - found[Verdict.NOT_APPLICABLE]
    x = sum((X[one] * number for one, number in found.items() if one in X), Fraction(0)) / counted if counted else Fraction(0)
    after, compensated = verdict, compensation is not None and bool(counted)
    if compensation is not None and counted:
        x = Fraction(compensation.value)
        after = {0: Verdict.NOT_MET, 1: Verdict.MET}.get(x, Verdict.PARTLY)  # type: ignore[call-overload]
    unreasoned = sum(one is Verdict.NOT_APPLICABLE and not objects[name].reason.strip() for name, one in verdicts.items())
    return JudgedItem(
        which, verdict, after, x, assessed.importance.get(item.id, 1), compensated,
        left_out=item.modal == "may" and assessed.settings.may == "leave-out" and after in (Verdict.PARTLY, Verdict.NOT_MET),
        unreasoned=unreasoned,
    )  # fmt: skip
