"""Taking a message: headers and signature first, then everything else in one transaction.

Who cannot sign learns nothing: an unknown source, one that is switched off, a wrong signature and a wrong time take the same way
and get the same answer. A message is acknowledged when its alert is committed, and its id with it: sent again, it is acknowledged
again. Ids are kept for KEPT_SECONDS; what comes with the same id after that is still no second detection while its alert is there.
"""

from __future__ import annotations

import functools
import math
import re
import time

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from kernel.db import Database
from operations import clock
from operations.alerts.record import record_detections
from operations.errors import Invalid
from operations.inbound import counting
from operations.inbound.message import Message, detection, read
from operations.inbound.models import InboundMessage, InboundSource
from operations.inbound.schema import Answer, Headers
from operations.webhooks.signing import new_secret, verifies

MAX_BODY = 256 * 1024
SKEW_SECONDS = 300
KEPT_SECONDS = 3 * 24 * 3600
"""Longer than senders try again: Standard Webhooks recommends a little over a day."""

_PUBLIC = re.compile(r"in_[0-9a-f]{32}")
_ID = re.compile(r"[!-~]{1,256}")
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")


def secret_context(source_id: int) -> str:
    """What the sealed secrets are bound to: they do not open in another row."""
    return f"inbound:{source_id}"


def find(session: Session, public_id: str) -> InboundSource | None:
    """The source of this address, also one that is switched off."""
    if not _PUBLIC.fullmatch(public_id):
        return None
    return session.execute(select(InboundSource).where(InboundSource.public_id == public_id)).scalar_one_or_none()


def receive(database: Database, key: MasterKey, public_id: str, headers: Headers, body: bytes) -> Answer:
    """Take a message. Raises StateUnavailable, and SecretError where the master key is another."""
    present = clock.now()
    with database.read() as session:
        source = find(session, public_id)
    good = _signed(key, source, headers, body, present)
    if source is None:
        return Answer("unknown")
    if not good:
        return Answer("signature")
    if abs(int(headers.timestamp) - time.time()) > SKEW_SECONDS:
        return Answer("time")
    if not source.enabled:
        return Answer("disabled")
    try:
        message: Message | Invalid = read(body, present)
    except Invalid as error:
        message = error
    with database.write() as session:
        return _take(session, source.id, headers.message_id, message, present)


@functools.lru_cache(maxsize=4)
def _decoy(key: MasterKey) -> str:
    """A secret for sources that there are not: to look for it takes as long."""
    return key.seal(new_secret().encode(), secret_context(0))


def _signed(key: MasterKey, source: InboundSource | None, headers: Headers, body: bytes, present: str) -> bool:
    sealed = [source.sealed_secret] if source else [_decoy(key)]
    if source and source.sealed_previous and source.previous_until > present:
        sealed.append(source.sealed_previous)
    context = secret_context(source.id if source else 0)
    known = [key.unseal(one, context).decode() for one in sealed]
    if not (_ID.fullmatch(headers.message_id) and _SECONDS.fullmatch(headers.timestamp)):
        return False
    seconds = int(headers.timestamp)
    good = [verifies(secret, headers.message_id, seconds, body, headers.signatures) for secret in known]
    return any(good)


def _take(session: Session, source_id: int, message_id: str, message: Message | Invalid, present: str) -> Answer:
    """One message of a source at a time; everything that is written here stands or falls together."""
    source = session.get(InboundSource, source_id, with_for_update=True, populate_existing=True)
    if source is None:
        return Answer("unknown")
    answer = _decide(session, source, message_id, message, present)
    counting.add(session, source_id, answer.outcome)
    return msgspec.structs.replace(answer, counted=True)


def _decide(session: Session, source: InboundSource, message_id: str, message: Message | Invalid, present: str) -> Answer:
    if not source.enabled:
        return Answer("disabled")
    wait = _spend(source, present)
    if wait:
        return Answer("rate", retry_after=wait)
    if session.get(InboundMessage, (source.id, message_id)) is not None:
        return Answer("repeated")
    if isinstance(message, Invalid):
        return Answer("body", field=message.field, detail=message.message)
    session.add(InboundMessage(source_id=source.id, message_id=message_id, seen_at=present))
    session.flush()
    place = {"source": source.id, "zone": source.zone, "organisation": source.organisation, "max_level": source.max_level}
    record_detections(session, [detection(message, message_id, **place)])  # type: ignore[arg-type]  # as the columns are
    return Answer("accepted")


def _spend(source: InboundSource, present: str) -> int:
    """Take one message off the allowance; seconds to wait where there is none, else 0."""
    passed = max(0.0, (clock.moment(present) - clock.moment(source.allowance_at)).total_seconds())
    allowance = min(float(source.rate), source.allowance + passed * source.rate / 60)
    if allowance < 1:
        return max(1, math.ceil((1 - allowance) * 60 / source.rate))
    source.allowance, source.allowance_at = allowance - 1, present
    return 0


def forget(session: Session) -> None:
    """Remove ids of messages that are old enough, and secrets that are over."""
    present = clock.now()
    session.execute(delete(InboundMessage).where(InboundMessage.seen_at < clock.shift(present, -KEPT_SECONDS)))
    over = (InboundSource.sealed_previous != "", InboundSource.previous_until <= present)
    session.execute(update(InboundSource).where(*over).values(sealed_previous="", previous_until=""))
