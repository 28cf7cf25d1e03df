"""Verdicts of items on objects, and what they come to for an item and for a unit (GB/T 28448-2019; GB/T 28449-2018, 8.2)."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Verdict(StrEnum):
    """符合, 部分符合, 不符合, 不适用."""

    MET = "met"
    PARTLY = "partly"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"


IN_CHINESE = {
    "符合": Verdict.MET,
    "部分符合": Verdict.PARTLY,
    "不符合": Verdict.NOT_MET,
    "不适用": Verdict.NOT_APPLICABLE,
}
_READ = {**{verdict.value: verdict for verdict in Verdict}, **IN_CHINESE, "partly_met": Verdict.PARTLY}


def read_verdict(text: str) -> Verdict:
    """From its name or its Chinese word. Raises ValueError."""
    found = _READ.get(text.strip().lower().replace("-", "_").replace(" ", "_"))
    if found is None:
        raise ValueError(f"{text[:40]!r} is no verdict: {', '.join(verdict.value for verdict in Verdict)}")
    return found


def together(verdicts: Collection[Verdict]) -> Verdict | None:
    """What several come to: all not applicable, all others met, all others not met, else partly. None without any."""
    counted = {verdict for verdict in verdicts if verdict is not Verdict.NOT_APPLICABLE}
    if not verdicts:
        return None
    if not counted:
        return Verdict.NOT_APPLICABLE
    return counted.pop() if len(counted) == 1 else Verdict.PARTLY
