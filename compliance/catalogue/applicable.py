"""Which items hold for a system: by its S and A levels and by the extensions that it needs (GB/T 22239-2019, annex A).

A level-3 system is S1A3, S2A3, S3A3, S3A2 or S3A1. Items of control points marked S follow the S level, those marked A the A
level, all others the level of the system. At a lower level the items that are new at level 3 fall away, and those that level 3 made
stricter hold as level 2 words them, by ``level2_ref``. Which items level 1 leaves out is not in the data: what holds at level 2 is
kept there, and said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

import msgspec

from compliance.catalogue.model import Placed, Requirements
from kernel.errors import LiandunError

_LEVELS = re.compile(r"S([123])A([123])(?:G3)?")
Holding = Literal["as level 3", "as level 2", "as level 1"]


class LevelError(LiandunError):
    """This is no level of a level-3 system, or no extension."""


class Levels(msgspec.Struct, frozen=True):
    """The two levels behind a level-3 system."""

    S: int = 3
    A: int = 3

    @classmethod
    def read(cls, text: str) -> Levels:
        """From ``S3A2`` or ``S3A2G3``. Raises LevelError."""
        found = _LEVELS.fullmatch(text.strip().upper())
        if found is None or "3" not in found.groups():
            raise LevelError(f"{text[:40]!r} is no level of a level-3 system", "S3A3, S3A2, S3A1, S2A3 or S1A3")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"S{self.S}A{self.A}"


class Applicable(msgspec.Struct, frozen=True):
    """An item that holds, and as which level words it."""

    placed: Placed
    holds: Holding = "as level 3"

    @property
    def clause(self) -> str:
        """The clause to look up: that of level 2 where it holds as level 2 words it and differs."""
        item = self.placed.item
        return item.level2_ref if self.holds != "as level 3" and item.level3 == "enhanced" and item.level2_ref else item.id


def applicable(whole: Requirements, levels: Levels, extensions: Collection[str] = ()) -> list[Applicable]:
    """The items of a system. ``extensions``: ids such as "8.2". Raises LevelError."""
    known = {extension.id: extension for extension in whole.extensions}
    for name in extensions:
        if name not in known:
            raise LevelError(f"there is no extension {name[:40]!r}", ", ".join(f"{one.id} {one.en}" for one in known.values()))
    found = []
    for placed in whole.placed():
        if placed.extension and placed.extension not in extensions:
            continue
        level = {"S": levels.S, "A": levels.A, "G": 3}[placed.control_point.attribute]
        if level == 3:
            found.append(Applicable(placed))
        elif placed.item.level3 != "new":
            found.append(Applicable(placed, "as level 2" if level == 2 else "as level 1"))
    return found
