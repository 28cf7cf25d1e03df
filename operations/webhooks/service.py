"""Webhook targets and their deliveries: what people do with them. Sending is in ``sender``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from kernel.detection import LEVELS
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.webhooks.guard import WebhookPolicy, check_url
from operations.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookTarget
from operations.webhooks.outbox import TEST, delivery_row
from operations.webhooks.schema import AttemptRecord, DeliveryPage, DeliveryRecord, TargetRecord
from operations.webhooks.signing import new_secret

MAX_TARGETS = 100
_CURSOR = re.compile(r"[0-9]{1,18}")


def create_target(
    session: Session,
    actor: Actor,
    key: MasterKey,
    *,
    name: str,
    url: str,
    min_level: str = "medium",
    policy: WebhookPolicy = WebhookPolicy(),
) -> tuple[TargetRecord, str]:
    """Make a target; returns it with its signing secret, which is not shown again. Raises Invalid."""
    _check(name, url, min_level, policy)
    if len(list_targets(session)) >= MAX_TARGETS:
        raise Conflict(f"there are {MAX_TARGETS} targets already")
    secret = new_secret()
    target = WebhookTarget(
        name=name.strip(),
        url=url,
        sealed_secret="",
        min_level=min_level,
        enabled=True,
        created_at=clock.now(),
        created_by=actor.name[:160],
    )
    session.add(target)
    session.flush()
    target.sealed_secret = key.seal(secret.encode(), context=secret_context(target.id))
    session.flush()
    audit.append(
        session,
        actor,
        "webhook.create",
        "webhook",
        target.id,
        detail={"name": target.name, "url": _without_path(url), "min_level": min_level},
    )
    return _record(target), secret


def change_target(
    session: Session,
    actor: Actor,
    target_id: int,
    *,
    name: str | None = None,
    url: str | None = None,
    min_level: str | None = None,
    enabled: bool | None = None,
    expected_version: int | None = None,
    policy: WebhookPolicy = WebhookPolicy(),
) -> TargetRecord:
    """Change a target. Raises NotFound, Invalid, or Conflict (``expected_version`` is not its version any more)."""
    target = _target(session, target_id)
    if expected_version is not None and target.version != expected_version:
        raise Conflict(f"webhook {target_id} was changed by somebody else", "reload it and decide again")
    given = {"name": name, "url": url, "min_level": min_level, "enabled": enabled}
    if enabled or any(value is not None for value in (name, url, min_level)):  # switching off is always possible
        _check(
            target.name if name is None else name,
            target.url if url is None else url,
            target.min_level if min_level is None else min_level,
            policy,
        )
    before, after = {}, {}
    for field, value in given.items():
        if value is not None and getattr(target, field) != value:
            before[field], after[field] = getattr(target, field), value
            setattr(target, field, value)
    if after:
        target.version += 1
        audit.append(
            session, actor, "webhook.change", "webhook", target_id, detail={"before": _told(before), "after": _told(after)}
        )
    return _record(target)


def renew_secret(session: Session, actor: Actor, key: MasterKey, target_id: int) -> str:
    """Give a target a new signing secret and return it; the old one signs nothing from now on."""
    target, secret = _target(session, target_id), new_secret()
    target.sealed_secret, target.version = key.seal(secret.encode(), context=secret_context(target.id)), target.version + 1
    audit.append(session, actor, "webhook.renew_secret", "webhook", target_id)
    return secret


def delete_target(session: Session, actor: Actor, target_id: int) -> None:
    """Remove a target with its deliveries and their log."""
    target = _target(session, target_id)
    audit.append(
        session, actor, "webhook.delete", "webhook", target_id, detail={"name": target.name, "url": _without_path(target.url)}
    )
    session.delete(target)
    session.flush()


def list_targets(session: Session) -> list[TargetRecord]:
    """All targets by name."""
    return [
        _record(target)
        for target in session.execute(select(WebhookTarget).order_by(WebhookTarget.name, WebhookTarget.id)).scalars()
    ]


def get_target(session: Session, target_id: int) -> TargetRecord:
    """One target. Raises NotFound."""
    return _record(_target(session, target_id))


def send_test(session: Session, actor: Actor, target_id: int) -> int:
    """Queue a test message; returns its delivery id, whose attempts tell the outcome."""
    target = _target(session, target_id)
    row = delivery_row(target_id, TEST, {"message": "This is a test of Liandun.", "target": target.name})
    delivery_id = session.execute(insert(WebhookDelivery).returning(WebhookDelivery.id), [row]).scalar_one()
    audit.append(session, actor, "webhook.test", "webhook", target_id, detail={"delivery": delivery_id})
    return delivery_id


def list_deliveries(
    session: Session, target_id: int | None = None, *, status: str = "", limit: int = 50, cursor: str = ""
) -> DeliveryPage:
    """Deliveries, newest first; ``status`` ``dead`` is the dead-letter list."""
    query = select(WebhookDelivery).order_by(WebhookDelivery.id.desc()).limit(limit + 1)
    if target_id is not None:
        query = query.where(WebhookDelivery.target_id == target_id)
    if status:
        query = query.where(WebhookDelivery.status == status)
    if cursor:
        if not _CURSOR.fullmatch(cursor):
            raise Invalid("the page cursor cannot be read", field="cursor")
        query = query.where(WebhookDelivery.id < int(cursor))
    rows = list(session.execute(query).scalars())
    page = [_delivery(row) for row in rows[:limit]]
    return DeliveryPage(page, str(page[-1].id) if len(rows) > limit else "")


def list_attempts(session: Session, delivery_id: int) -> list[AttemptRecord]:
    """What happened on each attempt, newest first. Raises NotFound."""
    if session.get(WebhookDelivery, delivery_id) is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    query = select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id).order_by(WebhookAttempt.id.desc()).limit(100)
    return [
        AttemptRecord(row.time, row.milliseconds, row.status_code, row.error, row.answer)
        for row in session.execute(query).scalars()
    ]


def replay(session: Session, actor: Actor, delivery_id: int) -> DeliveryRecord:
    """Send a delivery again, the same message with the same id, with a full set of attempts. Raises NotFound."""
    delivery = session.get(WebhookDelivery, delivery_id)
    if delivery is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    delivery.status, delivery.attempts, delivery.due_at, delivery.finished_at = "pending", 0, clock.now(), None
    audit.append(session, actor, "webhook.replay", "webhook", delivery.target_id, detail={"delivery": delivery_id})
    return _delivery(delivery)


def secret_context(target_id: int) -> str:
    """What the sealed secret is bound to: it does not open in another row."""
    return f"webhook:{target_id}"


def _check(name: str, url: str, min_level: str, policy: WebhookPolicy) -> None:
    if not name.strip() or len(name) > 128:
        raise Invalid("a webhook needs a name of at most 128 characters", field="name")
    if min_level not in LEVELS:
        raise Invalid(f"there is no level {min_level!r}", f"one of {', '.join(LEVELS)}", field="min_level")
    check_url(url, policy)


def _told(fields: Mapping[str, object]) -> dict[str, object]:
    """Changed fields as the audit trail may hold them."""
    return {field: _without_path(str(value)) if field == "url" else value for field, value in fields.items()}


def _without_path(url: str) -> str:
    """Where a URL leads. Path and query are left out: chat services put the access token there, and the trail holds no secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def _target(session: Session, target_id: int) -> WebhookTarget:
    target = session.get(WebhookTarget, target_id)
    if target is None:
        raise NotFound(f"there is no webhook {target_id}")
    return target


def _record(target: WebhookTarget) -> TargetRecord:
    return TargetRecord(
        target.id, target.name, target.url, target.min_level, target.enabled, target.created_at, target.created_by, target.version
    )


def _delivery(row: WebhookDelivery) -> DeliveryRecord:
    return DeliveryRecord(
        row.id, row.target_id, row.message_id, row.event_type, row.status, row.attempts, row.due_at, row.created_at, row.finished_at
    )
