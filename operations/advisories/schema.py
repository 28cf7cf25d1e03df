"""Records of advisories as other rooms see them."""

from __future__ import annotations

from typing import Any

import msgspec

from operations.software.schema import Problem


class Statement(msgspec.Struct, frozen=True):
    """What a source says of a product; see models.AdvisoryProduct."""

    vendor: str
    product: str
    status: str = "affected"
    cpe: str = ""
    scheme: str = "generic"
    low: str = ""
    low_in: bool = True
    high: str = ""
    high_in: bool = False
    whole: bool = False
    condition: tuple[str, ...] = ()


class Told(msgspec.Struct, frozen=True):
    """What one source says of one vulnerability."""

    key: str
    source: str
    title: str = ""
    summary: str = ""
    vendor: str = ""
    product: str = ""
    cvss: float | None = None
    published: str = ""
    kev_added: str = ""
    due: str = ""
    ransomware: bool = False
    action: str = ""
    aliases: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


class Imported(msgspec.Struct, frozen=True):
    """What an import did."""

    kind: str
    made: int
    changed: int
    same: int
    problems: list[Problem]


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a verdict is as it is: ``code`` names the sentence."""

    code: str
    product: str = ""
    release: str = ""
    range: str = ""
    source: str = ""
    condition: str = ""


class Advisory(msgspec.Struct, frozen=True):
    """As listed; ``affected`` and ``possible`` are the open matches that the reader may see."""

    id: int
    key: str
    title: str
    summary: str
    vendor: str
    product: str
    kev: bool
    ransomware: bool
    cvss: float | None
    published: str
    kev_added: str
    due: str
    action: str
    aliases: list[str]
    sources: list[str]
    affected: int
    possible: int
    overdue: bool
    version: int


class Match(msgspec.Struct, frozen=True):
    """An asset that an advisory concerns."""

    id: int
    advisory: str
    advisory_id: int
    advisory_title: str
    asset: str
    asset_name: str
    zone: str
    bureau: str
    importance: int
    verdict: str
    reason: dict[str, Any]
    state: str
    note: str
    expires_at: str | None
    created_at: str
    changed_at: str
    changed_by: str
    version: int


class AdvisoryFilter(msgspec.Struct, frozen=True):
    """Empty fields do not narrow. ``state``: has a match in that state (that the reader may see)."""

    kev: bool = False
    ransomware: bool = False
    affected: bool = False
    overdue: bool = False
    state: str = ""
    vendor: str = ""
    text: str = ""


class AdvisoryPage(msgspec.Struct, frozen=True):
    """One page, what is due first; ``cursor`` "" at the end."""

    advisories: list[Advisory]
    cursor: str = ""
