"""The review after an incident: what was learnt, in the words of the closing report, and what follows from it."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, Stale
from operations.incidents.models import ACTION_STATES, ImprovementAction, IncidentReview
from operations.incidents.parts import part
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import Action, Review
from operations.incidents.texts import LONG, SHORT, TITLE, line, moment, text
from operations.incidents.timeline import tell

FIELDS: tuple[str, ...] = ("root_cause", "measures", "harm", "responsibility", "lessons")
MAX_ACTIONS = 100


def get_review(session: Session, incident_id: int) -> Review:
    """The review, version 0 where nobody has written one. Raises NotFound."""
    get_incident(session, incident_id)
    row = session.get(IncidentReview, incident_id)
    return Review() if row is None else Review(*(getattr(row, name) for name in Review.__struct_fields__))


def write_review(
    session: Session, actor: Actor, incident_id: int, review: Review, *, expected_version: int | None = None
) -> Review:
    """Write the review anew; its own ``changed_*`` and version count for nothing. Raises NotFound, Invalid, Conflict (closed)."""
    held(session, incident_id)
    row = session.get(IncidentReview, incident_id, with_for_update=True, populate_existing=True)
    if expected_version is not None and expected_version != (row.version if row else 0):
        raise Stale("the review was changed by somebody else", "reload it and decide again")
    wanted = {name: text(getattr(review, name), name, LONG) for name in FIELDS}
    if row is None:
        row = IncidentReview(incident_id=incident_id, version=0, changed_at="", changed_by="", **dict.fromkeys(FIELDS, ""))
        session.add(row)
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, wanted[name])
        row.changed_at, row.changed_by, row.version = clock.now(), actor.name[:160], row.version + 1
        tell(session, actor, incident_id, "review", {})
        audit.append(session, actor, "incident.review", "incident", incident_id, detail={"fields": changed})
    session.flush()
    return get_review(session, incident_id)


def list_actions(session: Session, incident_id: int) -> list[Action]:
    """In the order in which they were agreed. Raises NotFound."""
    get_incident(session, incident_id)
    query = select(ImprovementAction).where(ImprovementAction.incident_id == incident_id).order_by(ImprovementAction.id)
    return [_record(row) for row in session.execute(query).scalars()]


def add_action(session: Session, actor: Actor, incident_id: int, title: str, *, owner: str = "", due_at: str = "") -> Action:
    """Agree on an action; also of a closed incident, whose actions go on. Raises NotFound, Invalid, Conflict."""
    held(session, incident_id, open_=False)
    count = select(func.count()).select_from(ImprovementAction).where(ImprovementAction.incident_id == incident_id)
    if session.execute(count).scalar_one() >= MAX_ACTIONS:
        raise Conflict(f"a review has at most {MAX_ACTIONS} actions")
    row = ImprovementAction(
        incident_id=incident_id, title=line(title, "title", TITLE, needed=True), owner=line(owner, "owner", SHORT),
        due_at=moment(due_at, "due_at"), status="open", created_at=clock.now(), created_by=actor.name[:160], version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    tell(session, actor, incident_id, "action_added", {"title": row.title})
    audit.append(session, actor, "incident.action", "incident", incident_id, detail={"action": row.id, "title": row.title})
    return _record(row)


def change_action(
    session: Session, actor: Actor, incident_id: int, action_id: int, status: str, *, expected_version: int | None = None
) -> Action:
    """Done, dropped or open again. Raises NotFound, Invalid, Conflict."""
    held(session, incident_id, open_=False)
    row = part(session, ImprovementAction, "action", incident_id, action_id, expected_version)
    if status not in ACTION_STATES:
        raise Invalid(f"there is no state {status[:16]!r}", f"one of {', '.join(ACTION_STATES)}", field="status")
    if row.status != status:
        before, row.status, row.version = row.status, status, row.version + 1
        tell(session, actor, incident_id, "action_state", {"title": row.title, "status": status})
        detail = {"action": action_id, "before": before, "after": status}
        audit.append(session, actor, "incident.action", "incident", incident_id, detail=detail)
    session.flush()
    return _record(row)


def _record(row: ImprovementAction) -> Action:
    return msgspec.convert({name: getattr(row, name) for name in Action.__struct_fields__}, Action)
