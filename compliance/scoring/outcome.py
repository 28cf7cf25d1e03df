"""What a template comes to, and how its numbers are written."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import msgspec

CONCLUSIONS = {
    "met": ("符合", "met"),
    "basically_met": ("基本符合", "basically met"),
    "not_met": ("不符合", "not met"),
    "excellent": ("优", "excellent"),
    "good": ("良", "good"),
    "fair": ("中", "fair"),
    "poor": ("差", "poor"),
}


class Share(msgspec.Struct, frozen=True):
    """What one class of requirements comes to: numbers of items by verdict, and its own rate or score as text."""

    id: str
    zh: str
    en: str
    met: int = 0
    partly: int = 0
    not_met: int = 0
    not_applicable: int = 0
    value: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """A result. ``value`` in percent or points, with two decimals, half up; comparisons were made with the exact number.

    formula           names what was computed          settings   what the text leaves open, as it was chosen
    provisional       items without a verdict          notes      what a reader has to know, in English
    to_be_confirmed   parts of the template that were not compared with its printed text
    """

    template: str
    value: str
    conclusion: str
    conclusion_zh: str
    formula: str
    settings: dict[str, str]
    counts: dict[str, int]
    classes: tuple[Share, ...] = ()
    hazards: str = ""
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    to_be_confirmed: tuple[str, ...] = ()
    catalogue: str = ""

    @property
    def provisional(self) -> bool:
        """Whether something has no verdict yet."""
        return bool(self.missing)


def rounded(value: Fraction, digits: int = 2) -> Decimal:
    """``value`` with ``digits`` decimals, half up (away from zero). By whole numbers: a division of decimals would round before."""
    scaled = abs(value) * 10**digits
    whole = (scaled.numerator * 2 + scaled.denominator) // (scaled.denominator * 2)
    return Decimal(whole if value >= 0 else -whole).scaleb(-digits)
