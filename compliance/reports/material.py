"""What reports are made of, read once from the state database: the typed document that every renderer only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.assessment import scoring
from compliance.assessment.crypto_standing import CryptoStanding, crypto_standing
from compliance.assessment.drift import DAYS_TO_MEND, level_of
from compliance.assessment.places import places
from compliance.assessment.schema import WEAK
from compliance.assessment.scoring import KeptScore, Scored
from compliance.assessment.standing import Standing, StandingItem, standing
from compliance.catalogue.applicable import Applicable
from compliance.catalogue.load import high_risk_guide
from compliance.remediation.models import FindingRow
from compliance.reports.pairs import Pair, objects_of, pairs
from compliance.scoring.assessed import AssessedError
from compliance.systems.applicability import scope_of
from compliance.systems.schema import ObjectRecord, SystemRecord
from operations import clock
from operations.errors import Invalid
from operations.tickets.models import Ticket, TicketLink

TEMPLATES: tuple[str, ...] = ("2021", "2025")
GRADES: tuple[str, ...] = ("high", "medium", "low")


class Remedy(msgspec.Struct, frozen=True):
    """The newest ticket of a control."""

    ticket: int
    state: str
    assignee: str
    bureau: str
    due_at: str


class Problem(msgspec.Struct, frozen=True):
    """An item with a weak verdict on some object.

    grade   what people decided about its risk; "" = nobody did
    level   how much a failure of it may matter by the high-risk guide: critical (重大风险隐患), high, medium
    due_at  of its ticket, else the customary time from the first weak verdict; ``planned`` True = nobody agreed to it yet
    cases   ids of the high-risk cases that it may be
    waived_until  a waiver holds for each of its findings, the first one until then; "" = it does not
    """

    standing: StandingItem
    pairs: tuple[Pair, ...]
    grade: str
    level: str
    cases: tuple[str, ...]
    remedy: Remedy | None
    due_at: str
    planned: bool
    waived_until: str = ""


class Material(msgspec.Struct, frozen=True):
    """``changed_at``: the last moment at which anything in it changed, so that equal material gives equal files."""

    system: SystemRecord
    items: Mapping[str, Applicable]
    objects: Sequence[ObjectRecord]
    pairs: Sequence[Pair]
    standing: Standing
    problems: Sequence[Problem]
    template: str
    scored: Scored | None
    trend: Sequence[KeptScore]
    gathered_at: str
    changed_at: str
    crypto: CryptoStanding

    @property
    def key(self) -> str:
        """Names the system beyond this report."""
        return f"{self.system.id}:{self.system.created_at}"

    @property
    def assessed(self) -> list[Pair]:
        """Pairs with a verdict."""
        return [one for one in self.pairs if one.verdict]


def gather(session: Session, system_id: int, template: str = "2025") -> Material:
    """Raises NotFound; Invalid for another template, or a level that the catalogue does not hold."""
    if template not in TEMPLATES:
        raise Invalid(f"there is no template {template[:16]!r}", " or ".join(TEMPLATES), field="template")
    found = standing(session, system_id)
    scope, objects = scope_of(session, found.system), objects_of(session, system_id)
    told = pairs(session, system_id, scope, objects)
    moments = [found.system.updated_at, *(one.updated_at for one in objects), *(one.at for one in found.decisions)]
    moments += [one.checked_at for one in told if one.checked_at] + [one.at for one in scope.decisions.values()]
    remedies = _remedies(session, system_id)
    waived, moment = _waived(session, system_id)
    tickets = {item: remedy for item, (remedy, _) in remedies.items()}
    moments += [moment for _, moment in remedies.values()] + [moment]
    return Material(
        found.system, scope.items, objects, told, found, _problems(found, told, tickets, waived),
        template, _scored(session, system_id, template), scoring.trend(session, system_id, template, limit=24), clock.now(),
        max(moments), crypto_standing(session, system_id),
    )  # fmt: skip


def _scored(session: Session, system_id: int, template: str) -> Scored | None:
    """None where there is nothing to score yet."""
    try:
        return scoring.score(session, system_id, template)
    except (AssessedError, Invalid):
        return None


def _problems(found: Standing, told: Sequence[Pair], remedies: Mapping[str, Remedy], waived: Mapping[str, str]) -> list[Problem]:
    """The worst first: what may be a 重大风险隐患, then high risks, then the others in the order of the standard."""
    weak: dict[str, list[Pair]] = {}
    for one in told:
        if one.verdict in WEAK:
            weak.setdefault(one.item, []).append(one)
    grades: dict[str, str] = {}
    for decision in found.decisions:
        if decision.kind == "risk":
            before = grades.get(decision.subject, decision.value)
            grades[decision.subject] = min(before, decision.value, key=GRADES.index)
    problems = [
        msgspec.structs.replace(
            _problem(one, weak[one.item], grades.get(one.item, ""), remedies), waived_until=waived.get(one.item, "")
        )
        for one in found.items
        if one.item in weak
    ]
    order = ("critical", "high", "medium")
    return sorted(problems, key=lambda one: order.index(one.level))


def _problem(one: StandingItem, weak: Sequence[Pair], grade: str, remedies: Mapping[str, Remedy]) -> Problem:
    level, remedy = level_of(one.item), remedies.get(one.item)
    placed = places()[one.item].placed
    cases = placed.item.high_risk_2025 if placed is not None else ()
    planned = remedy is None or not remedy.due_at
    first = min(pair.at for pair in weak)
    due = clock.shift(first, DAYS_TO_MEND[level] * 86_400) if planned or remedy is None else remedy.due_at
    return Problem(one, tuple(weak), grade, level, cases, remedy, due, planned)


def _remedies(session: Session, system_id: int) -> dict[str, tuple[Remedy, str]]:
    """Item → its newest ticket that is not done, else the newest, and when that changed; it may be about one object of the item."""
    start = f"{system_id}:"
    query = (
        select(TicketLink.value, Ticket)
        .join(Ticket, Ticket.id == TicketLink.ticket_id)
        .where(TicketLink.kind == "control", TicketLink.value.startswith(start, autoescape=True))
        .order_by(Ticket.id)
    )
    found = list(session.execute(query))
    found.sort(key=lambda row: (row[1].state != "done", row[1].id))  # the last one of an item stays
    return {
        value.removeprefix(start).partition(":")[0]: (
            Remedy(ticket.id, ticket.state, ticket.assignee or "", ticket.bureau, ticket.due_at or ""),
            ticket.updated_at,
        )
        for value, ticket in found
    }


def _waived(session: Session, system_id: int) -> tuple[dict[str, str], str]:
    """Item → until when all its open findings are waived; and when any finding changed last, "" without any."""
    mine = FindingRow.system_id == system_id
    last = session.execute(select(func.max(FindingRow.updated_at)).where(mine)).scalar_one() or ""
    query = select(FindingRow.item, func.min(FindingRow.waived_until)).where(mine, FindingRow.closed_at == "")
    return {item: until for item, until in session.execute(query.group_by(FindingRow.item)) if until}, last


def advice(cases: Sequence[str]) -> list[tuple[str, str]]:
    """Cases of the guide of 2025: what they are called, and what may lower them at the assessor's judgement."""
    wanted = set(cases)
    return [(case.zh, case.mitigation_zh) for case in high_risk_guide(2025).cases if case.id in wanted]
