"""What the fields of a form offer to an applicant."""

from __future__ import annotations

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.reach import zones_seen
from operations.zones.models import ZoneRow


class ZoneChoice(msgspec.Struct, frozen=True):
    """A zone by its names; ``own``: the session may see it."""

    id: str
    name: str
    name_en: str
    own: bool


def zone_choices(session: Session) -> list[ZoneChoice]:
    """Every zone by name, also those of others: who asks for a way has to say where to. Ranges, devices and owners stay unseen."""
    seen = zones_seen(session)
    rows = session.execute(select(ZoneRow.id, ZoneRow.name, ZoneRow.name_en).order_by(ZoneRow.id)).all()
    return [ZoneChoice(row.id, row.name, row.name_en, seen is None or row.id in seen) for row in rows]
