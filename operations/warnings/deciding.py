"""What is decided about a warning: approved or sent back, published, adjusted, lifted (GB/T 32924 clause 5).

Every act names the version it was decided on. Publication and adjustment make one receipt for each organisation, with deadlines by
the level of that edition, and announce it by webhook in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts import reach
from operations.accounts.schema import Principal, Reach
from operations.errors import Denied, Invalid
from operations.warnings import announce, history, settings
from operations.warnings.deadlines import due
from operations.warnings.levels import HARM, IMPORTANCE, LEVELS, level_of
from operations.warnings.models import WarningReceipt, WarningRow, WarningZone
from operations.warnings.numbering import next_number
from operations.warnings.rows import cleaned, lock, need, record_of
from operations.warnings.schema import MAX_NOTE, MAX_TEXT, Adjustment, WarningRecord
from operations.zones.models import ZoneRow


def approve(session: Session, who: Principal, warning_id: int, *, expected_version: int | None, note: str = "") -> WarningRecord:
    """The second person says yes. Raises Denied for whoever wrote in it, Conflict, NotFound."""
    row = lock(session, warning_id, expected_version)
    need(row, "submitted")
    if who.name in orjson.loads(row.contributors):
        raise Denied("who wrote a warning does not approve it", "ask a second person")
    row.status, row.approved_by, row.approved_at = "approved", who.name, clock.now()
    _grow(row)
    history.write(session, who.actor, row, "approve", note=cleaned(note, "note", MAX_NOTE), inner=True)
    return record_of(session, row)


def send_back(session: Session, who: Principal, warning_id: int, *, expected_version: int | None, note: str) -> WarningRecord:
    """Back to the writers, with a reason; an approval that was given is void."""
    row = lock(session, warning_id, expected_version)
    need(row, "submitted", "approved")
    reason = cleaned(note, "note", MAX_NOTE, needed=True)
    row.status, row.approved_by, row.approved_at = "draft", "", None
    _grow(row)
    history.write(session, who.actor, row, "return", note=reason, inner=True)
    return record_of(session, row)


def publish(
    session: Session,
    who: Principal,
    warning_id: int,
    *,
    expected_version: int | None,
    organisations: Sequence[str] | None = None,
    zones: Sequence[str] | None = None,
    note: str = "",
) -> WarningRecord:
    """Give it its number and send it to organisations, and to the owners of zones; None = as the draft proposes.

    Raises Invalid where nobody would receive it, Conflict, NotFound.
    """
    row = lock(session, warning_id, expected_version)
    need(row, "approved")
    wanted = Reach(
        tuple(orjson.loads(row.organisations) if organisations is None else organisations),
        tuple(orjson.loads(row.zones) if zones is None else zones),
    )
    chosen = reach.check(session, wanted)
    receivers = receivers_of(session, chosen)
    if not receivers:
        raise Invalid("nobody would receive it", "choose an organisation, or a zone that has an owner", field="organisations")
    text = cleaned(note, "note", MAX_NOTE)
    present = clock.now()
    row.year, row.number = next_number(session, present)
    row.organisations, row.zones = orjson.dumps(receivers).decode(), orjson.dumps(chosen.zones).decode()
    row.status, row.published_at, row.edition = "published", present, 1
    _grow(row)
    session.flush()
    if chosen.zones:
        session.execute(insert(WarningZone), [{"zone": zone, "warning_id": row.id} for zone in chosen.zones])
    _send(session, row, receivers, present)
    after = {"year": row.year, "number": row.number, "level": row.level, "organisations": receivers, "zones": list(chosen.zones)}
    history.write(session, who.actor, row, "publish", after=after, note=text)
    announce.bulletin(session, announce.PUBLISHED, row)
    return record_of(session, row)


def adjust(session: Session, who: Principal, warning_id: int, change: Adjustment, *, expected_version: int | None) -> WarningRecord:
    """Raise or lower the level: a new edition for every receiver, to be received and answered anew. Raises Invalid, Conflict."""
    row = lock(session, warning_id, expected_version)
    need(row, "published")
    if change.importance not in IMPORTANCE or change.harm not in HARM or (change.level and change.level not in LEVELS):
        raise Invalid("the scales do not know this", f"levels are {', '.join(LEVELS)}", field="level")
    reason = cleaned(change.reason, "reason", MAX_NOTE, needed=True)
    after = {
        "importance": change.importance,
        "harm": change.harm,
        "level": change.level or level_of(settings.get(session, "matrix").value, change.importance, change.harm),
        "measures": row.measures if change.measures is None else cleaned(change.measures, "measures", MAX_TEXT, needed=True),
    }
    if after["level"] == row.level:
        raise Invalid("the level stays the same", "an adjustment raises or lowers it", field="level")
    before = {name: getattr(row, name) for name in after}
    for name, value in after.items():
        setattr(row, name, value)
    row.edition += 1
    _grow(row)
    session.flush()
    _send(session, row, orjson.loads(row.organisations), row.updated_at)
    changed = [name for name in after if before[name] != after[name]]
    old, new = ({name: fields[name] for name in changed} for fields in (before, after))
    history.write(session, who.actor, row, "adjust", before=old, after=new, note=reason)
    announce.bulletin(session, announce.ADJUSTED, row, reason=reason, before=before["level"])
    return record_of(session, row)


def lift(session: Session, who: Principal, warning_id: int, *, expected_version: int | None, note: str) -> WarningRecord:
    """The threat is over: nothing is due any more. Raises Invalid (no reason), Conflict, NotFound."""
    row = lock(session, warning_id, expected_version)
    need(row, "published")
    reason = cleaned(note, "note", MAX_NOTE, needed=True)
    row.status, row.closed_at = "lifted", clock.now()
    _grow(row)
    history.write(session, who.actor, row, "lift", note=reason)
    announce.bulletin(session, announce.LIFTED, row, reason=reason)
    return record_of(session, row)


def receivers_of(session: Session, chosen: Reach) -> list[str]:
    """Organisations, and the owners of zones, each once."""
    owners = session.execute(select(ZoneRow.owner).where(ZoneRow.id.in_(chosen.zones), ZoneRow.owner != "")).scalars()
    return sorted({*chosen.organisations, *owners})


def _send(session: Session, row: WarningRow, organisations: Sequence[str], present: str) -> None:
    hours = settings.get(session, "deadlines").value[row.level]
    session.execute(
        insert(WarningReceipt),
        [
            {
                "warning_id": row.id,
                "edition": row.edition,
                "organisation": organisation,
                "sent_at": present,
                "receipt_due": due(present, hours["receipt"]),
                "feedback_due": due(present, hours["feedback"]),
            }
            for organisation in organisations
        ],
    )


def _grow(row: WarningRow) -> None:
    row.version += 1
    row.updated_at = clock.now()
