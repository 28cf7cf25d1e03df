"""The outbox: messages are written in the transaction of their cause, so an alert that exists is announced, and no other."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from kernel.detection import level_rank
from operations import clock
from operations.webhooks.models import WebhookDelivery, WebhookTarget

ALERT_CREATED = "alert.created"
TEST = "webhook.test"

_ANNOUNCED = (
    "id",
    "rule_id",
    "rule_name",
    "engine",
    "level",
    "status",
    "count",
    "first_seen",
    "last_seen",
    "created_at",
    "host",
    "source_ip",
    "destination_ip",
    "dataset",
)


def announce_alerts(session: Session, alerts: Sequence[Mapping[str, Any]]) -> int:
    """Queue ``alert.created`` for every enabled target whose level is reached; returns the number of messages.

    alerts  rows with the column names of the table ``alerts``
    """
    if not alerts:
        return 0
    targets = list(session.execute(select(WebhookTarget).where(WebhookTarget.enabled)).scalars())
    rows = [
        delivery_row(target.id, ALERT_CREATED, _alert_data(alert))
        for target in targets
        for alert in alerts
        if alert["level_rank"] >= level_rank(target.min_level)
    ]
    if rows:
        session.connection().execute(insert(WebhookDelivery), rows)
    return len(rows)


def announce(session: Session, event_type: str, data: Mapping[str, Any], *, level: str = "") -> int:
    """Queue one message in the caller's transaction for every enabled target whose level is reached; returns how many.

    level  what the event counts as; "" = something that has none, and goes to all targets
    """
    session.flush()
    targets = session.execute(select(WebhookTarget).where(WebhookTarget.enabled)).scalars().all()
    reached = [target for target in targets if not level or level_rank(level) >= level_rank(target.min_level)]
    rows = [delivery_row(target.id, event_type, data) for target in reached]
    if rows:
        session.connection().execute(insert(WebhookDelivery), rows)
    return len(rows)


def delivery_row(target_id: int, event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """A pending delivery, due now. The body is fixed here: all attempts send the same bytes under the same id."""
    present = clock.now()
    return {
        "target_id": target_id,
        "message_id": "msg_" + secrets.token_hex(16),
        "event_type": event_type,
        "body": orjson.dumps({"type": event_type, "timestamp": present, "data": data}).decode(),
        "status": "pending",
        "attempts": 0,
        "due_at": present,
        "created_at": present,
        "finished_at": None,
    }


def _alert_data(alert: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: alert[name] for name in _ANNOUNCED}
    return shown | {"user": alert["user_name"], "tags": orjson.loads(alert["tags"])}
