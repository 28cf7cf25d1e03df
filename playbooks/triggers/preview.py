"""What a trigger would have started: how many of the alerts of the last days, before it is switched on."""

from __future__ import annotations

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from operations.alerts.models import Alert
from operations.errors import Invalid
from playbooks.triggers.alert_subjects import alerts_that_fit, new_alerts
from playbooks.triggers.conditions import AlertCondition, WebhookCondition, read_condition
from playbooks.triggers.schema import Definition

DAYS = 7
MOST = 5_000
"""Alerts that are looked at, the newest."""


class Preview(msgspec.Struct, frozen=True):
    """Of ``looked`` alerts since ``since``, ``matching`` meet the condition; ``starts`` of these are not throttled.

    The limit of an hour, and runs that would still last, are not counted in.
    """

    since: str
    looked: int
    matching: int
    starts: int


def preview(session: Session, wanted: Definition, now: str | None = None) -> Preview:
    """For the kinds alert and webhook. Raises Invalid where the condition is none, or the kind another."""
    condition = read_condition(wanted.kind, wanted.condition)
    if not isinstance(condition, AlertCondition | WebhookCondition):
        raise Invalid("only triggers of alerts and webhooks can be tried on what was there", field="kind")
    since = clock.shift(now or clock.now(), -DAYS * 86_400)
    newest = select(Alert.id, Alert.created_at).order_by(Alert.id.desc()).limit(MOST)
    made = {row.id: row.created_at for row in session.execute(newest) if row.created_at >= since}
    if not made:
        return Preview(since, 0, 0, 0)
    rows = new_alerts(session, min(made) - 1, max(made), MOST)
    subjects = alerts_that_fit(session, rows, condition)
    last: dict[str, str] = {}
    starts = 0
    for one in subjects:
        at = made[one.number]
        if one.entity not in last or last[one.entity] <= clock.shift(at, -wanted.throttle_seconds):
            last[one.entity], starts = at, starts + 1
    return Preview(since, len(rows), len(subjects), starts)
