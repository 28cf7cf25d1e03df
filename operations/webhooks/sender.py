"""Sending the outbox: signed, with waits between attempts, and a dead letter at the end.

A round claims what is due (by moving its due time one lease ahead, so a sender that is killed leaves it for the next one), sends
all of it at the same time, at most PER_TARGET for one target, and writes down each outcome. Delivery is at least once; receivers
drop repetitions by ``webhook-id``.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

import httpx
import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from crypto.secret import MasterKey, SecretError
from kernel.db import Database
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.webhooks.guard import Refused, WebhookPolicy, resolve
from operations.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookTarget
from operations.webhooks.schema import Sent
from operations.webhooks.service import secret_context
from operations.webhooks.signing import headers

WAITS: tuple[int, ...] = (5, 30, 120, 600, 1800, 7200, 21600, 36000)
"""Seconds before attempt 2, 3, …; each is varied by up to a fifth, so that receivers are not hit by all at once."""

PER_TARGET = 20
GONE = 410


class Message(msgspec.Struct, frozen=True):
    """A claimed delivery with all that sending it needs."""

    delivery_id: int
    target_id: int
    attempt: int
    url: str
    secret: str
    message_id: str
    body: bytes


class Outcome(msgspec.Struct, frozen=True):
    """How an attempt ended: ``status_code`` None where there was no answer; ``error`` "" only on success."""

    status_code: int | None
    error: str
    answer: str
    milliseconds: int


def deliver_due(database: Database, key: MasterKey, policy: WebhookPolicy = WebhookPolicy()) -> Sent:
    """Send what is due once and return what happened. For the scheduler, every few seconds; returns at once when nothing is due."""
    messages = _claim(database, key, policy)
    if not messages:
        return Sent()
    outcomes = asyncio.run(_send_all(messages, policy))
    with database.write() as session:
        return _write_down(session, list(zip(messages, outcomes, strict=True)), policy)


def _claim(database: Database, key: MasterKey, policy: WebhookPolicy) -> list[Message]:
    with database.read() as session:
        due = select(WebhookDelivery.id).where(WebhookDelivery.status == "pending", WebhookDelivery.due_at <= clock.now()).limit(1)
        if session.execute(due).first() is None:
            return []
    messages, lease = [], policy.deadline * 3 + 30
    with database.write() as session:
        present = clock.now()
        for target in session.execute(select(WebhookTarget).where(WebhookTarget.enabled)).scalars():
            query = (
                select(WebhookDelivery)
                .where(
                    WebhookDelivery.target_id == target.id, WebhookDelivery.status == "pending", WebhookDelivery.due_at <= present
                )
                .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
                .limit(PER_TARGET)
                .with_for_update(skip_locked=True)
            )
            for delivery in session.execute(query).scalars():
                delivery.due_at = clock.shift(present, lease)
                messages.append(_message(delivery, target, key))
    return messages


def _message(delivery: WebhookDelivery, target: WebhookTarget, key: MasterKey) -> Message:
    try:
        secret = key.unseal(target.sealed_secret, context=secret_context(target.id)).decode()
    except SecretError:
        secret = ""  # told in the attempt's log
    return Message(delivery.id, target.id, delivery.attempts + 1, target.url, secret, delivery.message_id, delivery.body.encode())


async def _send_all(messages: Sequence[Message], policy: WebhookPolicy) -> list[Outcome]:
    # trust_env would send through a proxy of the environment, past the guard.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False, limits=limits, timeout=policy.deadline) as client:
        names = _Names(policy)
        return list(await asyncio.gather(*(_send(client, names, message, policy) for message in messages)))


class _Names:
    """The addresses of one round, each name asked for once: lookups share a few threads, and a name service that hangs for all
    messages of one target would take every one of them."""

    def __init__(self, policy: WebhookPolicy) -> None:
        self._policy = policy
        self._asked: dict[tuple[str, int, str], asyncio.Task[str]] = {}

    async def address(self, host: str, port: int, scheme: str) -> str:
        """guard.resolve. Raises Refused."""
        key = (host, port, scheme)
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(resolve(host, port, scheme, self._policy))
        return await asyncio.shield(self._asked[key])  # a message that gives up does not end it for the others


async def _send(client: httpx.AsyncClient, names: _Names, message: Message, policy: WebhookPolicy) -> Outcome:
    start = time.monotonic()
    status_code: int | None = None
    error = answer = ""
    try:
        # One deadline over name, connection, TLS and answer: a receiver that drips a byte now and then cannot hold us.
        async with asyncio.timeout(policy.deadline):
            status_code, answer = await _post(client, names, message, policy)
        error = _complaint(status_code)
    except TimeoutError:
        error = f"no answer within {policy.deadline:g} s"
    except Refused as refused:
        error = str(refused)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as failure:
        error = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
    return Outcome(status_code, error[:512], answer, int((time.monotonic() - start) * 1000))


async def _post(client: httpx.AsyncClient, names: _Names, message: Message, policy: WebhookPolicy) -> tuple[int, str]:
    if not message.secret:
        raise ValueError("the signing secret does not open: the master key was changed; renew the secret")
    url = httpx.URL(message.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    address = await names.address(url.host, port, url.scheme)
    signed = headers(message.secret, message.message_id, int(time.time()), message.body)
    request = client.build_request(
        "POST",
        url.copy_with(host=address),
        content=message.body,
        headers={**signed, "Host": url.netloc.decode(), "Content-Type": "application/json", "User-Agent": "Liandun-Webhook/1"},
        extensions={"sni_hostname": url.raw_host.decode()} if url.scheme == "https" else None,
    )
    response = await client.send(request, stream=True)
    try:
        kept = b""
        async for chunk in response.aiter_raw():
            kept += chunk
            if len(kept) >= policy.max_answer:
                break
    finally:
        await response.aclose()
    return response.status_code, kept[: policy.max_answer].decode("utf-8", "replace").replace("\0", "")


def _complaint(status_code: int) -> str:
    if 200 <= status_code < 300:
        return ""
    if 300 <= status_code < 400:
        return f"HTTP {status_code}: redirects are not followed; enter the final URL"
    return f"HTTP {status_code}"


def _write_down(session: Session, results: Sequence[tuple[Message, Outcome]], policy: WebhookPolicy) -> Sent:
    delivered = failed = dead = 0
    present = clock.now()
    for message, outcome in results:
        values = {"attempts": message.attempt}
        if not outcome.error:
            delivered += 1
            state = {"status": "delivered", "finished_at": present}
        elif message.attempt >= policy.max_attempts or outcome.status_code == GONE:
            dead += 1
            state = {"status": "dead", "finished_at": present}
        else:
            failed += 1
            state = {"due_at": clock.shift(present, _wait(message.attempt))}
        changed = session.connection().execute(
            update(WebhookDelivery).where(WebhookDelivery.id == message.delivery_id).values(**values, **state)
        )
        if changed.rowcount:  # else the target was deleted meanwhile, and its log with it
            session.execute(insert(WebhookAttempt), [_attempt_row(message, outcome, present)])
        if outcome.status_code == GONE:
            _switch_off(session, message.target_id)
    return Sent(delivered, failed, dead)


def _wait(attempt: int) -> float:
    base = WAITS[min(attempt, len(WAITS)) - 1]
    return base * random.uniform(0.8, 1.2)  # noqa: S311  # spreads load, guards nothing


def _attempt_row(message: Message, outcome: Outcome, present: str) -> dict[str, object]:
    return {
        "delivery_id": message.delivery_id,
        "time": present,
        "milliseconds": outcome.milliseconds,
        "status_code": outcome.status_code,
        "error": outcome.error,
        "answer": outcome.answer,
    }


def _switch_off(session: Session, target_id: int) -> None:
    """410 Gone: the receiver wants no more (Standard Webhooks, "Operational considerations")."""
    changed = session.connection().execute(
        update(WebhookTarget)
        .where(WebhookTarget.id == target_id, WebhookTarget.enabled)
        .values(enabled=False, version=WebhookTarget.version + 1)
    )
    if changed.rowcount:
        audit.append(session, SYSTEM, "webhook.disable", "webhook", target_id, detail={"reason": "the receiver answered 410 Gone"})
