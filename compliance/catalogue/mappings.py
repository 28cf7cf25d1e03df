"""What control points of GB/T 22239 have to do with ISO/IEC 27001 and GB/T 22081, and with detections and playbooks.

Own work throughout: to be confirmed, and shown so. Nothing is computed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from compliance.catalogue.load import FOLDER, read_data


class IsoTheme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group of controls: organisation, people, physical, technology."""

    id: str
    zh: str
    en: str


class IsoControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A control of annex A by its number (``5.1`` is A.5.1), in our own short words."""

    id: str
    zh: str
    en: str

    @property
    def theme(self) -> str:
        """The id of its theme."""
        return self.id.partition(".")[0]


class IsoMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``maps``: control point → controls."""

    standard: str
    national: str
    to_be_confirmed: bool
    themes: tuple[IsoTheme, ...]
    controls: tuple[IsoControl, ...]
    maps: Mapping[str, tuple[str, ...]]


class Watching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``tactics`` of ATT&CK as rule tags name them, without ``attack.``; ``playbooks`` of playbooks/library by name."""

    tactics: tuple[str, ...] = ()
    playbooks: tuple[str, ...] = ()


class OperationsMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``maps``: control point → what watches over it."""

    to_be_confirmed: bool
    maps: Mapping[str, Watching]


@lru_cache(maxsize=1)
def iso_mapping() -> IsoMapping:
    """Annex A of ISO/IEC 27001:2022. Raises CatalogueError."""
    return read_data(FOLDER / "mapping-iso27001.yaml", IsoMapping)


@lru_cache(maxsize=1)
def operations_mapping() -> OperationsMapping:
    """Detections and playbooks. Raises CatalogueError."""
    return read_data(FOLDER / "mapping-operations.yaml", OperationsMapping)


def iso_controls(control_point: str) -> list[IsoControl]:
    """Those that a control point has to do with, in their order."""
    wanted = set(iso_mapping().maps.get(control_point, ()))
    return [one for one in iso_mapping().controls if one.id in wanted]


def watching(control_point: str) -> Watching:
    """Detections and playbooks of a control point; empty where there are none."""
    return operations_mapping().maps.get(control_point, Watching())
