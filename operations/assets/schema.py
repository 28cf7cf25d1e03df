"""Records of assets as other rooms see them."""

from __future__ import annotations

import msgspec


class AssetRecord(msgspec.Struct, frozen=True):
    """A device; ``status`` is registered, observed or retired; ``first_seen`` "" = never seen yet.

    zone        id of the zone that its first address lies in ("" = none)
    importance  its own, 0 = that of its zone
    """

    id: int
    key: str
    name: str
    kind: str
    status: str
    zone: str
    bureau: str
    importance: int
    addresses: list[str]
    macs: list[str]
    names: list[str]
    services: list[str]
    note: str
    first_seen: str
    last_seen: str
    changed_at: str
    changed_by: str
    version: int


class AssetFilter(msgspec.Struct, frozen=True):
    """Which assets; "" = any. ``text`` is looked for in id, name, addresses, MACs and host names."""

    status: str = ""
    zone: str = ""
    kind: str = ""
    bureau: str = ""
    text: str = ""


class AssetPage(msgspec.Struct, frozen=True):
    """One page; ``cursor`` fetches the next ("" at the end)."""

    assets: list[AssetRecord]
    cursor: str = ""
