"""Triggers: what people do with them. What they do by themselves is in ``evaluate``.

A trigger is made switched off; somebody who may release playbooks, and did not write it, switches it on. Changing what it is
switches it off again. From the moment it is switched on it looks at what comes, never at what lies there already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations import clock, written
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.inbound.models import InboundSource
from playbooks.rights import EDIT, RELEASE, need, wrote
from playbooks.run.journal import playbook_of
from playbooks.shelf import rows as shelf_rows
from playbooks.shelf.models import ShelfPlaybook
from playbooks.shelf.reading import document
from playbooks.triggers.conditions import ScheduleCondition, WebhookCondition, kept_condition, read_condition, write_condition
from playbooks.triggers.models import KINDS, PlaybookTrigger
from playbooks.triggers.schedule import next_due
from playbooks.triggers.schema import Definition, Trigger, TriggerPage
from playbooks.triggers.sources import last_id
from playbooks.triggers.templates import check_template
from playbooks.vocabulary import is_variable_name

MOST = 500
MOST_VARIABLES = 64
LONGEST_THROTTLE = 30 * 86_400
MOST_PER_HOUR = 1_000
MAX_NAME = 128
OT = "__ot__"
MAX_PAGE = 500
_SAME = (
    "id", "enabled", "author", "enabled_by", "due_at", "started", "throttled", "limited", "looped", "failed", "last_at",
    "last_run_id", "last_error", "created_at", "updated_at", "revision",
)  # fmt: skip


def create(session: Session, who: Principal, wanted: Definition) -> Trigger:
    """Make a trigger, switched off. Raises Denied, Invalid (``field`` names the place), NotFound (the playbook), Conflict."""
    need(who, EDIT)
    values = _checked(session, wanted)
    if session.execute(select(func.count()).select_from(PlaybookTrigger)).scalar_one() >= MOST:
        raise Conflict(f"there are {MOST} triggers already", "remove one that is not used")
    present = clock.now()
    row = PlaybookTrigger(
        **values, enabled=False, author=who.actor.name[:160], enabled_by="", mark=0, due_at="", hour_start="", hour_count=0,
        started=0, throttled=0, limited=0, looped=0, failed=0, last_at="", last_run_id=None, last_error="",
        created_at=present, updated_at=present, revision=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _tell(session, who, "playbook.trigger_create", row, values)
    return record(row)


def change(session: Session, who: Principal, trigger_id: int, wanted: Definition, revision: int | None) -> Trigger:
    """Let it be something else; switched off by that, and ``who`` its author. Raises as ``create``, and Stale."""
    need(who, EDIT)
    row = _locked(session, trigger_id, revision)
    values = _checked(session, wanted)
    before = {name: getattr(row, name) for name in values if getattr(row, name) != values[name]}
    if before:
        for name, value in values.items():
            setattr(row, name, value)
        row.author, row.enabled, row.enabled_by, row.due_at, row.last_error = who.actor.name[:160], False, "", "", ""
        _grow(row)
        told = {"before": before, "after": {name: values[name] for name in before}}
        _tell(session, who, "playbook.trigger_change", row, told)
    return record(row)


def set_enabled(session: Session, who: Principal, trigger_id: int, enabled: bool, revision: int | None) -> Trigger:
    """Switch it on (RELEASE, and not its author) or off (also EDIT).

    Raises Denied, NotFound, Stale; Conflict where nothing of its playbook is in force; Invalid where that has no such variable.
    """
    need(who, *((RELEASE,) if enabled else (RELEASE, EDIT)))
    row = _locked(session, trigger_id, revision)
    if row.enabled == enabled:
        return record(row)
    if enabled:
        if wrote(who, row.author):
            raise Denied("a second person has to switch this trigger on", "ask somebody who did not write it")
        _check_startable(session, row)
        _begin(session, row)
    row.enabled, row.enabled_by = enabled, who.actor.name[:160] if enabled else ""
    _grow(row)
    _tell(session, who, "playbook.trigger_on" if enabled else "playbook.trigger_off", row, {"author": row.author})
    return record(row)


def remove(session: Session, who: Principal, trigger_id: int, revision: int | None) -> None:
    """Remove a trigger; its runs stay. Raises Denied, NotFound, Stale."""
    need(who, EDIT)
    row = _locked(session, trigger_id, revision)
    _tell(session, who, "playbook.trigger_remove", row, {"kind": row.kind, "playbook": row.playbook_id})
    session.delete(row)
    session.flush()


def get(session: Session, trigger_id: int) -> Trigger:
    """One trigger. Raises NotFound."""
    row = session.get(PlaybookTrigger, trigger_id)
    if row is None:
        raise NotFound(f"there is no trigger {trigger_id}")
    return record(row)


def listing(
    session: Session, *, playbook_id: str = "", kind: str = "", enabled: bool | None = None, after: str = "", limit: int = 50
) -> TriggerPage:
    """A page, newest first. ``after`` is the cursor of the page before. Raises Invalid."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(PlaybookTrigger).order_by(PlaybookTrigger.id.desc()).limit(limit + 1)
    if playbook_id:
        query = query.where(PlaybookTrigger.playbook_id == playbook_id)
    if kind:
        query = query.where(PlaybookTrigger.kind == written.choice(kind, "kind", KINDS))
    if enabled is not None:
        query = query.where(PlaybookTrigger.enabled.is_(enabled))
    if after:
        if not (after.isascii() and after.isdecimal() and len(after) <= 18):
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(PlaybookTrigger.id < int(after))
    found = [record(row) for row in session.execute(query).scalars()]
    return TriggerPage(found[:limit], str(found[limit - 1].id) if len(found) > limit else "")


def record(row: PlaybookTrigger) -> Trigger:
    """As a record."""
    definition = Definition(
        name=row.name,
        playbook_id=row.playbook_id,
        kind=row.kind,
        condition=msgspec.json.decode(row.condition),
        variables=msgspec.json.decode(row.variables),
        throttle_seconds=row.throttle_seconds,
        most_per_hour=row.most_per_hour,
    )
    return Trigger(definition=definition, **{name: getattr(row, name) for name in _SAME})


def _checked(session: Session, wanted: Definition) -> dict[str, Any]:
    """Columns of a definition. Raises Invalid, NotFound."""
    condition = read_condition(wanted.kind, wanted.condition)
    if isinstance(condition, WebhookCondition) and session.get(InboundSource, condition.source) is None:
        raise Invalid(f"there is no inbound source {condition.source}", field="condition.source")
    if session.get(ShelfPlaybook, wanted.playbook_id) is None:
        raise Invalid(f"there is no playbook {wanted.playbook_id[:160]}", field="playbook_id")
    if not 0 <= wanted.throttle_seconds <= LONGEST_THROTTLE:
        raise Invalid("throttle_seconds is 0 to 30 days", field="throttle_seconds")
    if not 1 <= wanted.most_per_hour <= MOST_PER_HOUR:
        raise Invalid(f"most_per_hour is 1 to {MOST_PER_HOUR:,}", field="most_per_hour")
    _check_variables(wanted)
    return {
        "name": written.name(wanted.name, "name", MAX_NAME),
        "playbook_id": wanted.playbook_id,
        "kind": wanted.kind,
        "condition": write_condition(condition),
        "variables": msgspec.json.encode(wanted.variables).decode(),
        "throttle_seconds": wanted.throttle_seconds,
        "most_per_hour": wanted.most_per_hour,
    }


def _check_variables(wanted: Definition) -> None:
    if len(wanted.variables) > MOST_VARIABLES:
        raise Invalid(f"at most {MOST_VARIABLES} variables", field="variables")
    if OT in wanted.variables and wanted.kind != "schedule":
        raise Invalid(f"whether it is a plant says the zone plan, not the trigger: {OT}", "leave it out", field=f"variables.{OT}")
    for name, template in wanted.variables.items():
        if not is_variable_name(name):
            raise Invalid(f"{name[:80]!r} is no name of a variable", "for example __address__", field="variables")
        try:
            check_template(template)
        except Invalid as error:
            raise Invalid(error.message, error.hint, field=f"variables.{name}") from error


def _check_startable(session: Session, row: PlaybookTrigger) -> None:
    shelved = shelf_rows.found(session, row.playbook_id)
    if shelved.released is None or not shelved.enabled:
        raise Conflict(f"nothing of the playbook {shelved.name!r} is in force", "release a version of it first")
    known = playbook_of(document(session, row.playbook_id, shelved.released)).playbook_variables
    for name in msgspec.json.decode(row.variables, type=dict[str, str]):
        if name not in known or not known[name].external:
            raise Invalid(f"the playbook takes no value for {name}", "change the trigger", field=f"variables.{name}")


def _begin(session: Session, row: PlaybookTrigger) -> None:
    """From now on."""
    condition = kept_condition(row.kind, row.condition)
    row.due_at = next_due(condition, clock.now()) if isinstance(condition, ScheduleCondition) else ""
    row.mark = last_id(session, row.kind)
    row.hour_start, row.hour_count, row.last_error = "", 0, ""


def _locked(session: Session, trigger_id: int, revision: int | None) -> PlaybookTrigger:
    row = session.get(PlaybookTrigger, trigger_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no trigger {trigger_id}")
    if revision is not None and row.revision != revision:
        raise Stale("this trigger was changed meanwhile", "read it again and decide once more")
    return row


def _grow(row: PlaybookTrigger) -> None:
    row.revision += 1
    row.updated_at = clock.now()


def _tell(session: Session, who: Principal, act: str, row: PlaybookTrigger, detail: Mapping[str, Any]) -> None:
    session.flush()
    audit.append(session, who.actor, act, "playbook_trigger", row.id, detail={"name": row.name, **detail})
