"""What people decide about a result: never the machine, always with name and reason, the last word counts.

kind            subject    object     value
compensation    item       -          0 to 1, at most 6 decimal places: what it counts by the whole-system assessment (整体测评)
risk            item       0 or one   high, medium, low: what is left of the problem
hazard          A-01 …     -          found, fixed, not_found: 重大风险隐患
importance      item       -          1, 2, 3 (template 2021)
setting         rate …     -          what the texts leave open (compliance.scoring.assessed.Settings)
crypto_risk     any name   -          found: a high risk beside the units that failed
crypto_lowered  unit       -          no: the failed unit is no high risk here
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.assessment.models import DECISIONS, DecisionRow, DecisionStep, VerdictRow
from compliance.assessment.places import CRYPTO, MLPS, places
from compliance.catalogue.load import high_risk_guide
from compliance.scoring.assessed import Settings
from compliance.systems import rows
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Invalid, NotFound
from operations.written import choice, name, text

MAX_REASON, MAX_STEPS = 4_000, 200
_SHARE = re.compile(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?")
"""No exponents: exact arithmetic with 1e-9999999 does not come to an end."""
_VALUES: Mapping[str, tuple[str, ...]] = {
    "risk": ("high", "medium", "low"),
    "hazard": ("found", "fixed", "not_found"),
    "importance": ("1", "2", "3"),
    "crypto_risk": ("found",),
    "crypto_lowered": ("no",),
}


class Decision(msgspec.Struct, frozen=True):
    """One decision as it stands."""

    kind: str
    subject: str
    object_id: int
    value: str
    reason: str
    by: str
    at: str
    version: int


class DecisionTaken(msgspec.Struct, frozen=True):
    """A line of the history. ``value`` "" = withdrawn, ``previous`` "" = there was none."""

    kind: str
    subject: str
    object_id: int
    value: str
    previous: str
    reason: str
    by: str
    at: str


def decisions(session: Session, system_id: int) -> list[Decision]:
    """All of a system that was found before, by kind and subject."""
    query = select(DecisionRow).where(DecisionRow.system_id == system_id)
    order = (DecisionRow.kind, DecisionRow.subject, DecisionRow.object_id)
    return [_record(row) for row in session.execute(query.order_by(*order)).scalars()]


def decide(
    session: Session, who: Principal, system_id: int, kind: str, subject: str, value: str, reason: str, *,
    object_id: int = 0, expected_version: int | None = None,
) -> Decision:  # fmt: skip
    """``expected_version``: of the decision there is, 0 = none yet, None = in any case. Raises NotFound, Invalid, Stale."""
    rows.find_system(session, system_id, for_update=True)
    choice(kind, "kind", DECISIONS)
    about = name(subject, "subject", 64)
    if object_id and kind != "risk":
        raise Invalid("only a risk is about one object", field="object")
    _check_subject(session, system_id, kind, about, object_id)
    words = text(reason, "reason", MAX_REASON, needed=True)
    row = session.get(DecisionRow, (system_id, kind, about, object_id), with_for_update=True)
    rows.check_version(row.version if row else 0, expected_version)
    if row is None:
        row = DecisionRow(system_id=system_id, kind=kind, subject=about, object_id=object_id, version=0)
        session.add(row)
    before = row.value if row.version else ""
    row.value, row.reason = _value(kind, about, value.strip()), words
    row.decided_by, row.decided_at, row.version = who.name, clock.now(), row.version + 1
    session.flush()
    detail = {"kind": kind, "subject": about, "object": object_id, "value": row.value, "reason": words}
    _step(session, who, row, before, row.value, words)
    audit.append(session, who.actor, "assessment.decide", "mlps_system", system_id, detail=detail)
    return _record(row)


def withdraw(
    session: Session, who: Principal, system_id: int, kind: str, subject: str, reason: str, *,
    object_id: int = 0, expected_version: int | None = None,
) -> None:  # fmt: skip
    """It holds no more. Raises NotFound, Invalid, Stale."""
    rows.find_system(session, system_id, for_update=True)
    row = session.get(DecisionRow, (system_id, kind[:16], subject[:64], object_id), with_for_update=True)
    if row is None:
        raise NotFound("there is no such decision")
    rows.check_version(row.version, expected_version)
    words = text(reason, "reason", MAX_REASON, needed=True)
    detail = {"kind": kind, "subject": row.subject, "object": object_id, "value": row.value, "reason": words}
    _step(session, who, row, row.value, "", words)
    session.delete(row)
    session.flush()
    audit.append(session, who.actor, "assessment.withdraw", "mlps_system", system_id, detail=detail)


def history(session: Session, system_id: int, subject: str = "", *, kind: str = "", limit: int = MAX_STEPS) -> list[DecisionTaken]:
    """What was decided about ``subject`` of a system ("" = everything), newest first. Raises NotFound."""
    rows.find_system(session, system_id)
    query = select(DecisionStep).where(DecisionStep.system_id == system_id)
    if subject:
        query = query.where(DecisionStep.subject == subject[:64])
    if kind:
        query = query.where(DecisionStep.kind == kind)
    query = query.order_by(DecisionStep.id.desc()).limit(max(1, min(limit, MAX_STEPS)))
    return [
        DecisionTaken(row.kind, row.subject, row.object_id, row.value, row.previous, row.reason, row.decided_by, row.decided_at)
        for row in session.execute(query).scalars()
    ]


def _step(session: Session, who: Principal, row: DecisionRow, before: str, value: str, words: str) -> None:
    session.add(
        DecisionStep(
            system_id=row.system_id, kind=row.kind, subject=row.subject, object_id=row.object_id, value=value, previous=before,
            reason=words, decided_by=who.name[:160], decided_at=clock.now(),
        )
    )  # fmt: skip


def _check_subject(session: Session, system_id: int, kind: str, subject: str, object_id: int) -> None:
    if kind in ("compensation", "risk", "importance"):
        place = places().get(subject)
        if place is None or place.standard != MLPS:
            raise Invalid(f"there is no item {subject[:24]!r}", field="subject")
    if kind in ("compensation", "risk"):
        judged = select(VerdictRow.item).where(VerdictRow.system_id == system_id, VerdictRow.item == subject)
        if object_id:
            rows.find_object(session, system_id, object_id)
            judged = judged.where(VerdictRow.object_id == object_id)
        if session.execute(judged.limit(1)).first() is None:
            raise Invalid(f"the item {subject} has no verdict", "what people decide is about a verdict", field="subject")
    if kind == "hazard" and subject not in {hazard.id for hazard in high_risk_guide(2025).hazards}:
        raise Invalid(f"there is no trigger {subject[:24]!r}", "A-01 to A-32", field="subject")
    if kind == "crypto_lowered" and (subject not in places() or places()[subject].standard != CRYPTO):
        raise Invalid(f"there is no unit {subject[:24]!r}", "6.1.1 to 7.4.3", field="subject")


def _value(kind: str, subject: str, value: str) -> str:
    if kind == "compensation" or (kind == "setting" and subject == "technical"):
        if not _SHARE.fullmatch(value):
            raise Invalid(f"{value[:40]!r} is no number from 0 to 1", "write 0.5, with 6 decimal places at most", field="value")
        return value
    if kind == "setting":
        try:
            msgspec.convert({subject: value}, Settings)
        except msgspec.ValidationError as error:
            raise Invalid(f"setting {subject[:40]}: {str(error)[:200]}", field="value") from error
        return value
    return choice(value, "value", _VALUES[kind])


def _record(row: DecisionRow) -> Decision:
    return Decision(
        row.kind, row.subject, row.object_id, row.value, row.reason, row.decided_by, row.decided_at, row.version
    )  # fmt: skip
