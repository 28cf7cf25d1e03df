"""What two versions of the requirements differ in, item by item."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from compliance.catalogue.model import Placed, Requirements


class Change(msgspec.Struct, frozen=True):
    """``kind``: added, removed or changed; for the last, ``field`` with what it was and what it is."""

    item: str
    kind: Literal["added", "removed", "changed"]
    field: str = ""
    before: Any = None
    after: Any = None


def difference(before: Requirements, after: Requirements) -> list[Change]:
    """Changes in the order of ``after``; what was removed comes last. Where an item stands counts as fields of it, too."""
    old = {placed.item.id: _fields(placed) for placed in before.placed()}
    new = {placed.item.id: _fields(placed) for placed in after.placed()}
    changes: list[Change] = []
    for item, fields in new.items():
        if item not in old:
            changes.append(Change(item, "added"))
            continue
        changes += [
            Change(item, "changed", name, old[item][name], value) for name, value in fields.items() if old[item][name] != value
        ]
    return [*changes, *(Change(item, "removed") for item in old if item not in new)]


def _fields(placed: Placed) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(placed.item)
    point, security_class = placed.control_point, placed.security_class
    return {
        **fields,
        "control_point": f"{point.id} {point.zh} {point.en} {point.attribute}",
        "class": f"{security_class.id} {security_class.zh} {security_class.en}",
        "extension": placed.extension,
    }
