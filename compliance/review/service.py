"""Comments on an item or object, and evidence that an auditor asks for: open → answered → closed, or sent back and open again.

An auditor changes nothing else in compliance. Who is responsible answers with words, with evidence that lies in the platform (as a
verdict names it), or both. Each request is a notification (a ticket) to the organisation of the system.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from compliance.assessment.places import places
from compliance.documents.service import day
from compliance.evidence import viewing
from compliance.review.models import STATES, EntryRow, RequestRow
from compliance.review.schema import About, EvidenceRequest, RequestDetail, RequestFilter, RequestPage, ReviewEntry
from compliance.systems import rows
from compliance.systems.models import ObjectRow, SystemRow
from kernel.db.among import among
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.errors import Conflict, Invalid, NotFound
from operations.organisations import owners
from operations.tickets import service as tickets
from operations.tickets.schema import Draft, Link
from operations.written import choice, text

MAX_TEXT, MAX_PAGE, MOST_ENTRIES = 4_000, 200, 500
_CURSOR = re.compile(r"[0-9]{1,18}")
_BY_ITSELF = Principal(0, SYSTEM.name, "", "")


def comment(session: Session, who: Principal, about: About, words: str) -> ReviewEntry:
    """Raises NotFound, Invalid."""
    _check(session, about)
    row = _write(session, who, about, "comment", text(words, "text", MAX_TEXT, needed=True))
    detail = {"item": about.item, "object": about.object_id, "entry": row.id}
    audit.append(session, who.actor, "review.comment", "mlps_system", about.system_id, detail=detail)
    return _entries(session, [row])[0]


def comments(session: Session, about: About, *, limit: int = 100) -> list[ReviewEntry]:
    """Of an item on every object (of the system, for ``item`` ""), newest first. Raises NotFound."""
    rows.find_system(session, about.system_id)
    mine = (EntryRow.system_id == about.system_id, EntryRow.item == about.item, EntryRow.kind == "comment")
    query = select(EntryRow).where(*mine).order_by(EntryRow.id.desc()).limit(max(1, min(limit, MOST_ENTRIES)))
    return _entries(session, list(session.execute(query).scalars()))


def ask(session: Session, who: Principal, about: About, words: str, due_on: str = "") -> EvidenceRequest:
    """Ask for evidence, and let the organisation of the system know. Raises NotFound, Invalid."""
    system = rows.system_record(_check(session, about))
    wanted, now = text(words, "text", MAX_TEXT, needed=True), clock.now()
    until = day(due_on, "due_on") if due_on.strip() else ""
    if until and until < now[:10]:
        raise Invalid("the day lies ahead", "name a day to come", field="due_on")
    row = RequestRow(
        system_id=about.system_id, item=about.item, object_id=about.object_id, state="open", text=wanted, due_on=until,
        asked_by=who.name[:160], asked_at=now, updated_at=now, version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _write(session, who, about, "ask", wanted, request=row.id)
    bureau = system.organisation if system.organisation in owners(session) else ""
    title = f"证据请求 Evidence is asked for: {system.name} {about.item}".strip()[:200]
    links = (Link("control", f"{about.system_id}:{about.item}"),) if about.item else ()
    draft = Draft("notification", title, f"{wanted}\n\n#{row.id} {who.name}", "medium", bureau, zones=system.zones[:1], links=links)
    ticket = tickets.create(session, _BY_ITSELF, draft)
    detail = {"item": about.item, "object": about.object_id, "due": until, "ticket": ticket.id}
    audit.append(session, who.actor, "review.ask", "evidence_request", row.id, detail=detail)
    return _requests(session, [row])[0]


def answer(
    session: Session, who: Principal, number: int, words: str, evidence: str = "", *, expected_version: int | None = None
) -> RequestDetail:
    """Words, evidence that lies in the platform, or both. Raises NotFound, Invalid, Stale; Conflict where it is closed."""
    row = _find(session, number, expected_version)
    if row.state == "closed":
        raise Conflict("the request is closed", "ask whoever closed it to ask anew")
    named = text(evidence, "evidence", 128)
    said = text(words, "text", MAX_TEXT, needed=not named)
    if named and not viewing.view(session, who, row.system_id, named).sealed:
        raise Invalid("no evidence of this name lies here", "seal the file first, or name a document in force", field="evidence")
    return _step(session, who, row, "answer", "answered", said, named)


def close(session: Session, who: Principal, number: int, words: str = "", *, expected_version: int | None = None) -> RequestDetail:
    """The auditor has what they need, or needs it no more. Raises NotFound, Invalid, Stale, Conflict."""
    row = _find(session, number, expected_version)
    if row.state == "closed":
        raise Conflict("the request is closed already")
    said = text(words, "text", MAX_TEXT, needed=row.state == "open")
    return _step(session, who, row, "close", "closed", said)


def send_back(session: Session, who: Principal, number: int, words: str, *, expected_version: int | None = None) -> RequestDetail:
    """The answer is not enough. Raises NotFound, Invalid, Stale, Conflict."""
    row = _find(session, number, expected_version)
    if row.state != "answered":
        raise Conflict(f"the request is {row.state}", "an answer is sent back")
    return _step(session, who, row, "send_back", "open", text(words, "text", MAX_TEXT, needed=True))


def get_request(session: Session, number: int) -> RequestDetail:
    """Raises NotFound, also where the session may not see its system."""
    return _detail(session, _find(session, number, None, for_update=False))


def list_requests(session: Session, where: RequestFilter = RequestFilter(), *, limit: int = 50, cursor: str = "") -> RequestPage:
    """One page, newest first. Raises NotFound, Invalid."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(RequestRow).where(*_conditions(session, where))
    if cursor:
        if _CURSOR.fullmatch(cursor) is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(RequestRow.id < int(cursor))
    found = list(session.execute(query.order_by(RequestRow.id.desc()).limit(limit + 1)).scalars())
    return RequestPage(_requests(session, found[:limit]), str(found[limit - 1].id) if len(found) > limit else "")


def count_states(session: Session, where: RequestFilter = RequestFilter()) -> dict[str, int]:
    """State → number, under the other filters. Raises NotFound."""
    others = RequestFilter(system_id=where.system_id, item=where.item)
    query = select(RequestRow.state, func.count()).where(*_conditions(session, others)).group_by(RequestRow.state)
    return dict.fromkeys(STATES, 0) | {row[0]: row[1] for row in session.execute(query)}


def _check(session: Session, about: About) -> SystemRow:
    system = rows.find_system(session, about.system_id)
    if about.item and about.item not in places():
        raise Invalid(f"there is no item {about.item[:24]!r}", field="item")
    if about.object_id:
        rows.find_object(session, about.system_id, about.object_id)
    return system


def _find(session: Session, number: int, expected_version: int | None, *, for_update: bool = True) -> RequestRow:
    query = select(RequestRow).where(RequestRow.id == number)
    row = session.execute(query.with_for_update() if for_update else query).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no request {number}")
    try:
        rows.find_system(session, row.system_id)
    except NotFound as error:
        raise NotFound(f"there is no request {number}") from error
    rows.check_version(row.version, expected_version)
    return row


def _step(
    session: Session, who: Principal, row: RequestRow, kind: str, state: str, words: str, evidence: str = ""
) -> RequestDetail:
    before, row.state = row.state, state
    row.updated_at, row.version = clock.now(), row.version + 1
    _write(session, who, About(row.system_id, row.item, row.object_id), kind, words, evidence, row.id)
    detail = {"state": [before, state], "evidence": evidence}
    audit.append(session, who.actor, f"review.{kind}", "evidence_request", row.id, detail=detail)
    return _detail(session, row)


def _write(
    session: Session, who: Principal, about: About, kind: str, words: str, evidence: str = "", request: int | None = None
) -> EntryRow:
    row = EntryRow(
        system_id=about.system_id, item=about.item, object_id=about.object_id, request_id=request, kind=kind, text=words,
        evidence=evidence, by=who.name[:160], at=clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _conditions(session: Session, where: RequestFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.state:
        found.append(RequestRow.state == choice(where.state, "state", STATES))
    if where.item:
        found.append(RequestRow.item == where.item[:24])
    if where.system_id:
        rows.find_system(session, where.system_id)
        found.append(RequestRow.system_id == where.system_id)
    elif limits := rows.seen(session):
        found.append(RequestRow.system_id.in_(select(SystemRow.id).where(*limits)))
    return found


def _detail(session: Session, row: RequestRow) -> RequestDetail:
    query = select(EntryRow).where(EntryRow.request_id == row.id).order_by(EntryRow.id).limit(MOST_ENTRIES)
    return RequestDetail(_requests(session, [row])[0], _entries(session, list(session.execute(query).scalars())))


def _requests(session: Session, found: Sequence[RequestRow]) -> list[EvidenceRequest]:
    objects = _objects(session, found)
    named = select(SystemRow.id, SystemRow.name).where(among(session, SystemRow.id, sorted({row.system_id for row in found})))
    systems, today = {row[0]: row[1] for row in session.execute(named)}, clock.now()[:10]
    return [
        EvidenceRequest(
            row.id, row.system_id, systems.get(row.system_id, ""), row.item, row.object_id, objects.get(row.object_id, ""),
            row.state, row.text, row.due_on, row.state == "open" and "" < row.due_on < today, row.asked_by, row.asked_at,
            row.updated_at, row.version,
        )
        for row in found
    ]  # fmt: skip


def _entries(session: Session, found: Sequence[EntryRow]) -> list[ReviewEntry]:
    objects = _objects(session, found)
    return [
        ReviewEntry(
            row.id, row.system_id, row.item, row.object_id, objects.get(row.object_id, ""), row.request_id or 0, row.kind, row.text,
            row.evidence, row.by, row.at,
        )
        for row in found
    ]  # fmt: skip


def _objects(session: Session, found: Sequence[RequestRow] | Sequence[EntryRow]) -> dict[int, str]:
    wanted = sorted({row.object_id for row in found if row.object_id})
    return {
        row[0]: row[1] for row in session.execute(select(ObjectRow.id, ObjectRow.name).where(among(session, ObjectRow.id, wanted)))
    }
