"""重大风险隐患 of a system: what the verdicts come to by the triggers of the guide of 2025, and what people decided about them.

A trigger whose item is not met on any object is found; where it is only partly met it is possible, and counts when a person says
so. Only a person takes one away (not_found), with a reason. Triggers of no single clause (A-27 and further) come from people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from compliance.assessment.deciding import Decision
from compliance.assessment.schema import Tally
from compliance.catalogue.load import high_risk_guide
from compliance.scoring.assessed import FoundHazard

State = Literal["found", "possible", "fixed", "not_found"]


class HazardState(msgspec.Struct, frozen=True):
    """One trigger that has to be looked at; ``by`` "" = found by the machine alone."""

    trigger: str
    zh: str
    en: str
    item: str
    state: State
    by: str = ""
    reason: str = ""
    version: int = 0

    @property
    def counts(self) -> bool:
        """Found, whether mended since or not (公网安〔2025〕1846号, question 22)."""
        return self.state in ("found", "fixed")


def hazards(tallies: Mapping[str, Tally], decided: Iterable[Decision]) -> list[HazardState]:
    """In the order of the guide."""
    by_trigger = {one.subject: one for one in decided if one.kind == "hazard"}
    found = []
    for hazard in high_risk_guide(2025).hazards:
        decision, tally = by_trigger.get(hazard.id), tallies.get(hazard.clause)
        state: State | None = None
        if decision is not None:
            state = decision.value  # type: ignore[assignment]
        elif tally is not None and tally.not_met:
            state = "found"
        elif tally is not None and tally.partly:
            state = "possible"
        if state is None:
            continue
        by, reason, version = (decision.by, decision.reason, decision.version) if decision else ("", "", 0)
        found.append(HazardState(hazard.id, hazard.zh, hazard.en, hazard.clause, state, by, reason, version))
    return found


def counted(states: Iterable[HazardState]) -> tuple[FoundHazard, ...]:
    """Those that count in the template of 2025."""
    return tuple(FoundHazard(one.trigger, one.state == "fixed", one.by, one.reason) for one in states if one.counts)
