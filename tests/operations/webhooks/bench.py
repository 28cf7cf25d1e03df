"""A database with targets, messages and a sender whose clock may be pushed on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from crypto.secret import MasterKey
from kernel.db import Database
from operations import clock
from operations.accounts.schema import Principal
from operations.webhooks import sender, service
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.outbox import announce
from operations.webhooks.schema import AttemptRecord, DeliveryRecord, Sent, TargetRecord

KEY = MasterKey(b"0123456789abcdef")
POLICY = WebhookPolicy(allow=("127.0.0.0/8",), deadline=1.5, max_attempts=3)
PATIENT = WebhookPolicy(allow=("127.0.0.0/8",), deadline=30.0, max_attempts=100)
"""For what must arrive however busy the machine is."""


class Bench:
    """Short verbs for the tests of delivery."""

    def __init__(self, database: Database, who: Principal) -> None:
        self.database, self.who = database, who

    def target(self, kind: str, url: str, **more: Any) -> tuple[TargetRecord, str]:
        with self.database.write() as session:
            return service.create_target(
                session, self.who.actor, KEY, **({"name": kind, "min_level": "low"} | more), kind=kind, url=url, policy=POLICY
            )

    def tell(self, event_type: str = "alert.created", level: str = "high", **data: Any) -> int:
        with self.database.write() as session:
            return announce(session, event_type, {"id": 7, "level": level, "rule_name": "Webshell"} | data, level=level)

    def send(self, policy: WebhookPolicy = POLICY) -> Sent:
        return sender.deliver_due(self.database, KEY, policy)

    def later(self) -> None:
        """All waits are over: those of deliveries, and of targets."""
        with self.database.write() as session:
            past = {"past": clock.shift(clock.now(), -1)}
            session.execute(text("UPDATE webhook_deliveries SET due_at = :past WHERE status = 'pending'"), past)
            session.execute(text("UPDATE webhook_targets SET ready_at = ''"))

    def deliveries(self, **filters: Any) -> list[DeliveryRecord]:
        with self.database.read() as session:
            return service.list_deliveries(session, **filters).deliveries

    def attempts(self, delivery_id: int = 0) -> list[AttemptRecord]:
        """Of the newest delivery, newest first."""
        with self.database.read() as session:
            return service.list_attempts(session, delivery_id or self.deliveries()[0].id)

    def error(self) -> str:
        return self.attempts()[0].error

    def state(self, target_id: int) -> TargetRecord:
        with self.database.read() as session:
            return service.get_target(session, target_id)
