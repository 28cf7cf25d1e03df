"""New alerts, and which of them meet a condition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.db.among import among
from kernel.detection import level_rank
from operations.alerts.models import SUPPRESSED, Alert, AlertEntity
from playbooks.triggers.conditions import AlertCondition, WebhookCondition
from playbooks.triggers.schema import Subject

_COLUMNS = (
    Alert.id, Alert.rule_id, Alert.level_rank, Alert.dataset, Alert.engine, Alert.host, Alert.user, Alert.source_ip,
    Alert.destination_ip,
)  # fmt: skip


def new_alerts(session: Session, mark: int, until: int, limit: int) -> Sequence[Any]:
    """Alerts after ``mark``, oldest first; without those that nobody is to see, and those that stand in another."""
    seen = (Alert.status != SUPPRESSED, Alert.merged_into.is_(None))
    query = select(*_COLUMNS).where(Alert.id > mark, Alert.id <= until, *seen)
    return session.execute(query.order_by(Alert.id).limit(limit)).all()


def alerts_that_fit(session: Session, rows: Sequence[Any], condition: AlertCondition | WebhookCondition) -> list[Subject]:
    """Those of ``rows`` that meet ``condition``, in their order."""
    if isinstance(condition, WebhookCondition):
        rule = f"inbound.{condition.source}."
        fitting = [row for row in rows if row.engine == "inbound" and row.rule_id.startswith(rule)]
    else:
        fitting = [row for row in rows if _fits(row, condition)]
    least = level_rank(condition.level)
    fitting = [row for row in fitting if row.level_rank >= least]
    if isinstance(condition, AlertCondition) and fitting and (condition.zones or condition.entities):
        named = _entities(session, [row.id for row in fitting])
        fitting = [row for row in fitting if _names(named[row.id], condition)]
    return [
        Subject(kind="alert", number=row.id, place=row.id, key=f"alert:{row.id}", entity=_entity(row, condition.per))
        for row in fitting
    ]


def _fits(row: Any, condition: AlertCondition) -> bool:
    if condition.rules and row.rule_id not in condition.rules:
        return False
    return not condition.datasets or row.dataset in condition.datasets


def _entities(session: Session, alert_ids: list[int]) -> dict[int, list[tuple[str, str]]]:
    query = select(AlertEntity.alert_id, AlertEntity.kind, AlertEntity.value)
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for alert_id, kind, value in session.execute(query.where(among(session, AlertEntity.alert_id, alert_ids))):
        found[alert_id].append((kind, value))
    return found


def _names(entities: list[tuple[str, str]], condition: AlertCondition) -> bool:
    if condition.zones and not any(kind == "zone" and value in condition.zones for kind, value in entities):
        return False
    return not condition.entities or any(one.fits(kind, value) for kind, value in entities for one in condition.entities)


def _entity(row: Any, per: str) -> str:
    """What an alert is counted as; the alert itself where it has no such thing."""
    named = {"host": row.host, "source_ip": row.source_ip, "user": row.user}
    if per == "":
        per = next((name for name, value in named.items() if value), "alert")
    value = {**named, "destination_ip": row.destination_ip, "rule": row.rule_id}.get(per)
    return f"{per}:{value}" if value else f"alert:{row.id}"
