"""One subject of one trigger: whether a run is started for it, and why not. The caller's transaction holds the trigger."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.errors import LiandunError, StoreError
from operations import clock
from operations.accounts.schema import Principal
from operations.webhooks.outbox import announce
from playbooks.run.journal import playbook_of
from playbooks.run.machine import ENDED
from playbooks.run.models import PlaybookRun
from playbooks.run.questions import FIRED_BY
from playbooks.shelf.prefill import facts_of
from playbooks.shelf.reading import document
from playbooks.shelf.starting import start
from playbooks.triggers.fields import fields_of
from playbooks.triggers.models import PlaybookTrigger, TriggerFiring
from playbooks.triggers.schema import Subject
from playbooks.triggers.templates import fill

HOUR = 3_600
DEEPEST = 1
"""A run that a person or an event from outside started has depth 0; what that run itself brings about may start one of depth 1."""
LIMITED, FAILED = "playbook.trigger_limited", "playbook.trigger_failed"
_RUN = re.compile(r"playbook:([0-9]{1,18})", re.ASCII)


def fire(session: Session, trigger: PlaybookTrigger, subject: Subject, present: str) -> bool:
    """Start the playbook for ``subject`` unless something speaks against it; counts what happened. True where a run was started."""
    depth = _depth(session, subject.actor)
    if depth > DEEPEST:
        trigger.looped += 1
    elif _has_its_run(session, trigger, subject.entity, present):
        trigger.throttled += 1
    elif _hour_is_full(trigger, present):
        trigger.limited += 1
        if trigger.hour_count == trigger.most_per_hour:
            reason = f"it has started {trigger.most_per_hour} runs within an hour; further ones are counted only"
            _notice(session, trigger, LIMITED, reason)
            trigger.hour_count += 1  # so that it is told once
    else:
        return _start(session, trigger, subject, depth, present)
    return False


def _start(session: Session, trigger: PlaybookTrigger, subject: Subject, depth: int, present: str) -> bool:
    try:
        with session.begin_nested():
            run_id = _started(session, trigger, subject, depth)
    except StoreError:
        raise  # nobody's fault, and over later: then everything is looked at again
    except LiandunError as error:
        trigger.failed += 1
        if not trigger.last_error:
            _notice(session, trigger, FAILED, str(error))
        trigger.last_error = f"{subject.key}: {error}"[:1_000]
        return False
    trigger.started += 1
    trigger.hour_count += 1
    trigger.last_at, trigger.last_run_id, trigger.last_error = present, run_id, ""
    session.merge(
        TriggerFiring(trigger_id=trigger.id, entity=subject.entity, playbook_id=trigger.playbook_id, run_id=run_id, at=present)
    )
    session.flush()
    return True


def _started(session: Session, trigger: PlaybookTrigger, subject: Subject, depth: int) -> int:
    facts = facts_of(session, subject.kind, str(subject.number)) if subject.number else {}
    cause: dict[str, Any] = {"kind": subject.kind, "trigger": trigger.id, "name": trigger.name, "depth": depth}
    if subject.number:
        cause["id"] = subject.number
    if subject.actor and _RUN.fullmatch(subject.actor) is None:
        cause[FIRED_BY] = subject.actor
    variables = _values(session, trigger, subject, facts)
    who = Principal(0, f"trigger:{trigger.id}", trigger.name, "analyst")
    return start(session, who, trigger.playbook_id, variables, cause, f"trigger:{trigger.id}:{subject.key}")


def _values(session: Session, trigger: PlaybookTrigger, subject: Subject, facts: dict[str, str]) -> dict[str, Any]:
    """What is known of the subject, and over that what the trigger says; what is empty is left to the playbook."""
    known = playbook_of(document(session, trigger.playbook_id)).playbook_variables
    templates = msgspec.json.decode(trigger.variables, type=dict[str, str])
    given = {name: value for name, value in facts.items() if name in known and known[name].external}
    fields = fields_of(session, subject) if templates else {}
    given |= {name: fill(template, fields) for name, template in templates.items()}
    return {name: value for name, value in given.items() if value}


def _depth(session: Session, actor: str) -> int:
    """How deep a run would be that comes of what ``actor`` did. What cannot be traced any more counts as too deep."""
    found = _RUN.fullmatch(actor)
    if found is None:
        return 0
    cause = session.execute(select(PlaybookRun.cause).where(PlaybookRun.id == int(found[1]))).scalar_one_or_none()
    if cause is None:
        return DEEPEST + 1
    depth = msgspec.json.decode(cause).get("depth", 0)
    return depth + 1 if isinstance(depth, int) else DEEPEST + 1


def _has_its_run(session: Session, trigger: PlaybookTrigger, entity: str, present: str) -> bool:
    """Whether this trigger started something for the entity not long ago, or the playbook still runs for it."""
    if trigger.throttle_seconds and trigger.kind != "schedule":  # the clock says how often
        last = session.execute(
            select(TriggerFiring.at).where(TriggerFiring.trigger_id == trigger.id, TriggerFiring.entity == entity)
        ).scalar_one_or_none()
        if last is not None and last > clock.shift(present, -trigger.throttle_seconds):
            return True
    running = (
        select(PlaybookRun.id)
        .join(TriggerFiring, TriggerFiring.run_id == PlaybookRun.id)
        .where(TriggerFiring.playbook_id == trigger.playbook_id, TriggerFiring.entity == entity, PlaybookRun.state.not_in(ENDED))
        .limit(1)
    )
    return session.execute(running).first() is not None


def _hour_is_full(trigger: PlaybookTrigger, present: str) -> bool:
    if trigger.hour_start <= clock.shift(present, -HOUR):
        trigger.hour_start, trigger.hour_count = present, 0
    return trigger.hour_count >= trigger.most_per_hour


def _notice(session: Session, trigger: PlaybookTrigger, event_type: str, reason: str) -> None:
    told = {
        "id": trigger.id,
        "name": trigger.name,
        "playbook_id": trigger.playbook_id,
        "kind": trigger.kind,
        "reason": reason[:500],
    }
    announce(session, event_type, told, level="high")
