"""What has to be asked: items that need a person, with the objects that they are asked of and what is recorded now."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.orm import Session

from compliance.assessment.reading import verdicts_of_items
from compliance.assessment.schema import ObjectVerdict
from compliance.catalogue.applicable import Applicable
from compliance.systems import rows
from compliance.systems.applicability import scope_of
from compliance.systems.schema import SystemRecord

MOST_OBJECTS = 20
"""Objects of an item on the form; the page of the control has the others."""


class Question(msgspec.Struct, frozen=True):
    """An item. ``more``: it has more objects than are asked here."""

    asked: Applicable
    verdicts: Sequence[ObjectVerdict]
    more: bool

    @property
    def item(self) -> str:
        """Its clause."""
        return self.asked.placed.item.id


def questions(session: Session, system_id: int, *, assisted: bool = False) -> tuple[SystemRecord, list[Question]]:
    """Items that only people can judge, in the order of the standard; ``assisted``: also those where machine data helps.

    Items and objects from which people took the item are left out. Raises NotFound; Invalid for a level that the catalogue does not
    hold.
    """
    system = rows.system_record(rows.find_system(session, system_id))
    scope = scope_of(session, system)
    kinds = ("manual", "assisted") if assisted else ("manual",)
    wanted = [item for item, one in scope.items.items() if one.placed.item.evidence in kinds and scope.taken_away(item) is None]
    found = verdicts_of_items(session, system_id, scope, wanted, MOST_OBJECTS)
    return system, [Question(scope.items[item], *found[item]) for item in wanted]
