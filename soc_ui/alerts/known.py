"""Which entities of an alert are known indicators, for the badge beside them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from operations.alerts.schema import Entity
from operations.indicators.covering import covering
from operations.indicators.schema import IndicatorRecord
from soc_ui import access

KINDS = ("ip", "domain", "hash", "indicator")


def known_indicators(session: Session, entities: Sequence[Entity]) -> dict[str, IndicatorRecord]:
    """Value of an entity → the indicator that covers it; empty for who may not see indicators."""
    if not access.me().may("intel.read"):
        return {}
    return covering(session, [entity.value for entity in entities if entity.kind in KINDS])
