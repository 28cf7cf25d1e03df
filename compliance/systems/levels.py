"""The level of a system: S (information), A (service) and G (general) from 1 to 5 (GB/T 22240-2020; GB/T 22239-2019, annex A).

The level of the system is the higher one of S and A, and the general requirements follow it: S3A2 is S3A2G3, a system of level 3.
"""

from __future__ import annotations

import re

import msgspec

from operations.errors import Invalid

HIGHEST = 5
IN_CATALOGUE = 3
"""The only level whose requirements the catalogue holds."""
_WRITTEN = re.compile(r"S([1-5])A([1-5])(?:G([1-5]))?")


class SystemLevel(msgspec.Struct, frozen=True):
    """S, A and G, 1 to 5 each."""

    S: int
    A: int
    G: int

    @classmethod
    def read(cls, text: str) -> SystemLevel:
        """From ``S3A2`` or ``S3A2G3``. Raises Invalid."""
        found = _WRITTEN.fullmatch(text.strip().upper())
        if found is None:
            raise Invalid(f"{text[:40]!r} is no level of a system", "write S3A3G3 or S3A2", field="level")
        s, a = int(found[1]), int(found[2])
        g = int(found[3]) if found[3] else max(s, a)
        if g != max(s, a):
            raise Invalid(f"S{s}A{a} is of level {max(s, a)}, not G{g}", "G is the higher one of S and A", field="level")
        return cls(s, a, g)

    @property
    def overall(self) -> int:
        """The level of the system."""
        return max(self.S, self.A, self.G)

    def __str__(self) -> str:
        return f"S{self.S}A{self.A}G{self.G}"
