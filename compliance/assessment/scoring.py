"""The score of a system by a template, from its current verdicts and decisions; kept ones make its trend.

What the machine adds by itself only raises: an item that is not met on an object and is a case of the high-risk guide counts as a
high risk until a person grades it, there or as a whole (template 2021 with T/ISEAA 001-2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import case, select
from sqlalchemy.orm import Session

from compliance.assessment.crypto_reading import crypto_assessed, crypto_rows
from compliance.assessment.deciding import Decision, decisions
from compliance.assessment.hazards import counted, hazards
from compliance.assessment.models import ScoreRow, VerdictRow
from compliance.assessment.places import MLPS
from compliance.assessment.rollup import tallies
from compliance.assessment.schema import Tally
from compliance.catalogue.load import crypto_requirements, high_risk_guide, requirements
from compliance.scoring import crypto, template_2021
from compliance.scoring.assessed import Assessed, AssessedError, Compensation, Judgement, Risk, Settings
from compliance.scoring.outcome import Outcome
from compliance.scoring.templates import TEMPLATES
from compliance.systems import rows
from compliance.systems.applicability import WHOLE, Scope, scope_of
from compliance.systems.models import ObjectRow
from compliance.systems.schema import SystemRecord
from compliance.verdicts import Verdict
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Invalid
from operations.written import choice

NAMES: tuple[str, ...] = (*TEMPLATES, crypto.NAME)
_WHY = case((VerdictRow.verdict == Verdict.NOT_APPLICABLE.value, VerdictRow.reason), else_="")


class Scored(msgspec.Struct, frozen=True):
    """A result. ``unassessed``: pairs of an item and an object without a verdict yet, beside items without any."""

    system_id: int
    at: str
    outcome: Outcome
    unassessed: int = 0

    @property
    def provisional(self) -> bool:
        """Whether something has no verdict yet."""
        return self.outcome.provisional or self.unassessed > 0


class KeptScore(msgspec.Struct, frozen=True):
    """A point of the trend."""

    id: int
    template: str
    at: str
    by: str
    value: str
    conclusion: str
    provisional: bool


def score(session: Session, system_id: int, template: str = "2025") -> Scored:
    """By one of NAMES. Raises NotFound, Invalid where there is nothing to score yet."""
    try:
        return _score(session, system_id, template)
    except AssessedError as error:
        raise Invalid(error.message, error.hint) from error


def _score(session: Session, system_id: int, template: str) -> Scored:
    system = rows.system_record(rows.find_system(session, system_id))
    choice(template, "template", NAMES)
    decided = decisions(session, system_id)
    if template == crypto.NAME:
        assessed = crypto_assessed(crypto_rows(session, system_id), decided, system.name)
        return Scored(system_id, clock.now(), crypto.outcome(crypto_requirements(), assessed))
    scope = scope_of(session, system)
    tallied = tallies(session, system_id, scope)
    outcome = TEMPLATES[template](requirements(), _assessed(session, system, scope, tallied, decided, template))
    open_pairs = sum(tally.unassessed for tally in tallied.values() if tally.verdict is not None)
    if open_pairs:
        note = f"{open_pairs} pairs of an item and an object have no verdict: the result is provisional"
        outcome = msgspec.structs.replace(outcome, notes=(*outcome.notes, note))
    return Scored(system_id, clock.now(), outcome, open_pairs)


def keep(session: Session, who: Principal, system_id: int, template: str) -> KeptScore:
    """Score now and keep it for the trend. Raises NotFound, Invalid."""
    found = score(session, system_id, template)
    row = ScoreRow(
        system_id=system_id, template=template, at=found.at, kept_by=who.name, value=found.outcome.value,
        conclusion=found.outcome.conclusion, provisional=found.provisional, outcome=msgspec.json.encode(found.outcome).decode(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    detail = {"template": template, "value": row.value, "conclusion": row.conclusion, "provisional": row.provisional}
    audit.append(session, who.actor, "assessment.score", "mlps_system", system_id, detail=detail)
    return _kept(row)


def trend(session: Session, system_id: int, template: str, *, limit: int = 100) -> list[KeptScore]:
    """Kept scores, newest first. Raises NotFound."""
    rows.find_system(session, system_id)
    query = select(ScoreRow).where(ScoreRow.system_id == system_id, ScoreRow.template == template)
    return [_kept(row) for row in session.execute(query.order_by(ScoreRow.id.desc()).limit(max(1, min(limit, 500)))).scalars()]


def _kept(row: ScoreRow) -> KeptScore:
    return KeptScore(row.id, row.template, row.at, row.kept_by, row.value, row.conclusion, row.provisional)


def _assessed(
    session: Session, system: SystemRecord, scope: Scope, tallied: Mapping[str, Tally], decided: Sequence[Decision], template: str
) -> Assessed:
    judgements = list(_judgements(session, system, scope))
    judged = {one.item for one in judgements}
    about = [one for one in decided if one.subject in judged]
    graded = tuple(
        Risk(one.subject, one.value, str(one.object_id or ""), one.by, one.reason)  # type: ignore[arg-type]
        for one in about
        if one.kind == "risk"
    )
    return Assessed(
        tuple(judgements), system.name, f"S{system.level.S}A{system.level.A}", system.extensions,
        importance={one.subject: int(one.value) for one in about if one.kind == "importance"},  # type: ignore[misc]
        compensations=tuple(
            Compensation(one.subject, Decimal(one.value), one.by, one.reason) for one in about if one.kind == "compensation"
        ),
        risks=graded + (_suggested(judgements, graded) if template == template_2021.NAME else ()),
        hazards=counted(hazards(tallied, decided)), settings=_settings(decided),
    )  # fmt: skip


def _judgements(session: Session, system: SystemRecord, scope: Scope) -> Iterable[Judgement]:
    removed = set(
        session.execute(select(ObjectRow.id).where(ObjectRow.system_id == system.id, ObjectRow.removed_at.is_not(None))).scalars()
    )
    away = {item for item in scope.items if scope.taken_away(item) is not None}
    decided = {key for key, decision in scope.decisions.items() if not decision.applies}
    columns = select(VerdictRow.item, VerdictRow.object_id, VerdictRow.verdict, _WHY)
    items = scope.items
    for item, object_id, verdict, reason in session.execute(
        columns.where(VerdictRow.system_id == system.id, VerdictRow.standard == MLPS)
    ):
        if item in items and item not in away and object_id not in removed and (item, object_id) not in decided:
            yield Judgement(item, verdict, str(object_id or ""), reason)
    for item, object_id in decided:
        if item in items and object_id not in removed and (object_id == WHOLE or item not in away):
            reason = scope.decisions[item, object_id].reason
            yield Judgement(item, Verdict.NOT_APPLICABLE.value, str(object_id or ""), reason)


def _suggested(judgements: Iterable[Judgement], graded: Iterable[Risk]) -> tuple[Risk, ...]:
    """High risks by the guide of 2020 that nobody has graded yet: a grade is about its object, or about all where it names none."""
    people = {(one.item, one.object) for one in graded}
    left = {
        one.item for one in judgements if one.verdict == Verdict.NOT_MET and not {(one.item, one.object), (one.item, "")} & people
    }
    return tuple(
        Risk(case.clause, "high", reason=f"case {case.id} of the high-risk guide of 2020, not graded by a person yet")
        for case in high_risk_guide(2020).cases
        if case.min_level <= 3 and case.clause in left
    )


def _settings(decided: Iterable[Decision]) -> Settings:
    chosen: dict[str, Any] = {one.subject: one.value for one in decided if one.kind == "setting"}
    return msgspec.convert(chosen, Settings, strict=False)
