"""Webhook targets and their deliveries: what people do with them. Sending is in ``sender``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from kernel.detection import LEVELS
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.webhooks import breaker
from operations.webhooks.channels.contract import Channel
from operations.webhooks.channels.registry import CHANNELS, channel_of
from operations.webhooks.credentials import check_secret, opened, seal, secret_context, shown_url, without_path
from operations.webhooks.guard import WebhookPolicy
from operations.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookTarget
from operations.webhooks.outbox import TEST, delivery_row
from operations.webhooks.routing import checked as routing_of
from operations.webhooks.schema import AttemptRecord, DeliveryPage, DeliveryRecord, TargetRecord
from operations.webhooks.signing import new_secret

__all__ = ["secret_context"]  # operations.secrets asks here what a sealed value is bound to

MAX_TARGETS = 100
_CURSOR = re.compile(r"[0-9]{1,18}")
_LONG = ("ca", "template")
"""Settings that the audit trail names without their text."""


def look_at(kind: str, url: str, settings: Mapping[str, Any] | None = None, policy: WebhookPolicy = WebhookPolicy()) -> None:
    """What create_target and change_target check of an address and its settings. For before the transaction: with some kinds it
    takes seconds the first time, and an embedded database has one writer. Raises Invalid."""
    channel_of(kind).check(url, settings or {}, policy)


def create_target(
    session: Session,
    actor: Actor,
    key: MasterKey,
    *,
    name: str,
    url: str,
    min_level: str = "medium",
    kind: str = "standard",
    settings: Mapping[str, Any] | None = None,
    routing: Mapping[str, Any] | None = None,
    secret: str = "",
    policy: WebhookPolicy = WebhookPolicy(),
) -> tuple[TargetRecord, str]:
    """Make a target; returns it with the signing secret that we made, which is not shown again. Raises Invalid, Conflict.

    kind      a name of channels.registry.KINDS
    settings  what that kind knows (its ``check``)
    routing   rules and quiet hours (routing.Routing)
    secret    for kinds whose secret is given: the signing secret of the robot, the password of the mailbox; the answer is "" then
    """
    channel = channel_of(kind)
    _check(name, min_level)
    full = channel.check(url, settings or {}, policy)
    if channel.hidden and url == shown_url(channel, url):
        raise Invalid("the whole URL is needed, not only what is shown of one", field="url")
    routed = routing_of(routing or {})
    check_secret(channel, secret)
    if len(list_targets(session)) >= MAX_TARGETS:
        raise Conflict(f"there are {MAX_TARGETS} targets already")
    made = new_secret() if channel.credential == "made" else ""
    target = WebhookTarget(
        name=name.strip(),
        url=shown_url(channel, url),
        sealed_secret="",
        min_level=min_level,
        enabled=True,
        created_at=clock.now(),
        created_by=actor.name[:160],
        kind=kind,
        settings=orjson.dumps(full).decode(),
        routing=routed,
    )
    session.add(target)
    session.flush()
    target.sealed_secret = seal(key, target.id, channel, url, made or secret)
    session.flush()
    audit.append(
        session,
        actor,
        "webhook.create",
        "webhook",
        target.id,
        detail={"name": target.name, "url": without_path(url), "min_level": min_level, "kind": kind, "settings": _brief(full)},
    )
    return _record(target), made


def change_target(
    session: Session,
    actor: Actor,
    target_id: int,
    *,
    key: MasterKey | None = None,
    name: str | None = None,
    url: str | None = None,
    min_level: str | None = None,
    enabled: bool | None = None,
    settings: Mapping[str, Any] | None = None,
    routing: Mapping[str, Any] | None = None,
    secret: str | None = None,
    expected_version: int | None = None,
    policy: WebhookPolicy = WebhookPolicy(),
) -> TargetRecord:
    """Change a target. Raises NotFound, Invalid, or Conflict (``expected_version`` is not its version any more).

    key       needed where the URL of a chat robot or a given secret changes: they are sealed
    settings  replace all of them, as ``routing`` does
    """
    target = _target(session, target_id)
    channel = CHANNELS[target.kind]
    if expected_version is not None and target.version != expected_version:
        raise Conflict(f"webhook {target_id} was changed by somebody else", "reload it and decide again")
    if enabled or any(value is not None for value in (name, url, min_level, settings, secret)):  # switching off is always possible
        _check(target.name if name is None else name, target.min_level if min_level is None else min_level)
        kept = orjson.loads(target.settings) if settings is None else settings
        full = orjson.dumps(channel.check(target.url if url is None else url, kept, policy)).decode()
    else:
        full = target.settings
    check_secret(channel, secret or "")
    resealed = _reseal(target, channel, key, url, secret)
    given = {
        "name": name, "url": None if url is None else shown_url(channel, url), "min_level": min_level, "enabled": enabled,
        "settings": full, "routing": None if routing is None else routing_of(routing),
    }  # fmt: skip
    before, after = {}, {}
    for field, value in given.items():
        if value is not None and getattr(target, field) != value:
            before[field], after[field] = getattr(target, field), value
            setattr(target, field, value)
    if after or resealed:
        target.version += 1
        breaker.close(target)
        audit.append(
            session,
            actor,
            "webhook.change",
            "webhook",
            target_id,
            detail={"before": _told(before), "after": _told(after) | ({"sealed": "entered anew"} if resealed else {})},
        )
    return _record(target)


def _reseal(target: WebhookTarget, channel: Channel, key: MasterKey | None, url: str | None, secret: str | None) -> bool:
    """Seal what was entered anew. A given secret does not go along to another server: whoever may change the address could have it
    sent to himself."""
    new_url = url is not None and url != target.url
    if channel.credential == "made" or not (secret or (new_url and channel.hidden) or (new_url and channel.credential == "given")):
        return False
    if key is None:
        raise Conflict("this console has no master key, so it cannot keep secrets", "start it through ./liandun serve")
    old = opened(key, channel, target)
    there = url if new_url and url else old.url
    moved = without_path(there) != without_path(old.url)
    target.sealed_secret = seal(key, target.id, channel, there, secret or ("" if moved else old.secret))
    return True


def renew_secret(session: Session, actor: Actor, key: MasterKey, target_id: int) -> str:
    """Give a target a new signing secret and return it; the old one signs nothing from now on. Raises Invalid for other kinds."""
    target, secret = _target(session, target_id), new_secret()
    channel = CHANNELS[target.kind]
    if channel.credential != "made":
        raise Invalid("the secret of this kind is not ours to renew", "enter the one that the other side gives", field="secret")
    target.sealed_secret, target.version = seal(key, target.id, channel, target.url, secret), target.version + 1
    audit.append(session, actor, "webhook.renew_secret", "webhook", target_id)
    return secret


def delete_target(session: Session, actor: Actor, target_id: int) -> None:
    """Remove a target with its deliveries and their log."""
    target = _target(session, target_id)
    audit.append(
        session, actor, "webhook.delete", "webhook", target_id, detail={"name": target.name, "url": without_path(target.url)}
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
    breaker.close(target)
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
    breaker.close(_target(session, delivery.target_id))
    audit.append(session, actor, "webhook.replay", "webhook", delivery.target_id, detail={"delivery": delivery_id})
    return _delivery(delivery)


def replay_dead(session: Session, actor: Actor, target_id: int) -> int:
    """Send all dead letters of a target again, each under its own id; returns how many. Raises NotFound."""
    target, present = _target(session, target_id), clock.now()
    dead = (WebhookDelivery.target_id == target_id, WebhookDelivery.status == "dead")
    values = {"status": "pending", "attempts": 0, "due_at": present, "finished_at": None}
    number = session.connection().execute(update(WebhookDelivery).where(*dead).values(values)).rowcount
    session.expire_all()
    if number:
        breaker.close(target)
        audit.append(session, actor, "webhook.replay_all", "webhook", target_id, detail={"deliveries": number})
    return number


def _check(name: str, min_level: str) -> None:
    if not name.strip() or len(name) > 128:
        raise Invalid("a webhook needs a name of at most 128 characters", field="name")
    if min_level not in LEVELS:
        raise Invalid(f"there is no level {min_level!r}", f"one of {', '.join(LEVELS)}", field="min_level")


def _told(fields: Mapping[str, object]) -> dict[str, object]:
    """Changed fields as the audit trail may hold them."""
    told = dict(fields)
    if "url" in told:
        told["url"] = without_path(str(told["url"]))
    if "settings" in told:
        told["settings"] = _brief(orjson.loads(str(told["settings"])))
    if "routing" in told:
        told["routing"] = orjson.loads(str(told["routing"]))
    return told


def _brief(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: f"{len(value)} characters" if name in _LONG and value else value for name, value in settings.items()}


def _target(session: Session, target_id: int) -> WebhookTarget:
    target = session.get(WebhookTarget, target_id)
    if target is None:
        raise NotFound(f"there is no webhook {target_id}")
    return target


def _record(target: WebhookTarget) -> TargetRecord:
    return TargetRecord(
        target.id, target.name, target.url, target.min_level, target.enabled, target.created_at, target.created_by, target.version,
        target.kind, orjson.loads(target.settings), target.failures, breaker.paused_until(target),
        orjson.loads(target.routing),
    )  # fmt: skip


def _delivery(row: WebhookDelivery) -> DeliveryRecord:
    return DeliveryRecord(
        row.id, row.target_id, row.message_id, row.event_type, row.status, row.attempts, row.due_at, row.created_at, row.finished_at
    )
