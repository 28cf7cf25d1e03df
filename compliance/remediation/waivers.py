"""Waivers: that a finding is lived with until a day, asked for by one person and decided by another.

A waiver changes neither verdict nor score; while it holds the finding is shown as waived and is not overdue. After its end the
finding stands as before (compliance.remediation.following ends it in the books; what is shown looks at the clock by itself).
"""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from compliance.remediation import service
from compliance.remediation.models import WAIVER_STATES, FindingRow, WaiverRow
from compliance.remediation.schema import Waiver, WaiverDraft, WaiverPage
from compliance.systems import rows
from compliance.systems.models import SystemRow
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.written import choice, moment, text

MAX_TEXT, MAX_PAGE = 4_000, 200
LONGEST = 366 * 86_400
"""Seconds that a waiver holds at most."""
_CURSOR = re.compile(r"[0-9]{1,18}")


def ask(session: Session, who: Principal, finding_id: int, draft: WaiverDraft) -> Waiver:
    """Ask for one. Raises NotFound, Invalid; Conflict where the finding is closed or one is asked for or holds already."""
    finding = _open(session, finding_id)
    now = clock.now()
    expires = moment(draft.expires_at, "expires_at")
    if expires is None or not now < expires <= clock.shift(now, LONGEST):
        raise Invalid("a waiver ends within a year", "name the day on which it ends", field="expires_at")
    there = select(WaiverRow.id).where(WaiverRow.finding_id == finding_id, WaiverRow.state.in_(("asked", "in_force")))
    live = there.where((WaiverRow.state == "asked") | (WaiverRow.expires_at > now))
    if session.execute(live).first() is not None:
        raise Conflict("a waiver of this finding is asked for or holds already", "end it first")
    row = WaiverRow(
        finding_id=finding_id, system_id=finding.system_id, state="asked", expires_at=expires, asked_by=who.name, asked_at=now,
        reason=text(draft.reason, "reason", MAX_TEXT, needed=True), measure=text(draft.measure, "measure", MAX_TEXT, needed=True),
        decided_by="", decided_at="", note="", version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    detail = {"finding": finding_id, "reason": row.reason, "measure": row.measure, "expires": expires}
    audit.append(session, who.actor, "waiver.ask", "waiver", row.id, detail=detail)
    service.record_step(session, who, finding_id, "waive", expires, row.reason)
    return _record(row)


def decide(
    session: Session, who: Principal, waiver_id: int, approve: bool, note: str = "", *, expected_version: int | None = None
) -> Waiver:
    """Approve or refuse, by another person than who asked. Raises NotFound, Denied, Invalid, Conflict, Stale."""
    row = _find(session, waiver_id, expected_version)
    finding = _open(session, row.finding_id)
    if row.state != "asked":
        raise Conflict(f"the waiver {waiver_id} is {row.state}", "a decision is made once")
    if row.asked_by == who.name:
        raise Denied("who asked for a waiver does not decide about it", "ask another person")
    words, now = text(note, "note", MAX_TEXT, needed=not approve), clock.now()
    if approve and row.expires_at <= now:
        raise Conflict("the waiver would have ended already", "ask for one with a later end")
    row.state, row.decided_by, row.decided_at, row.note = "in_force" if approve else "refused", who.name, now, words
    row.version += 1
    if approve:
        _waived(finding, row.expires_at, now)
    session.flush()
    detail = {"finding": finding.id, "asked_by": row.asked_by, "expires": row.expires_at, "note": words}
    service.record_step(session, who, finding.id, "approve" if approve else "refuse", row.expires_at, words)
    audit.append(session, who.actor, "waiver.approve" if approve else "waiver.refuse", "waiver", row.id, detail=detail)
    return _record(row)


def end(session: Session, who: Principal, waiver_id: int, note: str, *, expected_version: int | None = None) -> Waiver:
    """Before its time: taken back, or not needed any more. Raises NotFound, Invalid, Conflict, Stale."""
    row = _find(session, waiver_id, expected_version)
    if row.state not in ("asked", "in_force"):
        raise Conflict(f"the waiver {waiver_id} is {row.state}")
    words, now = text(note, "note", MAX_TEXT, needed=True), clock.now()
    finding = service.find(session, row.finding_id, for_update=True)
    if row.state == "in_force":
        _waived(finding, "", now)
    row.state, row.version = "ended", row.version + 1
    session.flush()
    service.record_step(session, who, finding.id, "end", "", words)
    audit.append(session, who.actor, "waiver.end", "waiver", row.id, detail={"finding": finding.id, "reason": words})
    return _record(row)


def get_waiver(session: Session, number: int) -> Waiver:
    """One. Raises NotFound, also where the session may not see its system."""
    row = session.get(WaiverRow, number)
    if row is None:
        raise NotFound(f"there is no waiver {number}")
    try:
        rows.find_system(session, row.system_id)
    except NotFound as error:
        raise NotFound(f"there is no waiver {number}") from error
    return _record(row)


def of_finding(session: Session, finding_id: int) -> list[Waiver]:
    """All of a finding that was found before, newest first."""
    query = select(WaiverRow).where(WaiverRow.finding_id == finding_id).order_by(WaiverRow.id.desc()).limit(MAX_PAGE)
    return [_record(row) for row in session.execute(query).scalars()]


def count_asked(session: Session, name: str) -> int:
    """How many wait for a decision of ``name``, who did not ask for them, of systems that are seen."""
    seen = select(SystemRow.id).where(*rows.seen(session))
    mine = (WaiverRow.state == "asked", WaiverRow.asked_by != name, WaiverRow.system_id.in_(seen))
    return session.execute(select(func.count()).select_from(WaiverRow).where(*mine)).scalar_one()


def list_waivers(session: Session, system_id: int, state: str = "", *, limit: int = 50, cursor: str = "") -> WaiverPage:
    """One page, newest first; ``system_id`` 0 = of every system that is seen. Raises NotFound, Invalid."""
    limit = max(1, min(limit, MAX_PAGE))
    if system_id:
        rows.find_system(session, system_id)
        query = select(WaiverRow).where(WaiverRow.system_id == system_id)
    else:
        query = select(WaiverRow).where(WaiverRow.system_id.in_(select(SystemRow.id).where(*rows.seen(session))))
    if state:
        query = query.where(_shown_as(choice(state, "state", WAIVER_STATES), clock.now()))
    if cursor:
        if _CURSOR.fullmatch(cursor) is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(WaiverRow.id < int(cursor))
    found = list(session.execute(query.order_by(WaiverRow.id.desc()).limit(limit + 1)).scalars())
    return WaiverPage([_record(row) for row in found[:limit]], str(found[limit - 1].id) if len(found) > limit else "")


def _shown_as(state: str, now: str) -> ColumnElement[bool]:
    """By the clock, as _record has it."""
    if state == "in_force":
        return (WaiverRow.state == state) & (WaiverRow.expires_at > now)
    if state == "expired":
        return (WaiverRow.state == state) | ((WaiverRow.state == "in_force") & (WaiverRow.expires_at <= now))
    return WaiverRow.state == state


def _open(session: Session, finding_id: int) -> FindingRow:
    row = service.find(session, finding_id, for_update=True)
    if row.closed_at:
        raise Conflict(f"the finding {finding_id} is closed")
    return row


def _find(session: Session, waiver_id: int, expected_version: int | None) -> WaiverRow:
    """To be changed: its system is held. Raises NotFound, Stale."""
    system = session.execute(select(WaiverRow.system_id).where(WaiverRow.id == waiver_id)).scalar_one_or_none()
    try:
        rows.find_system(session, system or 0, for_update=True)
    except NotFound as error:
        raise NotFound(f"there is no waiver {waiver_id}") from error
    query = select(WaiverRow).where(WaiverRow.id == waiver_id)
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one()
    rows.check_version(row.version, expected_version)
    return row


def _waived(finding: FindingRow, until: str, now: str) -> None:
    finding.waived_until, finding.updated_at, finding.version = until, now, finding.version + 1


def _record(row: WaiverRow) -> Waiver:
    found = {name: getattr(row, name) for name in Waiver.__struct_fields__}
    if row.state == "in_force" and row.expires_at <= clock.now():
        found["state"] = "expired"  # the books follow
    return Waiver(**found)
