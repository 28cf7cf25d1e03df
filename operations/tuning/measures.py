"""Exceptions and switched-off rules: proposed, decided on by somebody else, ended.

The rules, each held here and nowhere else:
- an exception is proposed by who works on alerts and approved by a security administrator who neither proposed nor owns it;
- one that would have hidden true positives is approved only by who confirms that expressly;
- a security administrator switches rules off and on; switching off one of level high or critical needs a second one;
- an exception ends after at most MAX_DAYS; whoever owns or proposed it may lift it before, and any security administrator;
- only accounts without a scope do any of this (permissions.CITY_WIDE): a rule speaks for the whole city.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.detection import level_rank
from kernel.rule_tuning.condition import MOST_CONDITIONS, Condition, problem_of
from operations import clock, written
from operations.accounts.models import User
from operations.accounts.permissions import PERMISSIONS
from operations.accounts.schema import DAY, Principal
from operations.alerts.models import Alert
from operations.audit import service as audit
from operations.audit.schema import SYSTEM, Actor
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.tuning import figures
from operations.tuning.models import RuleMeasure
from operations.tuning.preview import DAYS as PREVIEW_DAYS
from operations.tuning.preview import preview
from operations.tuning.schema import MeasureRecord, Proposal

PROPOSE, DECIDE, READ = "tuning.propose", "tuning.decide", "tuning.read"
MAX_DAYS = 365
MAX_REASON = 2000
MOST_OF_A_RULE = 50
MOST_IN_FORCE = 5000
FOUR_EYES = level_rank("high")
_LIVING = ("proposed", "active")


def propose(session: Session, who: Principal, wanted: Proposal) -> MeasureRecord:
    """Propose an exception, or that a rule is switched off; switching off a rule below high takes effect at once.

    Raises Denied, Invalid, Conflict.
    """
    off = not wanted.conditions
    _need(who, DECIDE if off else PROPOSE)
    _check_engine(session, wanted)
    reason = written.text(wanted.reason, "reason", MAX_REASON, needed=True)
    conditions = () if off else _conditions(wanted.conditions)
    expires_at = _expiry(wanted.expires_at, needed=not off)
    owner = _owner(session, wanted.owner or who.name)
    _room(session, wanted.rule_id, conditions, off=off)
    row = RuleMeasure(
        kind="off" if off else "exception",
        state="proposed",
        rule_id=wanted.rule_id,
        rule_name=wanted.rule_name[:512],
        level=wanted.level[:16],
        conditions=json.dumps([msgspec.to_builtins(one) for one in conditions], ensure_ascii=False),
        reason=reason,
        owner=owner,
        expires_at=expires_at,
        source_alert=wanted.source_alert,
        proposer_id=who.user_id,
        proposed_by=who.actor.name[:160],
        proposed_at=clock.now(),
        decided_by="",
        decision="",
        ended_by="",
        ending="",
        version=1,
    )
    session.add(row)
    if off and level_rank(wanted.level) < FOUR_EYES:
        row.state, row.decided_by, row.decided_at = "active", row.proposed_by, row.proposed_at
    session.flush()
    _tell(session, who.actor, row, "rule.off" if row.state == "active" else "rule.propose")
    return record_of(row)


def approve(
    session: Session,
    who: Principal,
    measure_id: int,
    *,
    expected_version: int | None,
    confirm_true_positives: bool = False,
    note: str = "",
) -> MeasureRecord:
    """Let it take effect. Raises Denied (to who proposed or owns it), Conflict (unconfirmed true positives), Stale, NotFound."""
    row = _open(session, who, measure_id, expected_version)
    _need(who, DECIDE)
    if row.proposer_id == who.user_id or row.owner == who.name:
        raise Denied("a second person has to approve this", "ask another security administrator: not who proposed it or owns it")
    if row.expires_at and row.expires_at <= clock.now():
        raise Conflict("it would have ended already", "refuse it and let it be proposed anew")
    row.true_positives = true_positives(session, record_of(row))
    if row.true_positives and not confirm_true_positives:
        raise Conflict(
            f"it would have hidden {row.true_positives} true positives of the last {PREVIEW_DAYS} days",
            "refuse it, or confirm that these may be hidden",
        )
    row.decision = written.text(note, "note", MAX_REASON)
    _decide(row, who, "active")
    session.flush()
    _tell(session, who.actor, row, "rule.off" if row.kind == "off" else "rule.approve")
    return record_of(row)


def refuse(session: Session, who: Principal, measure_id: int, *, expected_version: int | None, note: str) -> MeasureRecord:
    """Refuse a proposal (saying why), or withdraw one's own. Raises Denied, Conflict, Stale, Invalid, NotFound."""
    row = _open(session, who, measure_id, expected_version)
    own = row.proposer_id == who.user_id
    if not own:
        _need(who, DECIDE)
    row.decision = written.text(note, "note", MAX_REASON, needed=not own)
    _decide(row, who, "withdrawn" if own else "refused")
    session.flush()
    _tell(session, who.actor, row, "rule.refuse")
    return record_of(row)


def lift(session: Session, who: Principal, measure_id: int, *, expected_version: int | None, note: str) -> MeasureRecord:
    """End what is in force: the exception is lifted, the rule is on again. Raises Denied, Conflict, Stale, Invalid, NotFound."""
    row = _locked(session, who, measure_id, expected_version)
    if row.state != "active":
        raise Conflict("it is not in force", "load the page again")
    own = row.kind == "exception" and who.may(PROPOSE) and (row.owner == who.name or row.proposer_id == who.user_id)
    if not own:
        _need(who, DECIDE)
    row.ending = written.text(note, "note", MAX_REASON, needed=True)
    row.state, row.ended_by, row.ended_at, row.version = "lifted", who.actor.name[:160], clock.now(), row.version + 1
    session.flush()
    _tell(session, who.actor, row, "rule.on" if row.kind == "off" else "rule.lift")
    return record_of(row)


def expire_due(session: Session) -> int:
    """End what has come to its end; for the scheduler. (Workers look at the clock themselves.)"""
    now = clock.now()
    query = select(RuleMeasure).where(RuleMeasure.state == "active", RuleMeasure.expires_at <= now)
    ended = session.execute(query.order_by(RuleMeasure.id).limit(500).with_for_update()).scalars().all()
    for row in ended:
        row.state, row.ended_by, row.ended_at, row.version = "expired", SYSTEM.name, now, row.version + 1
        _tell(session, SYSTEM, row, "rule.expire")
    return len(ended)


def true_positives(session: Session, measure: MeasureRecord) -> int:
    """How many true positives of the last 30 days it would have hidden."""
    if measure.kind == "off":
        return figures.of_rule(session, measure.rule_id, PREVIEW_DAYS).true_positives
    return preview(session, measure.rule_id, measure.conditions).true_positives


def conditions_of(pairs: Sequence[Any]) -> tuple[Condition, ...]:
    """Conditions out of JSON objects."""
    return tuple(Condition(one["field"], one["operator"], one["value"]) for one in pairs)


def record_of(row: RuleMeasure) -> MeasureRecord:
    """The record of a row."""
    values = {name: getattr(row, name) for name in MeasureRecord.__struct_fields__}
    return MeasureRecord(**{**values, "conditions": conditions_of(json.loads(row.conditions))})


def check_conditions(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """1 to MOST_CONDITIONS different ones. Raises Invalid."""
    return _conditions(conditions)


def _conditions(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    found = tuple(dict.fromkeys(Condition(one.field.strip(), one.operator, one.value) for one in conditions))
    if not 1 <= len(found) <= MOST_CONDITIONS:
        raise Invalid(f"an exception has 1 to {MOST_CONDITIONS} conditions", field="conditions")
    for number, condition in enumerate(found, 1):
        if problem := problem_of(condition):
            raise Invalid(f"condition {number}: {problem}", field="conditions")
    return found


def _expiry(text: str, *, needed: bool) -> str | None:
    found = written.moment(text, "expires_at")
    now = clock.now()
    if found is None:
        if needed:
            raise Invalid("expires_at is missing", f"an exception ends after at most {MAX_DAYS} days", field="expires_at")
        return None
    if not now < found <= clock.shift(now, MAX_DAYS * DAY):
        raise Invalid(f"it ends within {MAX_DAYS} days from now", field="expires_at")
    return found


def _owner(session: Session, name: str) -> str:
    user = session.execute(
        select(User.role, User.organisations, User.zones).where(User.name == name, User.active, User.removed_at.is_(None))
    ).one_or_none()
    if (
        user is None
        or READ not in PERMISSIONS.get(user.role, frozenset())
        or json.loads(user.organisations or "[]")
        or json.loads(user.zones or "[]")
    ):
        raise Invalid(f"{name[:64]!r} cannot own an exception", "an active account that may see the tuning of rules", field="owner")
    return name


def _room(session: Session, rule_id: str, conditions: tuple[Condition, ...], *, off: bool) -> None:
    living = select(RuleMeasure).where(RuleMeasure.rule_id == rule_id, RuleMeasure.state.in_(_LIVING))
    rows = [record_of(row) for row in session.execute(living.limit(MOST_OF_A_RULE + 1)).scalars()]
    if off and any(row.kind == "off" for row in rows):
        raise Conflict("this rule is off already, or that is proposed", "load the page again")
    if not off and any(set(row.conditions) == set(conditions) for row in rows):
        raise Conflict("there is such an exception already, in force or proposed", "load the list again")
    if len(rows) >= MOST_OF_A_RULE:
        raise Conflict(f"a rule has at most {MOST_OF_A_RULE} exceptions", "mend the rule itself instead")
    total = select(func.count()).select_from(
        select(RuleMeasure.id).where(RuleMeasure.state.in_(_LIVING)).limit(MOST_IN_FORCE).subquery()
    )
    if session.execute(total).scalar_one() >= MOST_IN_FORCE:
        raise Conflict(f"at most {MOST_IN_FORCE} exceptions are in force or proposed", "lift some first")


def _check_engine(session: Session, wanted: Proposal) -> None:
    """A measure holds back what the worker detects; said of anything else it would stand there as in force and do nothing.

    What is not loaded ("") is known by its newest alert.
    """
    newest = select(Alert.engine).where(Alert.rule_id == wanted.rule_id).order_by(Alert.last_seen.desc(), Alert.id.desc()).limit(1)
    engine = wanted.engine or session.execute(newest).scalar_one_or_none()
    if engine == "platform":
        raise Invalid("this is no rule of the detection: the platform itself raises it", "mend what it warns of", field="rule")
    if engine == "search":
        raise Invalid("this is no rule of the detection: a scheduled search raises it", "stop or change the search", field="rule")
    if engine == "inbound":
        raise Invalid("this is no rule of the detection: another system raises it", "suppress its alerts", field="rule")


def _need(who: Principal, permission: str) -> None:
    if not who.may(permission):
        raise Denied(f"this needs the permission {permission}")


def _locked(session: Session, who: Principal, measure_id: int, expected_version: int | None) -> RuleMeasure:
    if not (who.may(READ) or who.may(PROPOSE) or who.may(DECIDE)):
        raise Denied(f"this needs the permission {READ}")
    row = session.get(RuleMeasure, measure_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no exception {measure_id}")
    if expected_version is not None and row.version != expected_version:
        raise Stale("somebody else changed it in the meantime", "load it again and decide once more")
    return row


def _open(session: Session, who: Principal, measure_id: int, expected_version: int | None) -> RuleMeasure:
    row = _locked(session, who, measure_id, expected_version)
    if row.state != "proposed":
        raise Conflict("this was decided on already", "load the page again")
    return row


def _decide(row: RuleMeasure, who: Principal, state: str) -> None:
    row.state, row.decided_by, row.decided_at, row.version = state, who.actor.name[:160], clock.now(), row.version + 1


def _tell(session: Session, actor: Actor, row: RuleMeasure, action: str) -> None:
    detail: dict[str, Any] = {"measure": row.id, "kind": row.kind, "state": row.state, "level": row.level, "reason": row.reason}
    detail |= {"conditions": json.loads(row.conditions), "expires_at": row.expires_at, "proposed_by": row.proposed_by}
    detail |= {name: value for name in ("decision", "ending") if (value := getattr(row, name))}
    if row.true_positives:
        detail["true_positives"] = row.true_positives
    audit.append(session, actor, action, "rule", row.rule_id[:128], detail=detail)
