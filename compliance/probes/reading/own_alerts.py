"""Parts about what happens: alerts that wait, messages that went out, incidents, warnings, playbooks."""

from __future__ import annotations

import orjson
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from compliance.probes.formats.platform import DAY, MOST_NAMED
from compliance.probes.formats.platform_work import AlertFact, Cases, Delivery, DrillFact, Playbooks, Queue, TargetFact
from operations import clock
from operations.alerts.models import Alert
from operations.audit.models import AuditEntry
from operations.incidents import evidence as sealed
from operations.incidents.listing import DUE
from operations.incidents.models import Incident, IncidentEvidence
from operations.incidents.timing import clocks_of
from operations.warnings.models import WarningReceipt, WarningRow
from operations.webhooks import service as webhooks
from operations.webhooks.models import WebhookDelivery

UNTOUCHED_DAYS, DELIVERY_DAYS, DRILL_DAYS = 1, 30, 366
MOST_EVIDENCE, MOST_APPROVALS = 25, 500
_SERIOUS = ("high", "critical")


def queue(session: Session, now: str) -> Queue:
    """Alerts, and those of high and critical level (crossings: of every level) that are still new after a day."""
    untouched = Alert.status == "new", Alert.created_at < clock.shift(now, -UNTOUCHED_DAYS * DAY)
    crossing = Alert.engine == "zone"

    def waiting(condition: object) -> tuple[AlertFact, ...]:
        query = select(Alert.id, Alert.rule_name, Alert.level, Alert.created_at).where(*untouched, condition)  # type: ignore[arg-type]
        return tuple(AlertFact(*row) for row in session.execute(query.order_by(Alert.created_at, Alert.id).limit(MOST_NAMED)))

    total = select(func.count()).select_from(Alert)
    return Queue(
        total=session.execute(total).scalar_one(),
        crossings=session.execute(total.where(crossing)).scalar_one(),
        waiting=waiting(Alert.level.in_(_SERIOUS)),
        waiting_crossings=waiting(crossing),
    )


def delivery(session: Session, now: str) -> Delivery:
    """Where alerts are sent to, and what became of the messages of the last 30 days."""
    since = WebhookDelivery.created_at >= clock.shift(now, -DELIVERY_DAYS * DAY)
    query = select(WebhookDelivery.status, func.count()).where(since).group_by(WebhookDelivery.status)
    ended = dict(iter(session.execute(query)))
    targets = [TargetFact(one.name, one.kind, one.enabled, one.failures) for one in webhooks.list_targets(session)]
    return Delivery(tuple(targets), ended.get("delivered", 0), ended.get("dead", 0))


def cases(session: Session, now: str) -> Cases:
    """Clocks that are over, drills of a year, answers that are late, evidence whose seal does not hold."""
    open_ = select(Incident).where(Incident.phase != "closed", Incident.drill.is_(False), Incident.merged_into.is_(None))
    late, slow = list[str](), list[str]()
    for row in session.execute(open_.where(now > DUE).limit(MOST_NAMED)).scalars():
        for one in clocks_of(session, row, now):
            if one.state == "overdue":
                (late if one.statutory else slow).append(f"{row.number} {one.key}")
    held = select(Incident).where(Incident.drill.is_(True), Incident.detected_at >= clock.shift(now, -DRILL_DAYS * DAY))
    drills = [
        DrillFact(row.number, row.title, row.detected_at, row.phase == "closed")
        for row in session.execute(held.order_by(Incident.detected_at.desc()).limit(MOST_NAMED)).scalars()
    ]
    newest = select(IncidentEvidence.id, IncidentEvidence.incident_id).order_by(IncidentEvidence.id.desc()).limit(MOST_EVIDENCE)
    looked = [sealed.verify(session, incident, number) for number, incident in session.execute(newest).all()]
    return Cases(
        at=now,
        incidents=session.execute(select(func.count()).select_from(Incident).where(Incident.drill.is_(False))).scalar_one(),
        late=tuple(late),
        slow=tuple(slow),
        drills=tuple(drills),
        unanswered=tuple(_unanswered(session, now)),
        evidence=len(looked),
        bad_evidence=tuple(f"{one.evidence}: {one.problem}" for one in looked if one.problem),
    )


def _unanswered(session: Session, now: str) -> list[str]:
    late = or_(
        WarningReceipt.received_at.is_(None) & (WarningReceipt.receipt_due < now),
        WarningReceipt.feedback_at.is_(None) & (WarningReceipt.feedback_due < now),
    )
    query = select(WarningRow.title, WarningReceipt.organisation).join(WarningReceipt, WarningReceipt.warning_id == WarningRow.id)
    query = query.where(late, WarningRow.status == "published", WarningReceipt.edition == WarningRow.edition)
    found = session.execute(query.order_by(WarningRow.id, WarningReceipt.organisation).limit(MOST_NAMED))
    return [f"{title}: {organisation}" for title, organisation in found]


def playbooks(session: Session, now: str) -> Playbooks:
    """As the audit trail tells: who put what in force, who agreed to what."""

    def entries(action: str) -> list[tuple[str, str, dict[str, object]]]:
        query = select(AuditEntry.actor, AuditEntry.object_id, AuditEntry.detail).where(AuditEntry.action == action)
        found = session.execute(query.order_by(AuditEntry.id.desc()).limit(MOST_APPROVALS))
        return [(actor, about, orjson.loads(detail)) for actor, about, detail in found]

    released, approved = entries("playbook.release"), entries("playbook.approve")
    starters = {about: actor for actor, about, _ in entries("playbook.start")}
    alone = [f"{about}: {actor} put an own version in force" for actor, about, told in released if told.get("author") == actor]
    alone += [f"{about}: {actor} agreed to an own run" for actor, about, _ in approved if starters.get(about) == actor]
    return Playbooks(len(released), len(approved), tuple(alone[:MOST_NAMED]))
