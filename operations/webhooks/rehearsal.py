"""A rehearsal of routing: which of the last notifications would have gone to a target with these rules, and when.

Notifications are those of the outbox, to whichever target, and the newest alerts, which nobody may have been told of. Asked for the
moment each was written; nothing is sent. A person who may set up webhooks need not be one who reads alerts: titles are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.detection import LEVELS, level_rank
from operations import clock
from operations.alerts.models import Alert
from operations.errors import Invalid
from operations.webhooks import routing
from operations.webhooks.channels.wording import SHANGHAI
from operations.webhooks.models import WebhookDelivery
from operations.webhooks.outbox import ALERT_CREATED, TEST
from operations.webhooks.places import places_of
from operations.webhooks.routing import Matter, Routing

NEWEST = 50
_SCANNED = 2000
"""Rows of the outbox that are looked at: a message has one for each target it went to."""


class Notice(msgspec.Struct, frozen=True):
    """A notification that was written. ``subject`` is its number, e.g. ``SJ-2026-0003`` or ``#17``; "" = it has none."""

    time: str
    event_type: str
    level: str
    subject: str
    data: Mapping[str, Any]


class Rehearsed(msgspec.Struct, frozen=True):
    """What would have become of a notification.

    verdict  ``now``, ``later`` (at ``due_at``), or kept back by ``level`` (below the least one) or ``rules`` (none lets it through)
    rule     number of the rule that lets it through, from 1; 0 = there are no rules, or none does
    """

    time: str
    event_type: str
    level: str
    subject: str
    zones: list[str]
    organisations: list[str]
    verdict: str
    due_at: str
    rule: int


def rehearse(session: Session, min_level: str, given: Mapping[str, Any]) -> list[Rehearsed]:
    """The last NEWEST notifications, newest first, under these rules. Raises Invalid like the saving of them does."""
    if min_level not in LEVELS:
        raise Invalid(f"there is no level {min_level!r}", f"one of {', '.join(LEVELS)}", field="min_level")
    wanted = routing.read(routing.checked(given))
    return [_rehearsed(session, notice, min_level, wanted) for notice in newest(session)]


def newest(session: Session) -> list[Notice]:
    """The last NEWEST notifications, newest first, each once."""
    found = _of_outbox(session)
    told = {notice.subject for notice in found if notice.event_type == ALERT_CREATED}
    found += [notice for notice in _of_alerts(session) if notice.subject not in told]
    return sorted(found, key=lambda notice: notice.time, reverse=True)[:NEWEST]


def _of_outbox(session: Session) -> list[Notice]:
    row = WebhookDelivery
    query = select(row.event_type, row.body, row.level, row.created_at).where(row.event_type != TEST)
    found: dict[tuple[str, bytes], Notice] = {}
    for event_type, body, level, time in session.execute(query.order_by(row.id.desc()).limit(_SCANNED)):
        data = orjson.loads(body)["data"]
        found.setdefault((event_type, orjson.dumps(data)), Notice(time, event_type, level or _level(data), _subject(data), data))
        if len(found) == NEWEST:
            break
    return list(found.values())


def _of_alerts(session: Session) -> Iterator[Notice]:
    query = select(Alert.id, Alert.created_at, Alert.level_rank, Alert.suppressed_by).order_by(Alert.id.desc())
    for alert_id, time, rank, suppressed_by in session.execute(query.limit(NEWEST * 4)):
        if suppressed_by is not None:  # of such nobody is told
            continue
        yield Notice(time, ALERT_CREATED, LEVELS[min(rank, len(LEVELS) - 1)], f"#{alert_id}", {"id": alert_id})


def _rehearsed(session: Session, notice: Notice, min_level: str, wanted: Routing) -> Rehearsed:
    zones, organisations = places_of(session, notice.event_type, notice.data)
    matter = Matter(notice.event_type, notice.level, lambda: (zones, organisations))
    due_at = routing.due(wanted, min_level, matter, notice.time)
    place = routing.matching(wanted, matter, clock.moment(notice.time).astimezone(SHANGHAI))
    if due_at is not None:
        verdict = "now" if due_at == notice.time else "later"
    else:
        verdict = "level" if notice.level and level_rank(notice.level) < level_rank(min_level) else "rules"
    return Rehearsed(
        notice.time, notice.event_type, notice.level, notice.subject, sorted(zones), sorted(organisations), verdict, due_at or "",
        0 if place is None or due_at is None else place + 1,
    )  # fmt: skip


def _subject(data: Mapping[str, Any]) -> str:
    if data.get("number"):
        return str(data["number"])[:64]
    return f"#{data['id']}" if isinstance(data.get("id"), int) else ""


def _level(data: Mapping[str, Any]) -> str:
    """Of a message that was written before its level was kept."""
    told = str(data.get("severity") or data.get("level") or "")
    return told if told in LEVELS else ""
