"""Warnings in the webhook outbox: written in the transaction of the act, filtered by the level that a warning counts as."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy.orm import Session

from operations.warnings.levels import ALERT_LEVELS
from operations.warnings.models import WarningReceipt, WarningRow
from operations.warnings.numbering import told
from operations.warnings.schema import TEXTS
from operations.webhooks.outbox import announce

PUBLISHED = "warning.published"
ADJUSTED = "warning.adjusted"
LIFTED = "warning.lifted"
OVERDUE = "warning.overdue"


def bulletin(session: Session, event_type: str, row: WarningRow, **more: str) -> int:
    """The whole bulletin; returns the number of messages."""
    data: dict[str, Any] = {
        **_head(row),
        **{name: getattr(row, name) for name in ("importance", "harm", *TEXTS)},
        "organisations": orjson.loads(row.organisations),
        "zones": orjson.loads(row.zones),
        "published_at": row.published_at,
        **more,
    }
    return announce(session, event_type, data, level=ALERT_LEVELS[row.level])


def overdue(session: Session, row: WarningRow, receipt: WarningReceipt, step: str) -> int:
    """That an organisation is late with ``step``."""
    moment = receipt.receipt_due if step == "receipt" else receipt.feedback_due
    data = {**_head(row), "organisation": receipt.organisation, "step": step, "due_at": moment, "sent_at": receipt.sent_at}
    return announce(session, OVERDUE, data, level=ALERT_LEVELS[row.level])


def _head(row: WarningRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": told(row.year, row.number, row.edition),
        "title": row.title,
        "level": row.level,
        "status": row.status,
        "edition": row.edition,
    }
