"""Records of an assessment as other rooms see them."""

from __future__ import annotations

from typing import Literal

import msgspec

from compliance.verdicts import Verdict

Source = Literal["probe", "person"]
WEAK = frozenset({Verdict.PARTLY, Verdict.NOT_MET})


class CryptoDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was found about an object of a technical unit of GB/T 39786 (compliance.scoring.crypto.CryptoObject).

    made_up_unit, made_up_object   the object that makes up for this one; unit "" = none
    """

    D: bool = False
    A: bool = False
    K: bool = False
    bits: int = 0
    module_level_1: bool = False
    made_up_unit: str = ""
    made_up_object: int = 0


class Finding(msgspec.Struct, frozen=True):
    """A verdict that is to be recorded.

    object_id   0 or None = the system as a whole
    evidence    id or SM3 of the sealed evidence; ``reproduce``: how to see the same again
    at          @timestamp text, "" = now; not of the future
    """

    item_id: str
    object_id: int | None
    verdict: str
    reason: str = ""
    evidence: str | None = None
    reproduce: str | None = None
    at: str = ""
    crypto: CryptoDetail | None = None


class Drift(msgspec.Struct, frozen=True):
    """A control that counted as met and does not any more."""

    system_id: int
    system: str
    organisation: str
    zone: str
    item: str
    object_id: int
    object: str
    asset: str
    before: str
    after: str
    reason: str
    evidence: str
    at: str


class Recorded(msgspec.Struct, frozen=True):
    """What a finding did. ``counted`` False: a person's word stands, or a newer look is there; the probe's is kept beside it."""

    verdict: str
    previous: str
    changed: bool
    counted: bool
    version: int
    drift: Drift | None = None


class Batch(msgspec.Struct, frozen=True):
    """What many findings did; ``refused``: place in the list → why."""

    recorded: int
    changed: int
    refused: dict[int, str]
    drifts: list[Drift]


class ObjectVerdict(msgspec.Struct, frozen=True):
    """An item on an object. ``verdict`` "" = not yet assessed; ``contradicted``: the last probe says otherwise than the person."""

    object_id: int
    kind: str
    name: str
    asset: str
    verdict: str
    source: str = ""
    by: str = ""
    reason: str = ""
    evidence: str = ""
    reproduce: str = ""
    at: str = ""
    checked_at: str = ""
    probed: str = ""
    contradicted: bool = False
    version: int = 0


class ObjectVerdictPage(msgspec.Struct, frozen=True):
    """One page by object; ``cursor`` "" at the end."""

    verdicts: list[ObjectVerdict]
    cursor: str = ""


class Step(msgspec.Struct, frozen=True):
    """A line of the history."""

    id: int
    object_id: int
    verdict: str
    previous: str
    source: str
    by: str
    reason: str
    evidence: str
    reproduce: str
    at: str
    counted: bool


class Tally(msgspec.Struct, frozen=True):
    """An item over its objects. ``unassessed``: objects without a verdict; ``objects``: how many it is assessed on."""

    item: str
    objects: int
    met: int = 0
    partly: int = 0
    not_met: int = 0
    not_applicable: int = 0
    unassessed: int = 0

    @property
    def verdict(self) -> Verdict | None:
        """The result of the unit (compliance.verdicts.together); None where nothing has a verdict."""
        if self.partly or (self.met and self.not_met):
            return Verdict.PARTLY
        if self.met:
            return Verdict.MET
        if self.not_met:
            return Verdict.NOT_MET
        return Verdict.NOT_APPLICABLE if self.not_applicable else None
