"""Records of risk as other rooms see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

FACTORS: tuple[str, ...] = ("exposure", "vulnerability", "threat", "importance")
BANDS: tuple[str, ...] = ("critical", "high", "medium", "low")


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a factor stands where it stands: ``code`` names the sentence, the others are filled in."""

    factor: str
    code: str
    n: int = 0
    zones: tuple[str, ...] = ()
    text: str = ""
    value: float = 0.0


class Factor(msgspec.Struct, frozen=True):
    """A factor, 0 to 1; ``known`` False = nothing is known of it, ``value`` is assumed."""

    value: float
    reasons: tuple[Reason, ...] = ()
    known: bool = True


class RiskRow(msgspec.Struct, frozen=True):
    """Risk of one zone or asset: ``score`` 0 to 100, factors 0 to 1; ``delta`` since the day ``since``."""

    kind: str
    key: str
    name: str
    zone: str
    bureau: str
    asset_kind: str
    score: float
    band: str
    exposure: float
    vulnerability: float
    threat: float
    importance: float
    vulnerability_known: bool
    open_alerts: int
    baseline: float
    since: str
    delta: float
    computed_at: str


class RiskDetail(msgspec.Struct, frozen=True):
    """One subject with its reasons and its days (day, score), oldest first."""

    row: RiskRow
    reasons: list[Reason]
    days: list[tuple[str, float]]


class RiskFilter(msgspec.Struct, frozen=True):
    """Which subjects; "" = any. ``text``: words that occur in key or name."""

    kind: str = "asset"
    zone: str = ""
    bureau: str = ""
    band: str = ""
    text: str = ""


class RiskPage(msgspec.Struct, frozen=True):
    """One page; ``cursor`` fetches the next ("" at the end); ``hidden``: subjects that the reader may not see."""

    rows: list[RiskRow]
    cursor: str = ""
    hidden: int = 0


class Setting(msgspec.Struct, frozen=True):
    """The numbers of the site. ``version`` 0 = as shipped; only then ``source_zh`` tells the source in Chinese."""

    value: dict[str, Any]
    source: str
    to_be_confirmed: bool
    changed_at: str = ""
    changed_by: str = ""
    version: int = 0
    source_zh: str = ""


def band_of(limits: Mapping[str, float], score: float) -> str:
    """The band that a score lies in."""
    return next((band for band in BANDS[:-1] if score >= limits[band]), "low")
