"""Findings of every system that is seen, by filter, in two orders; and what happened to one."""

from __future__ import annotations

import re

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from compliance.assessment.reading import history
from compliance.remediation.models import FindingRow, FindingStepRow
from compliance.remediation.schema import FindingFilter, FindingPage, FindingStep, RemediationFinding
from compliance.remediation.service import MAX_PAGE, conditions, records
from compliance.systems import rows
from compliance.systems.models import SystemRow
from operations import clock
from operations.errors import Invalid

SORTS: tuple[str, ...] = ("opened", "due")
"""Newest first; or what is due first, and at the end what has no date."""
MOST_STEPS = 200
_CURSORS = {"opened": re.compile(r"([0-9]{1,18})"), "due": re.compile(r"([0-9TZ:.-]{27}|)~([0-9]{1,18})")}


def list_all(
    session: Session, where: FindingFilter = FindingFilter(), *, sort: str = "opened", limit: int = 50, cursor: str = ""
) -> FindingPage:
    """One page. Raises Invalid; NotFound for a system that is not seen."""
    if sort not in SORTS:
        raise Invalid(f"there is no order {sort[:16]!r}", ", ".join(SORTS), field="sort")
    limit = max(1, min(limit, MAX_PAGE))
    query = select(FindingRow).where(*conditions(where, clock.now()), *_seen(session, where.system_id))
    if cursor:
        query = query.where(_after(sort, cursor))
    if sort == "due":
        query = query.order_by(FindingRow.due_at == "", FindingRow.due_at, FindingRow.id)
    else:
        query = query.order_by(FindingRow.id.desc())
    found = list(session.execute(query.limit(limit + 1)).scalars())
    page = records(session, found[:limit])
    if len(found) <= limit:
        return FindingPage(page)
    return FindingPage(page, str(page[-1].id) if sort == "opened" else f"{page[-1].due_at}~{page[-1].id}")


def count_states(session: Session, where: FindingFilter = FindingFilter()) -> dict[str, int]:
    """State → number, under the other filters; ``overdue`` beside them. Closed ones too. Raises Invalid, NotFound."""
    now = clock.now()
    seen = _seen(session, where.system_id)
    return {
        name: session.execute(
            select(func.count()).select_from(FindingRow).where(*conditions(_only(where, name), now), *seen)
        ).scalar_one()
        for name in ("open", "assigned", "to_retest", "waived", "overdue", "closed")
    }


def story(session: Session, finding: RemediationFinding) -> list[FindingStep]:
    """What happened to a finding that was found before, newest first: verdicts since it is there, and what people did."""
    query = select(FindingStepRow).where(FindingStepRow.finding_id == finding.id).order_by(FindingStepRow.id.desc())
    done = [FindingStep(row.at, row.act, row.by, row.value, row.note) for row in session.execute(query.limit(MOST_STEPS)).scalars()]
    said = [
        FindingStep(step.at, "verdict", step.by, step.verdict, step.reason)
        for step in history(session, finding.system_id, finding.item, finding.object_id, limit=MOST_STEPS)
        if not finding.closed_at or step.at <= finding.closed_at
    ]
    first = next((place for place, step in enumerate(said) if step.at <= finding.opened_at), len(said))
    ends = [FindingStep(finding.closed_at, "closed", value=finding.outcome)] if finding.closed_at else []
    found = [*ends, *done, *said[: first + 1], FindingStep(finding.opened_at, "opened")]
    return sorted(found, key=lambda step: step.at, reverse=True)[:MOST_STEPS]


def _only(where: FindingFilter, name: str) -> FindingFilter:
    values = {field: getattr(where, field) for field in FindingFilter.__struct_fields__ if field not in ("state", "overdue")}
    return FindingFilter(overdue=True, **values) if name == "overdue" else FindingFilter(state=name, **values)


def _seen(session: Session, system_id: int) -> list[ColumnElement[bool]]:
    if system_id:
        rows.find_system(session, system_id)
        return []
    limits = rows.seen(session)
    return [FindingRow.system_id.in_(select(SystemRow.id).where(*limits))] if limits else []


def _after(sort: str, cursor: str) -> ColumnElement[bool]:
    match = _CURSORS[sort].fullmatch(cursor)
    if match is None:
        raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
    if sort == "opened":
        return FindingRow.id < int(match[1])
    due, number = match[1], int(match[2])
    same = and_(FindingRow.due_at == due, FindingRow.id > number)
    return or_(same, FindingRow.due_at == "", FindingRow.due_at > due) if due else same
