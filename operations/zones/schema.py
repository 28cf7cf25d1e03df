"""Records of zones and conduits as other rooms see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from kernel.zones.plan import Conduit, Zone, ZonePlan

MOST_CHANGES = 1000


class ZoneRecord(msgspec.Struct, frozen=True):
    """A zone with who changed it last; ``version`` guards against two people changing it at once."""

    zone: Zone
    changed_at: str
    changed_by: str
    version: int


class ConduitRecord(msgspec.Struct, frozen=True):
    """A conduit; ``state`` is in-force, expiring (within 30 days), expired or pending."""

    conduit: Conduit
    state: str
    changed_at: str
    changed_by: str
    version: int


class Change(msgspec.Struct, frozen=True):
    """One difference that an import makes. ``act`` is make, change or remove; ``kind`` zone, conduit or asset; ``fields`` what
    a change changes, as the file names it."""

    act: str
    kind: str
    id: str
    fields: tuple[str, ...] = ()


class Imported(msgspec.Struct, frozen=True):
    """What an import did, or would do.

    zones, conduits, assets  how many the plan names
    made, changed, removed   how many of them all became another
    changes                  these, removals first, at most MOST_CHANGES of them
    revision                 of the plan afterwards
    """

    zones: int
    conduits: int
    assets: int
    made: int
    changed: int
    removed: int
    changes: tuple[Change, ...]
    revision: int

    @classmethod
    def of(cls, plan: ZonePlan, changes: Sequence[Change], revision: int) -> Imported:
        """The count of them."""
        acts = Counter(change.act for change in changes)
        return cls(
            len(plan.zones),
            len(plan.conduits),
            len(plan.assets),
            acts["make"],
            acts["change"],
            acts["remove"],
            tuple(changes[:MOST_CHANGES]),
            revision,
        )
