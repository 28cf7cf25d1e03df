"""The outbox: messages are written in the transaction of their cause, so an alert that exists is announced, and no other."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from kernel.detection import LEVELS
from operations import clock
from operations.webhooks import routing
from operations.webhooks.models import WebhookDelivery, WebhookTarget
from operations.webhooks.places import places_of
from operations.webhooks.routing import Matter, Routing

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
    """Queue ``alert.created`` for every enabled target whose level and rules let it through; returns the number of messages.

    alerts  rows with the column names of the table ``alerts``
    """
    targets = _targets(session) if alerts else []
    rows = [
        row
        for alert in alerts
        for row in _rows(session, targets, ALERT_CREATED, _alert_data(alert), LEVELS[min(alert["level_rank"], len(LEVELS) - 1)])
    ]
    if rows:
        session.connection().execute(insert(WebhookDelivery), rows)
    return len(rows)


def announce(session: Session, event_type: str, data: Mapping[str, Any], *, level: str = "") -> int:
    """Queue one message in the caller's transaction for every enabled target that takes it by level and rules; returns how many.

    level  what the event counts as; "" = something that has none, and passes every least level
    """
    session.flush()
    rows = _rows(session, _targets(session), event_type, data, level)
    if rows:
        session.connection().execute(insert(WebhookDelivery), rows)
    return len(rows)


def _targets(session: Session) -> list[tuple[WebhookTarget, Routing]]:
    targets = session.execute(select(WebhookTarget).where(WebhookTarget.enabled)).scalars()
    return [(target, routing.read(target.routing)) for target in targets]


def _rows(
    session: Session, targets: Sequence[tuple[WebhookTarget, Routing]], event_type: str, data: Mapping[str, Any], level: str
) -> list[dict[str, Any]]:
    places = functools.cache(lambda: places_of(session, event_type, data))
    matter, present, rows = Matter(event_type, level, places), clock.now(), []
    for target, rules in targets:
        due_at = routing.due(rules, target.min_level, matter, present)
        if due_at is not None:
            rows.append(delivery_row(target.id, event_type, data, level) | {"due_at": due_at})
    return rows


def delivery_row(target_id: int, event_type: str, data: Mapping[str, Any], level: str = "") -> dict[str, Any]:
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
        "level": level,
    }


def _alert_data(alert: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: alert[name] for name in _ANNOUNCED}
    return shown | {"user": alert["user_name"], "tags": orjson.loads(alert["tags"])}
