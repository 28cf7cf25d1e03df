"""Sending the outbox: by the channel of each target, with waits between attempts, and a dead letter at the end.

A round claims what is due (by moving its due time one lease ahead, so a sender that is killed leaves it for the next one), sends
all of it at the same time, at most PER_TARGET for one target, and writes down each outcome. Delivery is at least once; receivers
drop repetitions by the message id. Channels with a spacing get one sending a round, which carries what has come together.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence

import httpx
import msgspec
import orjson
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from crypto.secret import MasterKey, SecretError
from kernel.db import Database
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.webhooks import breaker
from operations.webhooks.channels.contract import Channel, Destination, Item, Verdict, Ways
from operations.webhooks.channels.network import Network
from operations.webhooks.channels.registry import CHANNELS
from operations.webhooks.credentials import opened
from operations.webhooks.guard import Refused, WebhookPolicy
from operations.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookTarget
from operations.webhooks.schema import Sent

log = logging.getLogger(__name__)
WAITS: tuple[int, ...] = (5, 30, 120, 600, 1800, 7200, 21600, 36000)
"""Seconds before attempt 2, 3, …; each is varied by up to a fifth, so that receivers are not hit by all at once."""

PER_TARGET = 20
GONE = 410
NOT_OPEN = "the signing secret does not open: the master key was changed; renew the secret"


class Parcel(msgspec.Struct, frozen=True):
    """What one sending carries: claimed deliveries of one target. ``attempts``: the number of this attempt for each of them."""

    target_id: int
    kind: str
    items: list[Item]
    attempts: list[int]
    to: Destination | None  # None: its secret does not open


class Outcome(msgspec.Struct, frozen=True):
    """How a sending ended, and how long it took."""

    verdict: Verdict
    milliseconds: int


def deliver_due(database: Database, key: MasterKey, policy: WebhookPolicy = WebhookPolicy()) -> Sent:
    """Send what is due once and return what happened. For the scheduler, every few seconds; returns at once when nothing is due."""
    parcels = _claim(database, key, policy)
    if not parcels:
        return Sent()
    outcomes = asyncio.run(_send_all(parcels, policy))
    with database.write() as session:
        return _write_down(session, list(zip(parcels, outcomes, strict=True)), policy)


def _claim(database: Database, key: MasterKey, policy: WebhookPolicy) -> list[Parcel]:
    with database.read() as session:
        ready = _ready(session)
    if not ready:
        return []
    parcels, lease = [], policy.deadline * 3 + 30
    with database.write() as session:
        # Two senders never take the same target: the spacing of a chat holds for both together.
        query = select(WebhookTarget).where(WebhookTarget.id.in_(ready)).with_for_update(skip_locked=True, key_share=True)
        present = clock.now()
        for target in session.execute(query).scalars():
            if target.enabled and target.ready_at <= present:
                parcels += _parcels(session, target, key, present, lease)
    return parcels


def _ready(session: Session) -> list[int]:
    present = clock.now()
    waiting = (
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.target_id == WebhookTarget.id, WebhookDelivery.status == "pending", WebhookDelivery.due_at <= present
        )
        .exists()
    )
    query = select(WebhookTarget.id).where(WebhookTarget.enabled, WebhookTarget.ready_at <= present, waiting)
    return list(session.execute(query).scalars())


def _parcels(session: Session, target: WebhookTarget, key: MasterKey, present: str, lease: float) -> list[Parcel]:
    channel, to = CHANNELS[target.kind], _destination(target, key)
    most = 1 if breaker.is_open(target) else (channel.batch if channel.spacing else PER_TARGET)
    query = (
        select(WebhookDelivery)
        .where(WebhookDelivery.target_id == target.id, WebhookDelivery.status == "pending", WebhookDelivery.due_at <= present)
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.execute(query).scalars())
    if not rows:
        return []
    items = [Item(row.id, row.message_id, row.event_type, row.body.encode()) for row in rows]
    if channel.spacing:
        fitting = channel.fit(items, to) if to else 1
        rows, groups = rows[:fitting], [items[:fitting]]
        target.ready_at = clock.shift(present, channel.spacing)
    else:
        groups = [[item] for item in items]
    for row in rows:
        row.due_at = clock.shift(present, lease)
    attempts = {row.id: row.attempts + 1 for row in rows}
    return [Parcel(target.id, target.kind, group, [attempts[item.delivery_id] for item in group], to) for group in groups]


def _destination(target: WebhookTarget, key: MasterKey) -> Destination | None:
    try:
        given = opened(key, CHANNELS[target.kind], target)
    except SecretError:
        return None  # told in the attempt's log
    return Destination(given.url, given.secret, orjson.loads(target.settings))


async def _send_all(parcels: Sequence[Parcel], policy: WebhookPolicy) -> list[Outcome]:
    async with Network(policy) as ways:
        return list(await asyncio.gather(*(_send(CHANNELS[parcel.kind], ways, parcel, policy) for parcel in parcels)))


async def _send(channel: Channel, ways: Ways, parcel: Parcel, policy: WebhookPolicy) -> Outcome:
    start = time.monotonic()
    try:
        # One deadline over name, connection, TLS and answer: a receiver that drips a byte now and then cannot hold us.
        async with asyncio.timeout(policy.deadline):
            verdict = Verdict(None, NOT_OPEN) if parcel.to is None else await channel.send(parcel.items, parcel.to, ways)
    except TimeoutError:
        verdict = Verdict(None, f"no answer within {policy.deadline:g} s")
    except Refused as refused:
        verdict = Verdict(None, str(refused))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as failure:
        verdict = Verdict(None, f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__)
    except Exception as mistake:  # of ours, brought up by what one receiver said: what the others took must be written down
        log.exception("sending to webhook target %d failed unexpectedly", parcel.target_id)
        verdict = Verdict(None, f"not understood: {type(mistake).__name__}")
    return Outcome(verdict, int((time.monotonic() - start) * 1000))


def _write_down(session: Session, results: Sequence[tuple[Parcel, Outcome]], policy: WebhookPolicy) -> Sent:
    present, counts = clock.now(), {"delivered": 0, "failed": 0, "dead": 0}
    by_target: dict[int, list[Verdict]] = {}
    kinds = {parcel.target_id: parcel.kind for parcel, _ in results}
    for parcel, outcome in results:
        by_target.setdefault(parcel.target_id, []).append(outcome.verdict)
        varied = random.uniform(0.8, 1.2)  # noqa: S311  # spreads load, guards nothing; one for all, so that a digest stays together
        for item, attempt in zip(parcel.items, parcel.attempts, strict=True):
            counts[_one(session, item, attempt, outcome, present, policy, varied)] += 1
    for target_id, verdicts in by_target.items():
        _settle(session, target_id, CHANNELS[kinds[target_id]].spacing, verdicts, present)
    return Sent(**counts)


def _one(session: Session, item: Item, attempt: int, outcome: Outcome, present: str, policy: WebhookPolicy, varied: float) -> str:
    """Note the outcome for one delivery; returns what became of it."""
    verdict = outcome.verdict
    if not verdict.error:
        became, state = "delivered", {"status": "delivered", "finished_at": present}
    elif verdict.final or attempt >= policy.max_attempts or verdict.status_code == GONE:
        became, state = "dead", {"status": "dead", "finished_at": present}
    else:
        became, state = "failed", {"due_at": clock.shift(present, max(_wait(attempt, varied), verdict.retry_after or 0.0))}
    changed = session.connection().execute(
        update(WebhookDelivery).where(WebhookDelivery.id == item.delivery_id).values(attempts=attempt, **state)
    )
    if changed.rowcount:  # else the target was deleted meanwhile, and its log with it
        session.execute(insert(WebhookAttempt), [_attempt_row(item, outcome, present)])
    return became


def _wait(attempt: int, varied: float = 1.0) -> float:
    return WAITS[min(attempt, len(WAITS)) - 1] * varied


def _attempt_row(item: Item, outcome: Outcome, present: str) -> dict[str, object]:
    return {
        "delivery_id": item.delivery_id,
        "time": present,
        "milliseconds": outcome.milliseconds,
        "status_code": outcome.verdict.status_code,
        "error": outcome.verdict.error[:512],
        "answer": outcome.verdict.answer,
    }


def _settle(session: Session, target_id: int, spacing: float, verdicts: Sequence[Verdict], present: str) -> None:
    """Breaker and next moment of a target after a round. A message refused for what it says speaks for the receiver's health."""
    target = session.execute(
        select(WebhookTarget).where(WebhookTarget.id == target_id).with_for_update(key_share=True)
    ).scalar_one_or_none()
    if target is None:
        return
    well = any(not verdict.error or verdict.final for verdict in verdicts)
    target.failures = 0 if well else min(target.failures + 1, 1_000_000)
    away = max(breaker.pause(target.failures), spacing, *(verdict.retry_after or 0.0 for verdict in verdicts))
    target.ready_at = clock.shift(present, away) if away else ""
    session.flush()
    if any(verdict.status_code == GONE for verdict in verdicts):
        _switch_off(session, target_id)


def _switch_off(session: Session, target_id: int) -> None:
    """410 Gone: the receiver wants no more (Standard Webhooks, "Operational considerations")."""
    changed = session.connection().execute(
        update(WebhookTarget)
        .where(WebhookTarget.id == target_id, WebhookTarget.enabled)
        .values(enabled=False, version=WebhookTarget.version + 1)
    )
    if changed.rowcount:
        audit.append(session, SYSTEM, "webhook.disable", "webhook", target_id, detail={"reason": "the receiver answered 410 Gone"})
