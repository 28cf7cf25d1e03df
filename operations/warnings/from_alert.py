"""What a draft from an alert begins with: what the alert tells, so that nobody types it again. People write the rest."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.alerts.reading import get_detail
from operations.alerts.schema import AlertDetail
from operations.warnings.levels import harm_of, importance_of
from operations.warnings.schema import MAX_RECEIVERS, MAX_TITLE, Draft
from operations.zones.models import ZoneRow

_OBJECTS = ("host", "asset", "ip", "user")
MOST_OBJECTS = 12


def draft_from(session: Session, alert_id: int, *, title: str = "", description: str = "", english: bool = False) -> Draft:
    """A proposal. ``title`` and ``description`` are the rule's in the language of the reader. Raises NotFound."""
    detail = get_detail(session, alert_id)
    named = sorted({entity.value for entity in detail.entities if entity.kind == "zone"})
    query = select(ZoneRow.id, ZoneRow.name, ZoneRow.name_en, ZoneRow.importance).where(ZoneRow.id.in_(named))
    rows = session.execute(query.order_by(ZoneRow.importance.desc(), ZoneRow.id)).all()[:MAX_RECEIVERS]
    comma = ", " if english else "、"
    return Draft(
        title=(title or detail.alert.rule_name)[:MAX_TITLE],
        importance=importance_of(max((row.importance for row in rows), default=1)),
        harm=harm_of(detail.alert.level, len(rows)),
        threat=description or detail.description,
        extent=comma.join((row.name_en if english else "") or row.name for row in rows),
        objects=comma.join(_objects(detail)),
        zones=tuple(row.id for row in rows),
    )


def _objects(detail: AlertDetail) -> list[str]:
    """Hosts, devices, addresses and people that the alert names, each once, the most telling first."""
    found = [entity.value for kind in _OBJECTS for entity in detail.entities if entity.kind == kind]
    return list(dict.fromkeys(found))[:MOST_OBJECTS]
