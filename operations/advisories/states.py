"""What people decide about a match: open, accepted for a time with a reason, fixed, or false."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.advisories.listing import match_record
from operations.advisories.matching import count
from operations.advisories.models import STATES, AdvisoryMatch, AdvisoryRow
from operations.advisories.rounds import moved
from operations.advisories.schema import Match
from operations.assets import listing as assets
from operations.assets.models import AssetRow
from operations.audit import service as audit
from operations.errors import Invalid, NotFound, Stale
from operations.written import choice, moment, text

MAX_NOTE = 2_000
MAX_DAYS = 366


def change(
    session: Session, who: Principal, number: int, state: str, *, note: str = "", until: str = "", expected_version: int | None
) -> Match:
    """Give a match a state. ``accepted`` needs a reason and a moment at most MAX_DAYS away, ``false`` a reason.

    Raises NotFound (also for an asset that this session does not see), Invalid, Stale.
    """
    query = select(AdvisoryMatch, AdvisoryRow, AssetRow).join(AdvisoryRow, AdvisoryRow.id == AdvisoryMatch.advisory_id)
    query = query.join(AssetRow, AssetRow.id == AdvisoryMatch.asset_id).where(AdvisoryMatch.id == number, *assets.within(session))
    found = session.execute(query.with_for_update(of=AdvisoryMatch)).one_or_none()
    if found is None:
        raise NotFound(f"there is no match {number}")
    row, advisory, asset = found
    if expected_version is not None and row.version != expected_version:
        raise Stale("this match was changed by somebody else", "read it again and decide once more")
    choice(state, "state", STATES)
    reason = text(note, "note", MAX_NOTE, needed=state in ("accepted", "false"))
    now = clock.now()
    end = moment(until, "until") if state == "accepted" else None
    if state == "accepted":
        if end is None:
            raise Invalid("until is missing", field="until")
        if not now < end <= clock.shift(now, 86_400 * MAX_DAYS):
            raise Invalid(f"it ends within {MAX_DAYS} days from now", field="until")
    before = row.state
    row.state, row.note, row.expires_at = state, reason, end
    row.changed_at, row.changed_by, row.version = now, who.name[:160], row.version + 1
    session.flush()
    detail = {"advisory": advisory.key, "asset": asset.key, "before": before, "after": state, "until": end, "note": reason}
    audit.append(session, who.actor, "advisory.state", "advisory", advisory.key, detail=detail)
    moved(session)
    count(session)
    return match_record(row, advisory, asset)
