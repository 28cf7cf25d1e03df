"""Findings: listed, and given to somebody to mend by a ticket. However often it is asked, a finding has one open ticket.

Whoever lists first lets :func:`compliance.remediation.following.follow` bring them up to date, or takes what the scheduler left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from compliance.assessment.drift import DAYS_TO_MEND, level_of
from compliance.assessment.models import VerdictRow
from compliance.assessment.places import places
from compliance.remediation.following import subject
from compliance.remediation.models import STATES, FindingRow, FindingStepRow
from compliance.remediation.schema import Assignment, FindingFilter, FindingPage, RemediationFinding
from compliance.systems import rows
from compliance.systems.models import ObjectRow
from compliance.systems.schema import SystemRecord
from kernel.db.among import among
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound
from operations.tickets import service as tickets
from operations.tickets.models import Ticket
from operations.tickets.schema import Act, Draft, Link
from operations.written import choice, moment, text

MAX_PAGE, MAX_NOTE = 200, 4_000
WAIVED = "waived"
SHOWN: tuple[str, ...] = (*STATES, WAIVED)
_CURSOR = re.compile(r"[0-9]{1,18}")
_LINKED = re.compile(r"[^\s\x00-\x1f\x7f/\\?#%]{1,128}")


def list_findings(
    session: Session, system_id: int, where: FindingFilter = FindingFilter(), *, limit: int = 50, cursor: str = ""
) -> FindingPage:
    """One page, oldest first. Raises NotFound, Invalid."""
    rows.find_system(session, system_id)
    limit = max(1, min(limit, MAX_PAGE))
    query = select(FindingRow).where(FindingRow.system_id == system_id, *conditions(where, clock.now()))
    if cursor:
        if _CURSOR.fullmatch(cursor) is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(FindingRow.id > int(cursor))
    found = list(session.execute(query.order_by(FindingRow.id).limit(limit + 1)).scalars())
    return FindingPage(records(session, found[:limit]), str(found[limit - 1].id) if len(found) > limit else "")


def get_finding(session: Session, number: int) -> RemediationFinding:
    """One. Raises NotFound, also where the session may not see its system."""
    return records(session, [find(session, number)])[0]


def assign(
    session: Session, who: Principal, number: int, given: Assignment, *, expected_version: int | None = None
) -> RemediationFinding:
    """A ticket to whoever mends it; where one that is not done is there already, that one stands and nothing is changed.

    Raises NotFound, Invalid, Denied, Stale; Conflict for a finding that is closed or waits for its re-test.
    """
    row = find(session, number, for_update=True)
    rows.check_version(row.version, expected_version)
    if row.closed_at:
        raise Conflict(f"the finding {number} is closed", "a new verdict opens another one")
    there = session.get(Ticket, row.ticket_id) if row.ticket_id else None
    if there is not None and there.state != "done":
        return records(session, [row])[0]
    if there is not None:
        raise Conflict("the ticket is done and the re-test is still to come", "record a new verdict first")
    system = rows.system_record(rows.find_system(session, row.system_id))
    ticket = tickets.create(session, who, _draft(session, system, row, given))
    row.ticket_id, row.due_at, row.state = ticket.id, ticket.due_at or "", "assigned"
    row.updated_at, row.version = clock.now(), row.version + 1
    session.flush()
    record_step(session, who, row.id, "assign", str(ticket.id), " ".join(filter(None, (ticket.bureau, ticket.assignee or ""))))
    detail = {"item": row.item, "object": row.object_id, "ticket": ticket.id, "bureau": ticket.bureau, "due": row.due_at}
    audit.append(session, who.actor, "finding.assign", "finding", row.id, detail=detail)
    return records(session, [row])[0]


def set_due(
    session: Session, who: Principal, number: int, due_at: str, note: str = "", *, expected_version: int | None = None
) -> RemediationFinding:
    """Another day, of the finding and its ticket. Raises NotFound, Invalid, Denied, Stale; Conflict without a ticket on its way."""
    row = find(session, number, for_update=True)
    rows.check_version(row.version, expected_version)
    there = session.get(Ticket, row.ticket_id) if row.ticket_id else None
    if row.closed_at or there is None or there.state == "done":
        raise Conflict("no ticket is on its way whose day could be set", "give the finding to somebody first")
    wanted, words = moment(due_at, "due_at"), text(note, "note", MAX_NOTE)
    if wanted is None or wanted <= clock.now():
        raise Invalid("the day lies ahead", "name a moment to come", field="due_at")
    before = row.due_at
    tickets.act(session, who, there.id, Act("edit", words, until=wanted))
    row.due_at, row.updated_at, row.version = wanted, clock.now(), row.version + 1
    record_step(session, who, row.id, "due", wanted, words)
    detail = {"ticket": there.id, "due": [before, wanted], "note": words}
    audit.append(session, who.actor, "finding.due", "finding", row.id, detail=detail)
    return records(session, [row])[0]


def ask_retest(
    session: Session, who: Principal, number: int, words: str, *, expected_version: int | None = None
) -> RemediationFinding:
    """``who`` says that it is mended: the next look decides. Raises NotFound, Invalid, Stale; Conflict where one is asked for."""
    row = find(session, number, for_update=True)
    rows.check_version(row.version, expected_version)
    if row.closed_at:
        raise Conflict(f"the finding {number} is closed", "a new verdict opens another one")
    if row.state == "to_retest":
        raise Conflict("the re-test is asked for already", "record a new verdict")
    said, now = text(words, "note", MAX_NOTE, needed=True), clock.now()
    row.state, row.retest_at, row.retest_by = "to_retest", now, who.name
    row.updated_at, row.version = now, row.version + 1
    record_step(session, who, row.id, "retest", "", said)
    audit.append(session, who.actor, "finding.retest", "finding", row.id, detail={"item": row.item, "note": said})
    return records(session, [row])[0]


def record_step(session: Session, who: Principal, number: int, act: str, value: str, words: str) -> None:
    """A line of the history of a finding that was found before; ``act`` of compliance.remediation.models.STEPS."""
    session.add(FindingStepRow(finding_id=number, act=act, value=value[:64], note=words, by=who.name[:160], at=clock.now()))
    session.flush()


def find(session: Session, number: int, *, for_update: bool = False) -> FindingRow:
    """The row, within what the session may see; to change it its system is held, as with verdicts. Raises NotFound."""
    system = session.execute(select(FindingRow.system_id).where(FindingRow.id == number)).scalar_one_or_none()
    try:
        rows.find_system(session, system or 0, for_update=for_update)
    except NotFound as error:
        raise NotFound(f"there is no finding {number}") from error
    return session.execute(select(FindingRow).where(FindingRow.id == number).execution_options(populate_existing=True)).scalar_one()


def records(session: Session, found: Sequence[FindingRow]) -> list[RemediationFinding]:
    """As shown, in that order; at most a page of them."""
    objects = sorted({row.object_id for row in found if row.object_id})
    named = select(ObjectRow.id, ObjectRow.name).where(among(session, ObjectRow.id, objects))
    names = {row[0]: row[1] for row in session.execute(named)}
    numbers = sorted({row.ticket_id for row in found if row.ticket_id})
    owners = {one.id: one for one in session.execute(select(Ticket).where(among(session, Ticket.id, numbers))).scalars()}
    return [_record(row, names.get(row.object_id, ""), owners.get(row.ticket_id or 0), clock.now()) for row in found]


def _record(row: FindingRow, name: str, ticket: Ticket | None, now: str) -> RemediationFinding:
    place = places().get(row.item)
    zh, en = place.names if place is not None else ("", "")
    waived = not row.closed_at and row.waived_until > now
    return RemediationFinding(
        row.id, row.system_id, row.item, zh, en, row.object_id, name, WAIVED if waived else row.state, row.verdict,
        row.ticket_id, ticket.bureau if ticket else "", (ticket.assignee or "") if ticket else "", row.due_at,
        not row.closed_at and not waived and "" < row.due_at < now, row.waived_until if waived else "", row.reopened,
        row.opened_at, row.retest_at, row.closed_at, row.outcome, row.version,
    )  # fmt: skip


def conditions(where: FindingFilter, now: str) -> list[ColumnElement[bool]]:
    """What the filter asks of a row; which systems are seen is asked elsewhere. Raises Invalid."""
    state = choice(where.state, "state", SHOWN) if where.state else ""
    found: list[ColumnElement[bool]] = []
    if state == "closed":
        found.append(FindingRow.closed_at != "")
    else:
        found.append(FindingRow.closed_at == "")
    if state == WAIVED:
        found.append(FindingRow.waived_until > now)
    elif state and state != "closed":
        found += [FindingRow.state == state, FindingRow.waived_until <= now]
    if where.item:
        found.append(FindingRow.item == where.item[:24])
    if where.object_id is not None:
        found.append(FindingRow.object_id == where.object_id)
    if where.overdue:
        found += [FindingRow.due_at > "", FindingRow.due_at < now, FindingRow.waived_until <= now, FindingRow.closed_at == ""]
    if where.system_id:
        found.append(FindingRow.system_id == where.system_id)
    if where.security_class:
        found.append(FindingRow.item.in_([key for key, one in places().items() if one.security_class == where.security_class]))
    if where.due_by:
        found += [FindingRow.due_at > "", FindingRow.due_at <= where.due_by]
    if where.undated:
        found.append(FindingRow.due_at == "")
    return found + _owned(where)


def _owned(where: FindingFilter) -> list[ColumnElement[bool]]:
    """By whose ticket it is; a finding without a ticket is nobody's."""
    asked: list[ColumnElement[bool]] = []
    if where.bureau is not None:
        asked.append(Ticket.bureau == where.bureau)
    if where.assignee:
        asked.append(Ticket.assignee == where.assignee)
    return [FindingRow.ticket_id.in_(select(Ticket.id).where(*asked))] if asked else []


def _draft(session: Session, system: SystemRecord, row: FindingRow, given: Assignment) -> Draft:
    zh, en = places()[row.item].names
    level = level_of(row.item)
    verdict = session.get(VerdictRow, (row.system_id, row.item, row.object_id))
    target = rows.find_object(session, row.system_id, row.object_id) if row.object_id else None
    lines = [
        f"{zh}（{en}）", "",
        f"系统 system: {system.name} (#{system.id})",
        f"对象 object: {target.name if target else system.name}",
        f"结果 verdict: {row.verdict}" + (f"  {verdict.reason}" if verdict is not None and verdict.reason else ""),
    ]  # fmt: skip
    if verdict is not None and verdict.reproduce:
        lines.append(f"复测方法 how to see it: {verdict.reproduce}")
    if given.note:
        lines += ["", text(given.note, "note", MAX_NOTE)]
    links = [Link("control", subject(row.system_id, row.item, row.object_id))]
    if target is not None and _LINKED.fullmatch(target.asset):
        links.append(Link("asset", target.asset))
    return Draft(
        "remediation", f"{system.name} {row.item} {target.name if target else ''} {zh}".replace("  ", " ")[:200],
        "\n".join(lines)[:20_000], level, system.organisation if given.bureau is None else given.bureau,
        assignee=given.assignee, due_at=given.due_at or clock.shift(clock.now(), DAYS_TO_MEND[level] * 86_400),
        zones=system.zones[:1], links=tuple(links),
    )  # fmt: skip
