"""Records of rule tuning as other rooms see them."""

from __future__ import annotations

import msgspec

from kernel.rule_tuning.condition import Condition

PERIODS: tuple[int, ...] = (7, 30, 90)
"""Days that the figures are told over."""


class RuleFigures(msgspec.Struct, frozen=True):
    """What one rule did in a period, by the day its alerts were made.

    undecided      alerts that nobody closed yet
    wasted         alerts that were false, or will be if the open ones turn out like the closed: alerts × false positives / closed
    median_seconds from being made to being closed, None while nothing was closed; exact to about a fifth
    days           alerts a day, oldest first
    """

    rule_id: str
    alerts: int
    true_positives: int
    false_positives: int
    benign: int
    undecided: int
    wasted: float
    median_seconds: float | None = None
    days: tuple[int, ...] = ()

    @property
    def closed(self) -> int:
        """Alerts with a verdict."""
        return self.true_positives + self.false_positives + self.benign

    def share(self, outcome: str) -> float | None:
        """Share of ``true_positives``, ``false_positives`` or ``benign`` among the closed ones, None while there are none."""
        return getattr(self, outcome) / self.closed if self.closed else None


class Trait(msgspec.Struct, frozen=True):
    """A value that false positives have in common and others have not.

    noise, true_positives, undecided  how many of each have it
    """

    condition: Condition
    noise: int
    true_positives: int
    undecided: int


class Traits(msgspec.Struct, frozen=True):
    """What distinguishes the false positives of a rule; the numbers say how many alerts were looked at."""

    traits: list[Trait]
    noise: int
    true_positives: int
    undecided: int
    complete: bool


class Hit(msgspec.Struct, frozen=True):
    """An alert that an exception would have hidden."""

    id: int
    last_seen: str
    status: str
    verdict: str | None
    count: int


class Preview(msgspec.Struct, frozen=True):
    """What an exception would have hidden of a rule's alerts of the last days.

    looked_at  alerts whose sample was compared, the newest and every true positive; ``complete`` False where there are more
    alerts, detections  that match
    true_positives, false_positives, benign, undecided  of these
    true_hits  the true positives among them, newest first
    hits       the newest that match
    """

    days: int
    looked_at: int
    complete: bool
    alerts: int
    detections: int
    true_positives: int
    false_positives: int
    benign: int
    undecided: int
    true_hits: list[Hit]
    hits: list[Hit]


class Proposal(msgspec.Struct, frozen=True):
    """What is proposed: an exception (with conditions) or, without, that a rule is switched off.

    expires_at  @timestamp text or what people write; "" only for switching off
    owner       "" = who proposes
    """

    rule_id: str
    rule_name: str
    level: str
    engine: str
    reason: str
    conditions: tuple[Condition, ...] = ()
    expires_at: str = ""
    owner: str = ""
    source_alert: int | None = None


class MeasureRecord(msgspec.Struct, frozen=True):
    """An exception or a switched-off rule; see models.RuleMeasure."""

    id: int
    kind: str
    state: str
    rule_id: str
    rule_name: str
    level: str
    conditions: tuple[Condition, ...]
    reason: str
    owner: str
    expires_at: str | None
    source_alert: int | None
    proposer_id: int
    proposed_by: str
    proposed_at: str
    decided_by: str
    decided_at: str | None
    decision: str
    true_positives: int | None
    ended_by: str
    ended_at: str | None
    ending: str
    version: int


class MeasurePage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    measures: list[MeasureRecord]
    cursor: str = ""
