"""Where an item or unit stands: its standard and its class or layer. The two standards share no id."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from compliance.catalogue.load import crypto_requirements, requirements
from compliance.catalogue.model import CryptoUnit, Placed

MLPS, CRYPTO = "22239", "39786"


class Place(msgspec.Struct, frozen=True):
    """``placed`` of an item of GB/T 22239, ``unit`` of a unit of GB/T 39786."""

    standard: str
    security_class: str
    placed: Placed | None = None
    unit: CryptoUnit | None = None
    technical: bool = False

    @property
    def names(self) -> tuple[str, str]:
        """What is asked, in Chinese and English."""
        if self.placed is not None:
            return self.placed.item.zh, self.placed.item.en
        assert self.unit is not None
        return self.unit.zh, self.unit.en


def places() -> Mapping[str, Place]:
    """Item or unit id → where it stands."""
    return _places(requirements().digest, crypto_requirements().digest)


@lru_cache(maxsize=2)
def _places(_items: str, _units: str) -> Mapping[str, Place]:
    found = {
        placed.item.id: Place(MLPS, placed.security_class.id, placed, technical=placed.security_class.group == "technical")
        for placed in requirements().placed()
    }
    for layer, unit in crypto_requirements().units():
        found[unit.id] = Place(CRYPTO, layer.id, unit=unit, technical=layer.group == "technical")
    return found
