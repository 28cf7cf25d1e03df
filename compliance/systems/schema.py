"""Records of systems and objects as other rooms see them."""

from __future__ import annotations

import msgspec

from compliance.systems.levels import SystemLevel


class Responsible(msgspec.Struct, frozen=True):
    """Somebody who is responsible. ``duty``: leader, security, system, network, application, contact."""

    duty: str
    name: str
    contact: str = ""


class Filing(msgspec.Struct, frozen=True):
    """备案; ``date`` YYYY-MM-DD. All "" = not filed."""

    number: str = ""
    date: str = ""
    authority: str = ""
    organisation: str = ""


class SystemDraft(msgspec.Struct, frozen=True):
    """What is said about a system. ``extensions``: ids of the catalogue such as "8.4"; ``zones``: ids of the zone plan."""

    name: str
    level: str
    organisation: str = ""
    description: str = ""
    extensions: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    people: tuple[Responsible, ...] = ()
    state: str = "running"
    filing: Filing = Filing()


class SystemRecord(msgspec.Struct, frozen=True):
    """A system as shown."""

    id: int
    name: str
    organisation: str
    description: str
    level: SystemLevel
    extensions: tuple[str, ...]
    zones: tuple[str, ...]
    people: tuple[Responsible, ...]
    state: str
    filing: Filing
    created_by: str
    created_at: str
    updated_by: str
    updated_at: str
    version: int


class SystemFilter(msgspec.Struct, frozen=True):
    """Empty fields do not narrow; ``level`` 0 = every one."""

    organisation: str = ""
    state: str = ""
    level: int = 0
    text: str = ""


class SystemPage(msgspec.Struct, frozen=True):
    """One page, last changed first; ``cursor`` "" at the end."""

    systems: list[SystemRecord]
    cursor: str = ""


class ObjectDraft(msgspec.Struct, frozen=True):
    """An object by hand, or an asset of the inventory; ``name`` "" = that of the asset."""

    kind: str
    name: str = ""
    asset: str = ""
    importance: int = 0
    note: str = ""


class ObjectRecord(msgspec.Struct, frozen=True):
    """An object as shown; ``reason``: why it is here."""

    id: int
    system_id: int
    kind: str
    name: str
    asset: str
    importance: int
    reason: str
    note: str
    removed_at: str | None
    created_by: str
    created_at: str
    updated_by: str
    updated_at: str
    version: int


class ObjectFilter(msgspec.Struct, frozen=True):
    """``removed``: those that were taken out, else those that are in."""

    kind: str = ""
    asset: str = ""
    text: str = ""
    removed: bool = False


class ObjectPage(msgspec.Struct, frozen=True):
    """One page, in the order in which they came; ``cursor`` "" at the end."""

    objects: list[ObjectRecord]
    cursor: str = ""


class TakenOver(msgspec.Struct, frozen=True):
    """What an import of the inventory did. ``unknown``: assets whose kind is no kind of object, key → kind of the asset."""

    made: int
    known: int
    unknown: dict[str, str]
