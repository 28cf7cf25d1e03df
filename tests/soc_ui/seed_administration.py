"""Keys, webhooks with deliveries in every state, and acts of several people, for the pages of administration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kernel.event import timestamp
from operations.accounts import keys
from operations.accounts import service as accounts
from operations.accounts.models import ApiKey
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.schema import SYSTEM, Actor
from operations.webhooks import service as webhooks
from operations.webhooks.models import WebhookAttempt, WebhookDelivery
from operations.webhooks.outbox import ALERT_CREATED, delivery_row
from soc_ui.services import Services

ADMIN = Actor("xu.xitong", "10.20.0.15")


def administer(services: Services) -> None:
    """Fills ``services``, whose accounts exist already."""
    analyst = accounts.create_user(services.database, ADMIN, "wang.wu", "Day-Shift-2026!", "analyst", display_name="王五")
    with services.database.read() as session:
        mine = next(user for user in accounts.list_users(session) if user.name == "lin.mei")
    owner = Principal(mine.id, mine.name, "", "analyst", address="10.20.0.16")
    other = Principal(analyst.id, analyst.name, "", "analyst", address="fd00:20::17")
    with services.database.write() as session:
        keys.create_key(session, owner, "报表导出 / nightly report", "read", 90)
        old, _secret = keys.create_key(session, owner, "grafana", "read", 30)
        gone, _secret = keys.create_key(session, owner, "soar-prod", "write", 366)
        keys.create_key(session, other, "triage script", "write", 14)
        keys.revoke_key(session, owner, gone.id)
        row = session.get_one(ApiKey, old.id)
        row.created_at, row.expires_at = _ago(days=40), _ago(days=10)
        row.used_at = _ago(days=11)
        for number in range(70):
            what = ("alert.change", "alert", str(number % 9 + 1)) if number % 3 else ("session.login", "account", "wang.wu")
            result = "failure" if number % 21 == 0 else "denied" if number % 17 == 0 else "success"
            audit.append(session, other.actor, *what, result=result, detail={"after": {"status": "acknowledged"}, "note": True})
    _deliver(services)


def _deliver(services: Services) -> None:
    key = services.master_key
    assert key is not None
    with services.database.write() as session:
        chat, _secret = webhooks.create_target(
            session, ADMIN, key, name="飞书值班群", url="https://open.feishu.cn/open-apis/bot/v2/hook/6f1c", min_level="high"
        )
        tickets, _secret = webhooks.create_target(session, ADMIN, key, name="ITSM", url="https://itsm.city.example/hooks/liandun")
        webhooks.change_target(session, ADMIN, tickets.id, enabled=False)
        for number in range(60):
            state = "dead" if number % 11 == 4 else "pending" if number > 57 else "delivered"
            row = WebhookDelivery(**delivery_row(chat.id, ALERT_CREATED, {"id": number}))
            row.created_at = row.due_at = _ago(minutes=9 * (60 - number))
            row.status, row.attempts = state, {"dead": 9, "pending": 1}.get(state, 1)
            row.finished_at = None if state == "pending" else row.created_at
            session.add(row)
            session.flush()
            fine = state == "delivered"
            error = "" if fine else "HTTP 503" if number % 2 else "no answer within 10 s"
            code = 200 if fine else 503 if number % 2 else None
            answer = '{"code":0}' if fine else "<html><h1>503 Service Unavailable</h1></html>" if code else ""
            for _attempt in range(row.attempts):
                session.add(
                    WebhookAttempt(
                        delivery_id=row.id,
                        time=row.created_at,
                        milliseconds=84 if fine else 10_000,
                        status_code=code,
                        error=error,
                        answer=answer,
                    )
                )
        webhooks.send_test(session, SYSTEM, chat.id)


def _ago(**span: float) -> str:
    return timestamp(datetime.now(UTC) - timedelta(**span))
