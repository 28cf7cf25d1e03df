"""Events of the operation rooms for webhooks: every enabled target gets them, whatever its least alert level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from operations.webhooks.models import WebhookDelivery, WebhookTarget
from operations.webhooks.outbox import delivery_row


def announce(session: Session, event_type: str, data: Mapping[str, Any]) -> int:
    """Queue one message a target in the caller's transaction; returns how many. ``data`` holds no secret and no long text."""
    targets = session.execute(select(WebhookTarget.id).where(WebhookTarget.enabled)).scalars().all()
    if targets:
        session.connection().execute(insert(WebhookDelivery), [delivery_row(one, event_type, data) for one in targets])
    return len(targets)
