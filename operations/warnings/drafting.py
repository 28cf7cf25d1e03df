"""Writing a warning: made by hand or from an alert, edited, submitted for approval, thrown away.

Who wrote in it is remembered: a contributor never approves it (deciding.approve).
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts import reach
from operations.accounts.schema import Principal, Reach
from operations.alerts.reading import get_alert
from operations.errors import Invalid
from operations.warnings import history, settings
from operations.warnings.levels import HARM, IMPORTANCE, LEVELS, level_of
from operations.warnings.models import WarningRow
from operations.warnings.rows import cleaned, lock, need, record_of
from operations.warnings.schema import MAX_NOTE, MAX_TEXT, MAX_TITLE, TEXTS, Draft, WarningRecord

_STORED = ("title", "importance", "harm", "level", *TEXTS, "organisations", "zones")


def create(
    session: Session, who: Principal, draft: Draft, *, alert_id: int | None = None, origin: dict[str, Any] | None = None
) -> WarningRecord:
    """A draft by hand, from an alert, or from an advisory (``origin``: columns of from_advisory). Raises Invalid, NotFound (no such
    alert)."""
    if alert_id is not None:
        get_alert(session, alert_id)
    fields = checked(session, draft)
    source = "alert" if alert_id is not None else "hand"
    more = {"source": source, "source_alert": alert_id} | (origin or {})
    row = new_row(fields, author=who.name, contributors=[who.name], **more)
    session.add(row)
    session.flush()
    after = {"title": row.title, "level": row.level, "alert": alert_id}
    history.write(session, who.actor, row, "create", after=after, inner=True)
    return record_of(session, row)


def edit(session: Session, who: Principal, warning_id: int, draft: Draft, *, expected_version: int | None) -> WarningRecord:
    """Replace the texts of a draft. Raises NotFound, Conflict, Invalid."""
    row = lock(session, warning_id, expected_version)
    need(row, "draft")
    fields = checked(session, draft)
    changed = [name for name in _STORED if getattr(row, name) != fields[name]]
    if not changed:
        return record_of(session, row)
    before = {name: getattr(row, name) for name in changed}
    for name in changed:
        setattr(row, name, fields[name])
    _touched(row, who)
    history.write(session, who.actor, row, "edit", before=before, after={name: fields[name] for name in changed}, inner=True)
    return record_of(session, row)


def submit(session: Session, who: Principal, warning_id: int, *, expected_version: int | None, note: str = "") -> WarningRecord:
    """Ask for approval. Raises Invalid naming a text that is still missing (GB/T 32924 clause 5 lists what has to be said)."""
    row = lock(session, warning_id, expected_version)
    need(row, "draft")
    for name in TEXTS:
        if not getattr(row, name):
            raise Invalid(
                f"{name} is still empty", "a warning says nature, threat, extent, objects, effect and measures", field=name
            )
    if not orjson.loads(row.organisations) and not orjson.loads(row.zones):
        raise Invalid("nobody is chosen to receive it", "choose organisations or zones", field="organisations")
    row.status = "submitted"
    _touched(row, who)
    history.write(session, who.actor, row, "submit", note=cleaned(note, "note", MAX_NOTE), inner=True)
    return record_of(session, row)


def discard(session: Session, who: Principal, warning_id: int, *, expected_version: int | None, note: str) -> WarningRecord:
    """Throw a draft away; it stays to be read. Raises NotFound, Conflict, Invalid (no reason)."""
    row = lock(session, warning_id, expected_version)
    need(row, "draft")
    reason = cleaned(note, "note", MAX_NOTE, needed=True)
    row.status, row.closed_at = "discarded", clock.now()
    row.version, row.updated_at = row.version + 1, row.closed_at
    history.write(session, who.actor, row, "discard", note=reason, inner=True)
    return record_of(session, row)


def checked(session: Session, draft: Draft) -> dict[str, Any]:
    """Columns of a draft. Raises Invalid for what the scales or the zone plan do not know."""
    if draft.importance not in IMPORTANCE:
        raise Invalid(f"one of {', '.join(IMPORTANCE)}", field="importance")
    if draft.harm not in HARM:
        raise Invalid(f"one of {', '.join(HARM)}", field="harm")
    if draft.level and draft.level not in LEVELS:
        raise Invalid(f"one of {', '.join(LEVELS)}", field="level")
    receivers = reach.check(session, Reach(draft.organisations, draft.zones))
    fields: dict[str, Any] = {name: cleaned(getattr(draft, name), name, MAX_TEXT) for name in TEXTS}
    return fields | {
        "title": cleaned(draft.title, "title", MAX_TITLE, needed=True),
        "importance": draft.importance,
        "harm": draft.harm,
        "level": draft.level or level_of(settings.get(session, "matrix").value, draft.importance, draft.harm),
        "organisations": orjson.dumps(receivers.organisations).decode(),
        "zones": orjson.dumps(receivers.zones).decode(),
    }


def new_row(fields: dict[str, Any], *, author: str, contributors: list[str], source: str, **more: Any) -> WarningRow:
    """A row in the state of a draft."""
    present = clock.now()
    made: dict[str, Any] = {
        "status": "draft",
        "edition": 0,
        "year": None,
        "number": None,
        "author": author[:160],
        "contributors": orjson.dumps(contributors).decode(),
        "source": source,
        "source_alert": None,
        "reasons": "[]",
        "created_at": present,
        "updated_at": present,
        "approved_by": "",
    }
    return WarningRow(**(made | fields | more))


def draft_of(record: WarningRecord) -> Draft:
    """What a form begins with."""
    known = {name: getattr(record, name) for name in Draft.__struct_fields__}
    return msgspec.convert(known | {"organisations": tuple(record.organisations), "zones": tuple(record.zones)}, Draft)


def _touched(row: WarningRow, who: Principal) -> None:
    names = orjson.loads(row.contributors)
    if who.name not in names:
        row.contributors = orjson.dumps([*names, who.name]).decode()
    row.version += 1
    row.updated_at = clock.now()
