"""What rotation and its report speak of."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

UNKNOWN = 0
"""Stands for the generation of a value that cannot be read."""


class Stuck(msgspec.Struct, frozen=True):
    """A sealed value that could not be sealed again: ``where`` names it, ``why`` says what is wrong, never what it holds."""

    where: str
    why: str


class Found(msgspec.Struct, frozen=True):
    """Sealed values of one place by the generation of the master key that opens them."""

    place: str
    generations: dict[int, int]

    def older_than(self, active: int) -> int:
        return sum(number for generation, number in self.generations.items() if generation != active)


class Resealed(msgspec.Struct):
    """What one pass has done."""

    done: int = 0
    stuck: list[Stuck] = []


class Rotation(msgspec.Struct):
    """How a rotation ended.

    generation  the active one
    resumed     an earlier rotation was carried on, no new key was made
    done        values that were sealed again
    stuck       values that were not, and therefore
    waiting     older generations that stay, until the command is run again and nothing refers to them
    """

    generation: int
    resumed: bool
    done: int
    stuck: list[Stuck]
    waiting: list[int]


Tell = Callable[[str, int], None]
"""Called as values are done: the place, and how many more."""
